//! A stage on which a worker plays already: what most topics begin with.
//!
//! Everybody is connected, every queue that a test may look at has its consumer. [`Scene::end`] asks more
//! of the worker than any single test: it finishes by itself, with nothing left behind, and nothing that a
//! message said about a person is in a log, a metric, a page or on Redis's disk.

use lapin::BasicProperties;
use serde_json::{Value, json};

use crate::support::{Client, Inbox, Message, SOON, Sent, Stage, Worker, eventually};

/// What the messages of the tests say about people, in the spellings that a log might repeat.
pub(crate) const CANARIES: &[&str] = &[
    "77771113111",
    "7771113111",
    "777 111",
    "777) 111",
    "aigerim@",
    "aigerim.s",
    "Айгерім",
    "U-canary",
    "op-canary",
];

/// A stage with a ready worker.
pub(crate) struct Scene {
    /// The servers.
    pub(crate) stage: Stage,
    /// The worker.
    pub(crate) worker: Worker,
    /// May do everything.
    pub(crate) guest: Client,
    /// Speaks for `call_center`.
    pub(crate) callcenter: Client,
    /// Publishes jobs.
    pub(crate) marketing: Client,
    /// Every receipt.
    pub(crate) receipts: Inbox,
    /// Every filtered job.
    pub(crate) out: Inbox,
    /// Every `report.job`.
    pub(crate) reports: Inbox,
    /// Every alarm.
    pub(crate) alarms: Inbox,
    /// The dead queue.
    pub(crate) dead: Inbox,
}

impl Scene {
    /// An ordinary stage.
    pub(crate) async fn new() -> Self {
        Self::on(Stage::new()).await
    }

    /// With these settings on top.
    pub(crate) async fn with(settings: &str) -> Self {
        let mut stage = Stage::new();
        stage.configure(settings);
        Self::on(stage).await
    }

    /// On a stage that was prepared, but not initialised.
    pub(crate) async fn on(stage: Stage) -> Self {
        stage.init();
        let worker = stage.start("w1");
        worker.wait_ready().await;
        let guest = stage.connect("guest").await;
        Self {
            receipts: guest.inbox("test.receipts", &[("suppressd.events", "receipt.#")]).await,
            out: guest.inbox("test.out", &[("suppressd.filtered", "#")]).await,
            reports: guest.inbox("test.reports", &[("suppressd.events", "report.job")]).await,
            alarms: guest.inbox("test.alarms", &[("suppressd.events", "alarm.#")]).await,
            dead: guest.consume("suppressd.dead").await,
            callcenter: stage.connect("callcenter").await,
            marketing: stage.connect("marketing").await,
            guest,
            stage,
            worker,
        }
    }

    /// Sends an event of the call centre; the receipt.
    pub(crate) async fn event(&mut self, event: Value) -> Value {
        self.send_event(&event).await;
        self.receipts.next().await.json()
    }

    /// Sends an event of the call centre.
    pub(crate) async fn send_event(&self, event: &Value) {
        let by = BasicProperties::default().with_user_id("callcenter".into());
        let body = event.to_string();
        self.callcenter.publish_with("suppressd.opt-outs", "call_center", by, body.as_bytes()).await;
    }

    /// Sends an event that must be applied; the list's revision after it.
    pub(crate) async fn apply(&mut self, event: Value) -> u64 {
        let receipt = self.event(event).await;
        assert_eq!(receipt["status"], "applied", "{receipt}");
        receipt["revision"].as_u64().expect("what is applied has a revision")
    }

    /// Sends a job; the filtered one.
    pub(crate) async fn filter(&mut self, job: &Value) -> Message {
        let key = format!("{}.KZ-79", job["channel"].as_str().expect("a job has a channel"));
        assert_eq!(self.marketing.publish("suppressd.jobs", &key, job).await, Sent::Confirmed);
        self.out.next().await
    }

    /// Sends a job of one segment; the `user_id`s of whoever is kept, and what was removed.
    pub(crate) async fn kept(&mut self, channel: &str, recipients: Value) -> (Vec<String>, Value) {
        self.kept_of(&job("any", channel, recipients)).await
    }

    /// Sends a job; the `user_id`s of whoever is kept in its first segment, and what was removed.
    pub(crate) async fn kept_of(&mut self, job: &Value) -> (Vec<String>, Value) {
        let body = self.filter(job).await.json();
        let kept = body["segments"][0]["recipients"].as_array().expect("recipients stay an array");
        let names = kept.iter().map(|kept| kept["user_id"].as_str().unwrap_or("?").to_owned());
        (names.collect(), body["suppression"]["segments"][0]["removed"].clone())
    }

    /// Waits until a sum of the metrics is this: they are counted behind the message that they tell of.
    pub(crate) async fn expect_metric(&self, name: &str, labels: &[(&str, &str)], expected: u32) {
        let what = format!("{name}{labels:?} is {expected}");
        let look = async || (self.metric(name, labels) - f64::from(expected)).abs().lt(&0.1).then_some(());
        eventually(&what, SOON, look).await;
    }

    /// A sum of the metrics.
    pub(crate) fn metric(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.worker.metrics().sum(name, labels)
    }

    /// Stops everything and looks for what must not be anywhere.
    pub(crate) async fn end(self) {
        for page in ["/metrics", "/ready", "/live", "/"] {
            let body = self.worker.get(page).expect("the admin server answers").body;
            let found = CANARIES.iter().find(|canary| body.contains(*canary));
            assert_eq!(found, None, "{page} tells of a person");
        }
        self.worker.sigterm();
        assert_eq!(self.worker.exit_code().await, Some(0), "{}", self.worker.output());
        for queue in ["suppressd.jobs", "suppressd.opt-outs", "suppressd.dead", "suppressd.waiting"] {
            assert_eq!(self.guest.count(queue).await, Some(0), "{queue}");
        }
        self.stage.redis.run("SAVE").await;
        let found = self.stage.files_with(CANARIES);
        assert!(found.is_empty(), "these files tell of a person: {found:?}");
    }
}

/// A job of one segment in Shymkent for `lulla.kz`.
pub(crate) fn job(id: &str, channel: &str, recipients: Value) -> Value {
    json!({
        "job_id": id, "campaign_id": "nauryz-2027", "channel": channel, "brand": "lulla.kz",
        "segments": [{"region": "KZ-79", "recipients": recipients}]
    })
}

/// An event of the call centre, of this kind, some days of November 2026 ago.
pub(crate) fn event(id: &str, kind: &str, subject: Value) -> Value {
    json!({
        "event_id": id, "source": "call_center", "kind": kind,
        "occurred_at": "2026-11-01T10:00:00+05:00", "subject": subject, "agent": "op-canary"
    })
}

/// The same with members put in or replaced.
pub(crate) fn but(mut value: Value, members: Value) -> Value {
    let (Value::Object(into), Value::Object(members)) = (&mut value, members) else {
        panic!("both are objects");
    };
    into.extend(members);
    value
}
