//! The peer as most would write it in Rust: lapin, `serde_json`, and for each job one pipeline of SMISMEMBER, an
//! identifier kind each, on Redis sets of plain identifiers.
//!
//! Written to be fast within that design: jobs side by side up to the same prefetch, one round trip to Redis a job,
//! confirms awaited outside the channel's lock, and simpler canonical forms than the worker's. Deliberately absent:
//! everything else that the worker promises.

use std::process::ExitCode;
use std::sync::Arc;

use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Confirmation, Connection, ConnectionProperties};
use redis::aio::MultiplexedConnection;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// As many as the worker holds.
const PREFETCH: u16 = 30;

const KINDS: [&str; 3] = ["user_id", "email", "phone"];

/// What every job needs.
struct Peer {
    redis: MultiplexedConnection,
    /// The sets' names, in the order of [`KINDS`].
    sets: [String; 3],
    publishing: Mutex<Channel>,
}

/// Filters jobs until it is killed.
pub(crate) async fn run(amqp: &str, redis: &str, list: &str) -> ExitCode {
    let amqp = format!("{amqp}?frame_max=131072");
    let connection =
        Connection::connect(&amqp, ConnectionProperties::default()).await.expect("RabbitMQ is there");
    let publishing = connection.create_channel().await.expect("a channel to publish on");
    publishing.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms are on");
    let taking = connection.create_channel().await.expect("a channel to take from");
    taking.basic_qos(PREFETCH, BasicQosOptions::default()).await.expect("a prefetch");
    let redis = redis::Client::open(redis).expect("the benchmark passes an address");
    let patience = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    let redis = redis.get_multiplexed_async_connection_with_config(&patience).await.expect("Redis is there");
    let peer = Arc::new(Peer {
        redis,
        sets: KINDS.map(|kind| format!("{list}:{kind}")),
        publishing: Mutex::new(publishing),
    });
    let options = BasicConsumeOptions::default();
    let consuming = taking.basic_consume("suppressd.jobs".into(), "".into(), options, FieldTable::default());
    let mut jobs = consuming.await.expect("the queue is there");
    let mut running = JoinSet::new();
    while let Some(job) = jobs.next().await {
        let job = job.expect("the connection stands");
        let peer = Arc::clone(&peer);
        running.spawn(async move { peer.filter(job).await });
        while running.try_join_next().is_some() {}
    }
    ExitCode::FAILURE
}

impl Peer {
    async fn filter(&self, delivery: Delivery) {
        let mut job: Value = serde_json::from_slice(&delivery.data).expect("the benchmark sends JSON");
        for segment in job["segments"].as_array_mut().expect("segments are an array") {
            let recipients = segment["recipients"].as_array_mut().expect("recipients are an array");
            let listed = self.listed(recipients).await;
            let mut listed = listed.iter();
            recipients.retain(|_| !listed.next().expect("one answer a recipient"));
        }
        let body = serde_json::to_vec(&job).expect("it was JSON");
        let key = delivery.routing_key.clone();
        let options = BasicPublishOptions::default();
        let channel = self.publishing.lock().await;
        let publishing =
            channel.basic_publish("suppressd.filtered".into(), key, options, &body, delivery.properties);
        let confirm = publishing.await.expect("RabbitMQ takes the output");
        drop(channel);
        let confirmed = confirm.await.expect("RabbitMQ answers");
        assert!(matches!(confirmed, Confirmation::Ack(_)), "the output is confirmed");
        delivery.acker.ack(BasicAckOptions::default()).await.expect("the job is acknowledged");
    }

    /// For each recipient, whether one of its identifiers is on the list.
    async fn listed(&self, recipients: &[Value]) -> Vec<bool> {
        let mut listed = vec![false; recipients.len()];
        let (mut pipeline, mut asked) = (redis::pipe(), Vec::new());
        for (kind, set) in KINDS.into_iter().zip(&self.sets) {
            let forms = recipients.iter().enumerate();
            let forms =
                forms.filter_map(|(n, recipient)| Some((n, canonical(kind, recipient[kind].as_str()?))));
            let (places, forms): (Vec<usize>, Vec<String>) = forms.unzip();
            if !forms.is_empty() {
                pipeline.cmd("SMISMEMBER").arg(set).arg(forms);
                asked.push(places);
            }
        }
        if asked.is_empty() {
            return listed;
        }
        let answers: Vec<Vec<bool>> =
            pipeline.query_async(&mut self.redis.clone()).await.expect("Redis answers");
        for (places, answers) in asked.into_iter().zip(answers) {
            for (place, answer) in places.into_iter().zip(answers) {
                listed[place] |= answer;
            }
        }
        listed
    }
}

/// Enough for well-formed identifiers.
fn canonical(kind: &str, text: &str) -> String {
    match kind {
        "email" => text.trim().to_lowercase(),
        "phone" => {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            match digits.strip_prefix('8') {
                Some(rest) if rest.len() == 10 => format!("+7{rest}"),
                _ => format!("+{digits}"),
            }
        }
        _ => text.trim().to_owned(),
    }
}
