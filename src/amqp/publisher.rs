//! Publishing with confirms, right by construction: a channel carries one message at a time.
//!
//! lapin hands confirms and returned messages to the wrong publish when several share a channel. Here a
//! publish takes a channel for itself, and gives it back only after a clear answer; after anything else
//! (an error, a time-out, a cancelled caller) the channel is closed and never used again. What the broker
//! does not take is thrown away with the connection rather than sent later: it was filtered at a revision
//! that is old by then.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation};
use tokio::sync::{Semaphore, SemaphorePermit, oneshot, watch};
use tokio::time::{Instant, interval, timeout, timeout_at};

use super::connection::{Sign, Wire, answered};
use super::endpoint::Endpoint;
use super::fault::{self, Fault};
use super::names::Names;
use super::state::LaneCell;
use super::supervisor::Session;
use super::{convert, topology};
use crate::fail_points::{FailPoint, die_at};
use crate::service::message::Outgoing;
use crate::service::ports::{BrokerFault, Delivered};

/// How long the broker may block publishers before what it has not read is withdrawn.
const BLOCKED_GRACE: Duration = Duration::from_secs(3);
/// A body that is being written gets a second more for each so many bytes.
const SLOWEST_BYTES_PER_SECOND: usize = 1 << 20;

/// A connection that publishes, with its channels.
pub(super) struct Publisher {
    wire: Wire,
    names: Arc<Names>,
    state: LaneCell,
    idle: Mutex<Vec<Channel>>,
    places: Semaphore,
    places_max: usize,
    blocked: watch::Sender<Option<Instant>>,
    /// A publish was given up: lapin may still hold a part of it.
    abandoned: AtomicBool,
    condemned: Mutex<Option<oneshot::Sender<Fault>>>,
    sentence: tokio::sync::Mutex<oneshot::Receiver<Fault>>,
}

/// How long a publish may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until the message is handed to the broker.
    pub(super) hand_over_by: Instant,
    /// From then on until the broker answers.
    pub(super) confirm_timeout: Duration,
}

impl Publisher {
    /// Opens the connection. Channels are opened when they are first needed.
    pub(super) async fn open(
        endpoint: &Endpoint,
        connection_name: &str,
        names: Arc<Names>,
        places_max: usize,
        state: LaneCell,
    ) -> Result<Arc<Self>, Fault> {
        let wire = Wire::open(endpoint, connection_name).await?;
        let (condemn, sentence) = oneshot::channel();
        Ok(Arc::new(Self {
            wire,
            names,
            state,
            idle: Mutex::default(),
            places: Semaphore::new(places_max),
            places_max,
            blocked: watch::Sender::new(None),
            abandoned: AtomicBool::new(false),
            condemned: Mutex::new(Some(condemn)),
            sentence: tokio::sync::Mutex::new(sentence),
        }))
    }

    /// Publishes one message and waits for the broker's answer.
    pub(super) async fn publish(
        &self,
        message: &Outgoing,
        patience: Patience,
    ) -> Result<Delivered, BrokerFault> {
        let lease = timeout_at(patience.hand_over_by, self.lease())
            .await
            .map_err(|_| BrokerFault::new("no free channel to publish on, or publishing is blocked"))??;
        let answer = self.hand_over(lease.channel(), message, patience).await?;
        if message.exchange == self.names.filtered {
            die_at(FailPoint::DieBeforeConfirm);
        }
        let answer = timeout(patience.confirm_timeout, answer)
            .await
            .map_err(|_| BrokerFault::new(format!("publishing {}: no confirm in time", place(message))))?;
        let delivered = match answer {
            Ok(Confirmation::Ack(None)) => Delivered::Confirmed,
            Ok(Confirmation::Ack(Some(_))) => Delivered::Returned,
            Ok(Confirmation::Nack(_) | Confirmation::NotRequested) => {
                return Err(BrokerFault::new(format!("publishing {}: not confirmed", place(message))));
            }
            Err(error) if fault::is_too_large(&error) => return Ok(Delivered::TooLarge),
            Err(error) => return Err(self.explain(message, &error).await),
        };
        lease.give_back();
        if delivered == Delivered::Returned
            && self.names.must_have_a_queue(&message.exchange, &message.routing_key)
        {
            return Err(self.redeclare(message).await);
        }
        self.state.blocked(None);
        Ok(delivered)
    }

