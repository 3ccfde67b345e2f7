//! Takes one input's messages for the length of one session, as its wanted state says.
//!
//! What was delivered and not settled goes back when the channel closes, and only then; so pausing closes
//! it. A consumer that the broker cancels (its queue was deleted) is a fault of the queue, not of the
//! session: the objects are declared again and the queue is consumed again.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::connection::{ANSWER_TIMEOUT, answered};
use super::convert;
use super::fault;
use super::intake::{Intake, Tap};
use super::pace::Pace;
use super::state::{Consumption, LaneCell};
use crate::service::envelope;
use crate::service::ports::{Acker, Incoming, Input};

/// Between losing a queue and looking for it again.
const QUEUE_PAUSE: Duration = Duration::from_millis(500);

/// What the program wants of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Nothing; what is unsettled goes back.
    Paused,
    /// Its messages.
    Running,
    /// No more messages; what is out may still be settled.
    Halted,
}

/// One input over all sessions.
pub(super) struct Inlet {
    pub(super) input: Input,
    /// Our own user, whose word for who published a message is taken.
    pub(super) own_user: String,
    pub(super) prefetch: u16,
    pub(super) wanted: watch::Sender<Wanted>,
    pub(super) out: mpsc::Sender<Incoming>,
}

/// Why a consumer stopped.
enum Stopped {
    Paused,
    Halted,
    Lost(String),
}

impl Inlet {
    /// Serves this input until the session is gone.
    pub(super) async fn serve(&self, session: Arc<Intake>, state: &LaneCell) {
        session.gone().run_until_cancelled(self.keep_taking(&session, state)).await;
        state.consumption(self.without_consumer());
    }

    async fn keep_taking(&self, session: &Intake, state: &LaneCell) {
        let mut wanted = self.wanted.subscribe();
        let mut pace = session.pace.subscribe();
        loop {
            state.consumption(self.without_consumer());
            // The senders are `self` and the session: they cannot be gone.
            let _ = wanted.wait_for(|wanted| *wanted == Wanted::Running).await;
            state.consumption(Consumption::Pending);
            match self.take(session, &mut wanted, &mut pace, state).await {
                Stopped::Paused => {}
                Stopped::Halted => return,
                Stopped::Lost(why) => {
                    tracing::warn!(
                        queue = session.names().queue(self.input),
                        why,
                        "lost a queue; looking for it"
                    );
                    state.consumption(Consumption::Pending);
                    sleep(QUEUE_PAUSE).await;
                    session.redeclare().await;
                }
            }
        }
    }

    fn without_consumer(&self) -> Consumption {
        match *self.wanted.borrow() {
            Wanted::Running => Consumption::Pending,
            Wanted::Paused | Wanted::Halted => Consumption::Off,
        }
    }

    async fn take(
        &self,
        session: &Intake,
        wanted: &mut watch::Receiver<Wanted>,
        pace: &mut watch::Receiver<Pace>,
        state: &LaneCell,
    ) -> Stopped {
        let opened = *pace.borrow_and_update();
        let mut tap = match self.open(session, opened).await {
            Ok(tap) => tap,
            Err(error) => return Stopped::Lost(fault::words(&error)),
        };
        state.consumption(Consumption::Registered);
        loop {
            tokio::select! {
                wanted = changed(wanted) => match wanted {
                    Wanted::Running => {}
                    Wanted::Paused => {
                        // A close that fails or hangs leaves the session to the heartbeat.
                        let _ = answered(tap.channel.close(200, "paused".into())).await;
                        return Stopped::Paused;
                    }
                    Wanted::Halted => return self.halt(session, tap, state).await,
                },
                pace = changed(pace) => if let Err(error) = self.widen(session, &mut tap, pace).await {
                    return Stopped::Lost(fault::words(&error));
                },
                next = self.pass_on(&mut tap) => if let Err(stopped) = next {
                    // It may be closed already.
                    let _ = answered(tap.channel.close(200, "lost".into())).await;
                    return stopped;
                },
            }
        }
    }

