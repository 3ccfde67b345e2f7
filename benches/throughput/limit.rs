//! The limit: consume → publish with confirm → acknowledge over the worker's own adapter with its own settings,
//! looking at nothing. Nothing that filters can be faster on this broker.

use std::process::ExitCode;
use std::time::Duration;

use suppressd::amqp::{Broker, BrokerSettings, Endpoint, Names};
use suppressd::service::message::Outgoing;
use suppressd::service::ports::{Input, Outbox};
use tokio::task::JoinSet;

/// Until RabbitMQ is reached.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Moves jobs until it is killed.
pub(crate) async fn run(amqp: &str) -> ExitCode {
    let endpoint = Endpoint::parse(amqp).expect("the benchmark passes an address");
    let settings = BrokerSettings::new(endpoint, Names::new("suppressd").expect("a prefix"));
    let (broker, mut inputs) = Broker::start(settings);
    broker.connected(CONNECT_TIMEOUT).await.expect("RabbitMQ is there");
    broker.resume(Input::Jobs);
    let mut moves = JoinSet::new();
    while let Some(incoming) = inputs.jobs.next().await {
        let broker = broker.clone();
        moves.spawn(async move {
            let out = Outgoing {
                exchange: "suppressd.filtered".into(),
                routing_key: incoming.routing_key,
                properties: incoming.properties,
                body: incoming.body,
            };
            broker.publish(&out).await.expect("RabbitMQ takes it");
            incoming.acker.ack().await;
        });
        while moves.try_join_next().is_some() {}
    }
    ExitCode::FAILURE
}