    /// Writes the message. A message that is not written in time is withdrawn with the whole connection.
    async fn hand_over(
        &self,
        channel: &Channel,
        message: &Outgoing,
        patience: Patience,
    ) -> Result<lapin::PublisherConfirm, BrokerFault> {
        let written = channel.basic_publish(
            convert::short("an exchange's name", &message.exchange)?,
            convert::short("a routing key", &message.routing_key)?,
            BasicPublishOptions { mandatory: self.names.must_be_routed(&message.exchange), immediate: false },
            &message.body,
            convert::to_lapin(&message.properties)?,
        );
        let for_size = Duration::from_secs((message.body.len() / SLOWEST_BYTES_PER_SECOND) as u64);
        match timeout_at(patience.hand_over_by + for_size, written).await {
            Ok(Ok(confirm)) => Ok(confirm),
            Ok(Err(error)) => Err(self.explain(message, &error).await),
            Err(_) => {
                self.condemn(Fault::Lost("the broker took a message too slowly".into()));
                Err(BrokerFault::new(format!("publishing {}: not taken in time", place(message))))
            }
        }
    }

    /// A channel to publish one message on, once the broker takes messages.
    async fn lease(&self) -> Result<Lease<'_>, BrokerFault> {
        // The sender is ours: it cannot be gone.
        let _ = self.blocked.subscribe().wait_for(Option::is_none).await;
        let place = self.places.acquire().await.map_err(|_| BrokerFault::new("the session ended"))?;
        let channel = match self.take_idle() {
            Some(channel) => channel,
            None => self.new_channel().await.map_err(|error| {
                BrokerFault::new(format!("opening a channel to publish on: {}", fault::words(&error)))
            })?,
        };
        Ok(Lease { publisher: self, channel: Some(channel), _place: place })
    }

    fn take_idle(&self) -> Option<Channel> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(channel) = idle.pop() {
            if channel.status().connected() {
                return Some(channel);
            }
        }
        None
    }

    async fn new_channel(&self) -> lapin::Result<Channel> {
        let channel = self.wire.channel().await?;
        answered(channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(channel)
    }

    /// What an error of a publish means; a missing exchange is declared again for the next try.
    async fn explain(&self, message: &Outgoing, error: &lapin::Error) -> BrokerFault {
        if fault::is_missing(error) {
            return self.redeclare(message).await;
        }
        BrokerFault::new(format!("publishing {}: {}", place(message), fault::code(error)))
    }

    async fn redeclare(&self, message: &Outgoing) -> BrokerFault {
        let place = place(message);
        match topology::declare(&self.wire, &self.names).await {
            Ok(()) => BrokerFault::new(format!("publishing {place}: it was gone and is declared again")),
            Err(fault) => BrokerFault::new(format!("publishing {place}: it is gone: {fault}")),
        }
    }

    /// Ends the session for this reason.
    fn condemn(&self, fault: Fault) {
        let condemn = self.condemned.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(condemn) = condemn {
            // Nobody waits for it: then the session is at its end already.
            let _ = condemn.send(fault);
        }
    }

    /// Waits until the broker has blocked us for too long while something of ours is not written.
    async fn stuck(&self) -> Fault {
        let mut ticks = interval(Duration::from_millis(500));
        loop {
            ticks.tick().await;
            let since = *self.blocked.borrow();
            let under_way =
                self.places.available_permits() < self.places_max || self.abandoned.load(Ordering::Relaxed);
            if since.is_some_and(|since| since.elapsed() > BLOCKED_GRACE) && under_way {
                return Fault::Lost("the broker takes no messages; what it did not take is withdrawn".into());
            }
        }
    }

    fn note(&self, sign: Sign) {
        match sign {
            Sign::Blocked(why) => {
                self.blocked.send_replace(Some(Instant::now()));
                self.state.blocked(Some(why));
            }
            Sign::Unblocked => {
                self.blocked.send_replace(None);
                self.state.blocked(None);
            }
        }
    }
}

impl Session for Publisher {
    async fn ended(&self) -> Fault {
        let mut sentence = self.sentence.lock().await;
        tokio::select! {
            fault = self.wire.attend(|sign| self.note(sign)) => fault,
            fault = self.stuck() => fault,
            Ok(fault) = &mut *sentence => fault,
        }
    }

    async fn close(&self) {
        self.places.close();
        let idle = self.places_max == self.places.available_permits();
        if idle && !self.abandoned.load(Ordering::Relaxed) {
            self.wire.close().await;
        } else {
            self.wire.cut();
        }
    }
}

/// A channel that carries one message. Dropped with it, unless given back.
struct Lease<'a> {
    publisher: &'a Publisher,
    channel: Option<Channel>,
    _place: SemaphorePermit<'a>,
}

impl Lease<'_> {
    fn channel(&self) -> &Channel {
        self.channel.as_ref().expect("only `give_back` takes the channel, and it takes the lease too")
    }

    fn give_back(mut self) {
        let mut idle = self.publisher.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.channel.take());
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.channel.is_some() {
            self.publisher.abandoned.store(true, Ordering::Relaxed);
        }
    }
}

/// Where a message was to go. The routing key may be anybody's: it is not repeated.
fn place(message: &Outgoing) -> String {
    if message.exchange.is_empty() {
        "to a queue".into()
    } else {
        format!("to exchange {}", message.exchange)
    }
}
