//! A private queue for the answer to one message: what its `reply_to` names.
//!
//! It hears of dead letters too, because a message that goes to the dead queue may get no answer. It is exclusive
//! to the session and goes with it; an answer that comes later is returned to whoever sends it, and is no harm.

use std::sync::Arc;

use futures_util::StreamExt;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;

use super::broker::Broker;
use super::connection::answered;
use super::convert;
use super::fault;
use super::intake::{Intake, Tap};
use crate::service::message::Properties;
use crate::service::ports::{BrokerFault, Input};

/// Messages that RabbitMQ sends ahead: dead letters may be large.
const READ_AHEAD: u16 = 4;

/// A private queue and its consumer.
pub struct Replies {
    queue: String,
    dead: String,
    tap: Tap,
    /// The connection is open for as long as somebody uses it.
    _session: Arc<Intake>,
}

/// What came.
pub struct Reply {
    /// Whether it is a dead letter, and no answer.
    pub dead: bool,
    /// Its properties.
    pub properties: Properties,
    /// Its body.
    pub body: Vec<u8>,
}

impl Broker {
    /// Opens a private queue. `name` makes its name, which no other session may have.
    pub async fn replies(&self, name: &str) -> Result<Replies, BrokerFault> {
        let session = self.intake(Input::OptOuts).await?;
        // Below the prefix: that is where our user may make queues.
        let queue = format!("{}.{name}", self.names().replies);
        let dead = self.names().dead.clone();
        let tap = open(&session, &queue, &dead).await.map_err(|error| explain(&error))?;
        Ok(Replies { queue, dead, tap, _session: session })
    }
}

async fn open(session: &Intake, queue: &str, dead: &str) -> lapin::Result<Tap> {
    let channel = session.bounded_channel(READ_AHEAD).await?;
    let none = FieldTable::default;
    let private =
        QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    answered(channel.queue_declare(queue.into(), private, none())).await?;
    let bound =
        channel.queue_bind(queue.into(), dead.into(), "#".into(), QueueBindOptions::default(), none());
    answered(bound).await?;
    let options = BasicConsumeOptions { exclusive: true, ..BasicConsumeOptions::default() };
    let consumer = answered(channel.basic_consume(queue.into(), "".into(), options, none())).await?;
    Ok(Tap { channel, consumer })
}

impl Replies {
    /// What `reply_to` must name.
    pub fn queue(&self) -> &str {
        &self.queue
    }

    /// The next answer or dead letter, whosever it is. Waits for as long as there is none. Cancel-safe.
    pub async fn next(&mut self) -> Result<Reply, BrokerFault> {
        match self.tap.consumer.next().await {
            Some(Ok(delivery)) => {
                // It is of use to nobody else: whether this arrives does not matter.
                drop(delivery.acker.ack(BasicAckOptions::default()).await);
                Ok(Reply {
                    dead: delivery.exchange.as_str() == self.dead,
                    properties: convert::from_lapin(&delivery.properties),
                    body: delivery.data,
                })
            }
            Some(Err(error)) => Err(explain(&error)),
            None => Err(BrokerFault::new("waiting for an answer: the session ended")),
        }
    }
}

fn explain(error: &lapin::Error) -> BrokerFault {
    BrokerFault::new(format!("waiting for an answer: {}", fault::words(error)))
}
