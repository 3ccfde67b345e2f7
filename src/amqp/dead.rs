//! The dead queue, for whoever looks at it: messages are taken one by one, and put back by closing the channel.
//!
//! They are asked for and not consumed: a body may be large, and a consumer that may not acknowledge would be sent
//! all of them at once. Only those are taken that lay there at the beginning, so that a message which dies again
//! is not met twice in one pass. Deliberately absent: a new session. Whoever was looking begins again.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lapin::Channel;
use lapin::message::BasicGetMessage;
use lapin::options::{BasicGetOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use tokio::sync::watch;
use tokio::time::timeout;

use super::broker::Broker;
use super::connection::answered;
use super::consumer::SessionAcker;
use super::convert;
use super::fault;
use super::intake::Intake;
use super::state::BrokerState;
use crate::service::ports::{BrokerFault, Buried, DeadFault, DeadQueue, Input};

/// How long the end of a session may take to be told.
const END_TOLD: Duration = Duration::from_secs(3);

/// The dead queue in our hands.
pub struct DeadLetters {
    channel: Channel,
    queue: String,
    of: u64,
    taken: u64,
    state: watch::Receiver<BrokerState>,
    unreadable_before: u64,
    session: Arc<Intake>,
}

impl Broker {
    /// Opens the dead queue.
    pub async fn dead_letters(&self) -> Result<DeadLetters, BrokerFault> {
        let session = self.intake(Input::Jobs).await?;
        let queue = self.names().dead.clone();
        let state = self.state();
        let unreadable_before = state.borrow().unreadable_total;
        let (channel, of) = open(&session, &queue).await.map_err(|error| explain(&error))?;
        Ok(DeadLetters { channel, queue, of, taken: 0, state, unreadable_before, session })
    }
}

async fn open(session: &Intake, queue: &str) -> lapin::Result<(Channel, u64)> {
    let channel = session.channel().await?;
    let passive = QueueDeclareOptions { passive: true, durable: true, ..Default::default() };
    let declared = answered(channel.queue_declare(queue.into(), passive, FieldTable::default())).await?;
    Ok((channel, u64::from(declared.message_count())))
}

impl DeadLetters {
    /// Lets go: what was not acknowledged goes back. An error only means that the session's end does it.
    pub async fn close(self) {
        if let Err(error) = answered(self.channel.close(200, "looked".into())).await {
            tracing::debug!(why = fault::words(&error), "the dead queue was left in a hurry");
        }
    }

    async fn get(&mut self) -> Result<Option<BasicGetMessage>, DeadFault> {
        let queue = self.queue.as_str().into();
        match answered(self.channel.basic_get(queue, BasicGetOptions::default())).await {
            Ok(got) => Ok(got),
            Err(error) => Err(self.told_apart(&error).await),
        }
    }

    /// A message that nobody can read ends the session, and the session says so a moment later.
    async fn told_apart(&mut self, error: &lapin::Error) -> DeadFault {
        let before = self.unreadable_before;
        let unreadable = self.state.wait_for(|state| state.unreadable_total > before);
        match timeout(END_TOLD, unreadable).await {
            Ok(Ok(_)) => DeadFault::Unreadable,
            _ => explain(error).into(),
        }
    }
}

#[async_trait]
impl DeadQueue for DeadLetters {
    fn count(&self) -> u64 {
        self.of
    }

    async fn next(&mut self) -> Result<Option<Buried>, DeadFault> {
        if self.taken >= self.of {
            return Ok(None);
        }
        // Nothing but what is asked for comes over this session.
        let before = self.session.made_legible();
        let Some(BasicGetMessage { delivery, .. }) = self.get().await? else { return Ok(None) };
        self.taken += 1;
        Ok(Some(Buried {
            as_published: self.session.made_legible() == before,
            routing_key: delivery.routing_key.into(),
            properties: convert::from_lapin(&delivery.properties),
            body: delivery.data,
            acker: Box::new(SessionAcker(delivery.acker)),
        }))
    }

    /// A quorum queue answers for a message when it has done what it was told before.
    async fn settled(&mut self) -> Result<(), DeadFault> {
        match self.get().await {
            // What was got goes back with the channel. What cannot be read was delivered, too.
            Ok(_) | Err(DeadFault::Unreadable) => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}

fn explain(error: &lapin::Error) -> BrokerFault {
    BrokerFault::new(format!("looking at the dead queue: {}", fault::words(error)))
}
