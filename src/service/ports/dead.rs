//! The port of the dead queue, for whoever looks at dead letters and moves them.

use async_trait::async_trait;

use super::{Acker, BrokerFault};
use crate::service::message::Properties;

/// The dead queue in somebody's hands. What was taken and is not acknowledged goes back when they let go.
#[async_trait]
pub trait DeadQueue: Send {
    /// How many lay there when it was opened, without those that somebody else held.
    fn count(&self) -> u64;

    /// Takes the next of those. `None`: there are no more.
    async fn next(&mut self) -> Result<Option<Buried>, DeadFault>;

    /// Waits until RabbitMQ has done what every acknowledgement so far asks for.
    async fn settled(&mut self) -> Result<(), DeadFault>;
}

/// A message of the dead queue.
pub struct Buried {
    /// Whether routing key and properties are as they were published. Else they are not UTF-8, and what cannot be read of
    /// them is replaced.
    pub as_published: bool,
    /// The routing key that it was published with.
    pub routing_key: String,
    /// Its properties.
    pub properties: Properties,
    /// Its body.
    pub body: Vec<u8>,
    /// Takes it out of the queue for good.
    pub acker: Box<dyn Acker>,
}

/// Why the dead queue cannot be read on.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeadFault {
    /// RabbitMQ does not answer.
    #[error(transparent)]
    Broker(#[from] BrokerFault),
    /// The next message ends every connection that it is delivered to.
    #[error(
        "the next message of the dead queue has properties that cannot be read: everything behind it is out of sight \
         until it is taken off with RabbitMQ's own tools, as README.md says under \"Dead letters\""
    )]
    Unreadable,
}
