//! The smaller ports: the clock, the broker's answers to what is published, the waiting room, acknowledgements,
//! suspicions.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use suppressd::service::clock::Clock;
use suppressd::service::envelope;
use suppressd::service::message::Outgoing;
use suppressd::service::ports::{
    Acker, BrokerFault, Delivered, Incoming, Input, ListFault, Outbox, Suspects, WaitingRoom,
};
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

/// Where filtered jobs go.
pub(crate) const FILTERED: &str = "filtered";

/// The waiting room's queue.
pub(crate) const WAITING: &str = "waiting";

/// Everything that was published and confirmed, by all workers.
#[derive(Clone, Default)]
pub(crate) struct Mail {
    sent: Arc<watch::Sender<Vec<Outgoing>>>,
    /// When each was handed over.
    handed: Arc<Mutex<Vec<Instant>>>,
    waiting: Arc<Mutex<VecDeque<Outgoing>>>,
    /// Nobody is bound to the exchange of filtered jobs.
    unbound: Arc<AtomicBool>,
    /// RabbitMQ takes nothing.
    blocked: Arc<AtomicBool>,
    /// Jobs whose output was old when it was published.
    stale: Arc<Mutex<Vec<String>>>,
}

/// An output is published this soon after its barrier, or filtered afresh: a second until it is handed over, and
/// what the broker may take for that.
const AGE_MAX: SignedDuration = SignedDuration::from_secs(8);

impl Mail {
    pub(crate) fn all(&self) -> Vec<Outgoing> {
        self.sent.borrow().clone()
    }

    /// Everything, with when it was handed over.
    pub(crate) fn handed(&self) -> Vec<(Outgoing, Instant)> {
        self.all().into_iter().zip(self.handed.lock().unwrap().iter().copied()).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.sent.borrow().len()
    }

    /// Whether somebody is bound to the exchange of filtered jobs, from now on.
    pub(crate) fn bind(&self, bound: bool) {
        self.unbound.store(!bound, Ordering::Relaxed);
    }

    /// Whether RabbitMQ takes nothing, from now on.
    pub(crate) fn block(&self, blocked: bool) {
        self.blocked.store(blocked, Ordering::Relaxed);
    }

    pub(crate) fn stale(&self) -> Vec<String> {
        self.stale.lock().unwrap().clone()
    }

    fn note_age(&self, message: &Outgoing, now: Timestamp) {
        if message.exchange != FILTERED {
            return;
        }
        let body: Value = serde_json::from_slice(&message.body).unwrap();
        let filtered_at: Timestamp = body["suppression"]["filtered_at"].as_str().unwrap().parse().unwrap();
        if now.duration_since(filtered_at) > AGE_MAX {
            self.stale.lock().unwrap().push(body["job_id"].to_string());
        }
    }

    /// Takes a message as the broker does. `false`: nobody is bound for it.
    fn take(&self, message: &Outgoing, handed: Instant) -> bool {
        if message.exchange == FILTERED && self.unbound.load(Ordering::Relaxed) {
            return false;
        }
        if message.exchange.is_empty() && message.routing_key == WAITING {
            self.waiting.lock().unwrap().push_back(message.clone());
        }
        self.handed.lock().unwrap().push(handed);
        self.sent.send_modify(|sent| sent.push(message.clone()));
        true
    }

    /// Waits for the first message that is what is looked for.
    pub(crate) async fn first<T>(&self, look: impl Fn(&Outgoing) -> Option<T>) -> T {
        let mut mail = self.sent.subscribe();
        let found = mail.wait_for(|sent| sent.iter().any(|message| look(message).is_some())).await.unwrap();
        found.iter().find_map(look).expect("it was just there")
    }
}

/// One worker's way to send.
pub(crate) struct Sender {
    pub mail: Mail,
    pub steps: Steps,
    pub clock: WorldClock,
}

#[async_trait]
impl Outbox for Sender {
    async fn publish(&self, message: &Outgoing) -> Result<Delivered, BrokerFault> {
        let handed = Instant::now();
        let blocked = self.mail.blocked.load(Ordering::Relaxed);
        if !self.steps.at(Step::Before(Call::Publish)).await || blocked {
            return Err(BrokerFault::new("blocked"));
        }
        self.mail.note_age(message, self.clock.now());
        let routed = self.mail.take(message, handed);
        if !self.steps.at(Step::After(Call::Publish)).await {
            return Err(BrokerFault::new("no confirm in time"));
        }
        Ok(if routed { Delivered::Confirmed } else { Delivered::Returned })
    }
}

/// The waiting room, as one worker sees it: what it took and did not settle goes back when it ends.
pub(crate) struct Room(pub Mail);

#[async_trait]
impl WaitingRoom for Room {
    async fn take(&self) -> Result<Option<Incoming>, BrokerFault> {
        let Some(message) = self.0.waiting.lock().unwrap().pop_front() else { return Ok(None) };
        let (route, properties) = envelope::leave_waiting(message.properties.clone());
        let body = message.body.clone();
        Ok(Some(Incoming {
            input: Input::Jobs,
            exchange: route.exchange,
            routing_key: route.routing_key,
            properties,
            body,
            redelivered: false,
            delivery_count: 0,
            acker: Box::new(Taken { mail: self.0.clone(), message: Some(message) }),
        }))
    }

    async fn count(&self) -> Result<u64, BrokerFault> {
        Ok(self.0.waiting.lock().unwrap().len() as u64)
    }
}

/// A message that was taken out of the waiting room.
struct Taken {
    mail: Mail,
    message: Option<Outgoing>,
}

#[async_trait]
impl Acker for Taken {
    async fn ack(mut self: Box<Self>) -> bool {
        self.message = None;
        true
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.mail.waiting.lock().unwrap().extend(self.message.take());
    }
}

/// What is to happen when a delivery is acknowledged.
pub(crate) struct OnAck {
    pub act: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// Whether the session that delivered it lives.
    pub alive: Arc<AtomicBool>,
}

#[async_trait]
impl Acker for OnAck {
    async fn ack(self: Box<Self>) -> bool {
        let alive = self.alive();
        if let Some(act) = self.act.lock().unwrap().take().filter(|_| alive) {
            act();
        }
        alive
    }

    fn alive(&self) -> bool {
        self.alive.load(Ordering::Relaxed)
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
