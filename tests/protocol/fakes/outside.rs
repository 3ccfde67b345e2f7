//! The smaller ports: the clock, the broker's answers to what is published, acknowledgements, suspicions.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use suppressd::service::clock::Clock;
use suppressd::service::message::Outgoing;
use suppressd::service::ports::{Acker, BrokerFault, Delivered, ListFault, Outbox, Suspects};
use tokio::sync::watch;
use tokio::time::Instant;

use super::steps::{Call, Step, Steps};

/// A clock that follows the test's paused one.
#[derive(Clone, Copy)]
pub(crate) struct WorldClock {
    began: Instant,
    ahead_ms: i64,
}

impl WorldClock {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), ahead_ms: 0 }
    }

    /// The same clock, put forward.
    pub(crate) fn ahead(self, ahead_ms: i64) -> Self {
        Self { ahead_ms: self.ahead_ms + ahead_ms, ..self }
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.began.elapsed().as_millis()).unwrap();
        Timestamp::from_millisecond(1_795_000_000_000 + passed + self.ahead_ms).unwrap()
    }
}

/// Everything that was published and confirmed, by all workers.
#[derive(Clone, Default)]
pub(crate) struct Mail(Arc<watch::Sender<Vec<Outgoing>>>);

impl Mail {
    pub(crate) fn all(&self) -> Vec<Outgoing> {
        self.0.borrow().clone()
    }

    /// Waits for the first message that is what is looked for.
    pub(crate) async fn first<T>(&self, look: impl Fn(&Outgoing) -> Option<T>) -> T {
        let mut mail = self.0.subscribe();
        let found = mail.wait_for(|sent| sent.iter().any(|message| look(message).is_some())).await.unwrap();
        found.iter().find_map(look).expect("it was just there")
    }
}

/// One worker's way to send.
pub(crate) struct Sender {
    pub mail: Mail,
    pub steps: Steps,
}

#[async_trait]
impl Outbox for Sender {
    async fn publish(&self, message: &Outgoing) -> Result<Delivered, BrokerFault> {
        if !self.steps.at(Step::Before(Call::Publish)).await {
            return Err(BrokerFault::new("blocked"));
        }
        self.mail.0.send_modify(|sent| sent.push(message.clone()));
        if !self.steps.at(Step::After(Call::Publish)).await {
            return Err(BrokerFault::new("no confirm in time"));
        }
        Ok(Delivered::Confirmed)
    }
}

/// What is to happen when a delivery is acknowledged.
pub(crate) struct OnAck(pub Mutex<Option<Box<dyn FnOnce() + Send>>>);

#[async_trait]
impl Acker for OnAck {
    async fn ack(self: Box<Self>) -> bool {
        if let Some(on_ack) = self.0.lock().unwrap().take() {
            on_ack();
        }
        true
    }
}

/// Nobody is suspicious.
pub(crate) struct NoSuspects;

#[async_trait]
impl Suspects for NoSuspects {
    async fn begin(&self, _: [u8; 16]) -> Result<u64, ListFault> {
        Ok(1)
    }

    async fn survived(&self, _: [u8; 16]) -> Result<(), ListFault> {
        Ok(())
    }
}

/// Lets the paused clock run, and all workers with it.
pub(crate) async fn let_pass(time: Duration) {
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}
