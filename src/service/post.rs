//! Sending: every message that leaves, with its exchange, and the patience to get it confirmed.
//!
//! An infrastructure fault is never the message's: it is tried again here, in place, with back-off, for as
//! long as the delivery that caused it is held. Nothing is nacked back and forth.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use super::clock::Clock;
use super::envelope::grave::Home;
use super::envelope::{self, Grounds};
use super::message::{Outgoing, Properties};
use super::ports::{BrokerFault, Delivered, Incoming, Outbox};
use super::traces::Span;
use crate::codec::fault::Fault;
use crate::fail_points::{FailPoint, armed};

/// Between tries of one message, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Where messages go.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// The exchange that senders bind to.
    pub filtered: String,
    /// The exchange of receipts, reports, recalls and alarms.
    pub events: String,
    /// The exchange of what could not be processed.
    pub dead: String,
    /// The queue of jobs whose output nobody is bound to.
    pub waiting: String,
    /// The queue that jobs come from.
    pub jobs: String,
    /// The queue that events come from.
    pub opt_outs: String,
}

impl Addresses {
    /// Which of the queues that messages die in has this name.
    pub fn home(&self, queue: &str) -> Option<Home> {
        Home::ALL.into_iter().find(|home| self.of_home(*home) == queue)
    }

    /// The name of a queue that messages die in.
    pub fn of_home(&self, home: Home) -> &str {
        match home {
            Home::Jobs => &self.jobs,
            Home::OptOuts => &self.opt_outs,
            Home::Waiting => &self.waiting,
        }
    }
}

/// Sends messages. Cheap to clone.
#[derive(Clone)]
pub struct Post {
    outbox: Arc<dyn Outbox>,
    clock: Arc<dyn Clock>,
    addresses: Arc<Addresses>,
}

impl Post {
    /// A post over an outbox.
    pub fn new(outbox: Arc<dyn Outbox>, clock: Arc<dyn Clock>, addresses: Addresses) -> Self {
        Self { outbox, clock, addresses: Arc::new(addresses) }
    }

    /// Where messages go.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Publishes once.
    pub async fn once(&self, message: &Outgoing) -> Result<Delivered, BrokerFault> {
        self.outbox.publish(message).await
    }

    /// Publishes until the broker answers for it.
    pub async fn insist(&self, message: &Outgoing) -> Delivered {
        let mut backoff = backoff();
        loop {
            match self.outbox.publish(message).await {
                Ok(delivered) => return delivered,
                Err(fault) => {
                    tracing::warn!(exchange = message.exchange, %fault, "a message is published again");
                    tokio::time::sleep(backoff.next().unwrap_or(BACKOFF.1)).await;
                }
            }
        }
    }

    /// Tells whoever listens; nobody may.
    pub async fn tell(&self, routing_key: String, body: Vec<u8>) {
        self.tell_of(routing_key, body, &Properties::default(), &Span::none()).await;
    }

    /// Tells of a message that came, in its trace.
    pub async fn tell_of(&self, routing_key: String, body: Vec<u8>, came: &Properties, span: &Span) {
        let mut message = self.telling(routing_key, None, body);
        let publish = span.publish(&message.exchange);
        publish.hand_on(came, &mut message.properties);
        if armed(FailPoint::TellOnce) {
            return drop(self.once(&message).await);
        }
        self.insist(&message).await;
    }

    /// What tells whoever listens, with a name if a copy of it should be known as one.
    pub fn telling(
        &self,
        routing_key: impl Into<String>,
        message_id: Option<String>,
        body: Vec<u8>,
    ) -> Outgoing {
        let exchange = self.addresses.events.clone();
        let properties = Properties { message_id, ..json() };
        Outgoing { exchange, routing_key: routing_key.into(), properties, body }
    }

    /// Tells whoever listens and the one who asked for an answer.
    pub async fn answer(&self, routing_key: String, asked: &Properties, body: Vec<u8>, span: &Span) {
        if let Some(reply_to) = asked.reply_to.as_ref().filter(|queue| !queue.is_empty()) {
            let mut properties = Properties { correlation_id: asked.correlation_id.clone(), ..json() };
            let exchange = String::new();
            let publish = span.publish(&exchange);
            publish.hand_on(asked, &mut properties);
            let reply = Outgoing { exchange, routing_key: reply_to.clone(), properties, body: body.clone() };
            self.insist(&reply).await;
        }
        self.tell_of(routing_key, body, asked, span).await;
    }

    /// Moves a message to the dead queue, confirmed. The caller then acknowledges the original.
    pub async fn bury(&self, incoming: &mut Incoming, queue: &str, fault: &Fault, span: &mut Span) {
        span.fail(fault.reason.as_str());
        let publish = span.publish(&self.addresses.dead);
        let at = self.clock.now().to_string();
        let grounds = Grounds { reason: fault.reason, detail: &fault.detail, queue, at: &at };
        let mut properties = envelope::dead_letter(&incoming.properties, &grounds);
        publish.hand_on_to_a_copy(&incoming.properties, &mut properties);
        let letter = Outgoing {
            exchange: self.addresses.dead.clone(),
            routing_key: incoming.routing_key.clone(),
            properties,
            body: std::mem::take(&mut incoming.body),
        };
        let mut backoff = backoff();
        while self.insist(&letter).await != Delivered::Confirmed {
            tracing::error!(queue, "the dead queue takes no messages; the original is kept");
            tokio::time::sleep(backoff.next().unwrap_or(BACKOFF.1)).await;
        }
        incoming.body = letter.body;
        tracing::warn!(queue, reason = %fault.reason, detail = fault.detail, "a message went to the dead queue");
    }
}

fn backoff() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(BACKOFF.0)
        .with_max_delay(BACKOFF.1)
        .with_jitter()
        .without_max_times()
        .build()
}

fn json() -> Properties {
    Properties {
        content_type: Some("application/json".into()),
        delivery_mode: Some(2),
        ..Properties::default()
    }
}