    async fn open(&self, session: &Intake, pace: Pace) -> lapin::Result<Tap> {
        let channel = session.bounded_channel(self.prefetch_at(pace)).await?;
        let consumer = self.consume(session, &channel).await?;
        Ok(Tap { channel, consumer })
    }

    async fn consume(&self, session: &Intake, channel: &Channel) -> lapin::Result<Consumer> {
        // Queue names fit: a prefix has at most 200 bytes.
        let queue = session.names().queue(self.input).into();
        let options = BasicConsumeOptions::default();
        answered(channel.basic_consume(queue, "".into(), options, FieldTable::default())).await
    }

    /// Takes more from now on, on the same channel, so that nothing goes back that is being worked on.
    async fn widen(&self, session: &Intake, tap: &mut Tap, pace: Pace) -> lapin::Result<()> {
        let cancel = tap.channel.basic_cancel(tap.consumer.tag(), BasicCancelOptions::default());
        answered(cancel).await?;
        // What had been sent by then still comes, and then the end.
        while self.pass_on(tap).await.is_ok() {}
        let qos = tap.channel.basic_qos(self.prefetch_at(pace), BasicQosOptions::default());
        answered(qos).await?;
        tap.consumer = self.consume(session, &tap.channel).await?;
        Ok(())
    }

    fn prefetch_at(&self, pace: Pace) -> u16 {
        match pace {
            Pace::Full => self.prefetch,
            Pace::Single => 1,
        }
    }

    /// Passes one delivery on. Cancelled, it has not taken one yet.
    async fn pass_on(&self, tap: &mut Tap) -> Result<(), Stopped> {
        let place = self.out.reserve().await.map_err(|_| Stopped::Halted)?;
        match tap.consumer.next().await {
            Some(Ok(delivery)) => {
                let mut incoming = incoming(self.input, delivery);
                envelope::readmit(&mut incoming.properties, &self.own_user);
                place.send(incoming);
                Ok(())
            }
            Some(Err(error)) => Err(Stopped::Lost(fault::words(&error))),
            None => Err(Stopped::Lost("RabbitMQ cancelled the consumer".into())),
        }
    }

    /// Takes no more, and keeps the channel for what is still to be settled.
    async fn halt(&self, session: &Intake, tap: Tap, state: &LaneCell) -> Stopped {
        let cancel = tap.channel.basic_cancel(tap.consumer.tag(), BasicCancelOptions::default());
        // If it is not answered, deliveries may still come; nobody passes them on.
        let _ = answered(cancel).await;
        state.consumption(Consumption::Off);
        session.gone().cancelled().await;
        Stopped::Halted
    }
}

async fn changed<T: Copy>(watched: &mut watch::Receiver<T>) -> T {
    // The senders are the inlet and the session, which live as long as the consumer.
    let _ = watched.changed().await;
    *watched.borrow_and_update()
}

/// A delivery as the use cases see it.
pub(super) fn incoming(input: Input, delivery: Delivery) -> Incoming {
    let counted = convert::count(&delivery.properties, "x-delivery-count");
    Incoming {
        input,
        exchange: delivery.exchange.into(),
        routing_key: delivery.routing_key.into(),
        properties: convert::from_lapin(&delivery.properties),
        body: delivery.data,
        redelivered: delivery.redelivered,
        // RabbitMQ writes the header from the second delivery on; on a first one it is the publisher's.
        delivery_count: counted.filter(|_| delivery.redelivered).unwrap_or(0),
        acker: Box::new(SessionAcker(delivery.acker)),
    }
}

/// Settles over the session that delivered, and no other.
pub(super) struct SessionAcker(pub(super) lapin::Acker);

#[async_trait]
impl Acker for SessionAcker {
    async fn ack(self: Box<Self>) -> bool {
        let acked = timeout(ANSWER_TIMEOUT, self.0.ack(BasicAckOptions::default())).await;
        matches!(acked, Ok(Ok(true)))
    }

    fn alive(&self) -> bool {
        self.0.usable()
    }
}
