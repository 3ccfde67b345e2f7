//! How many messages wait in our queues, for whoever watches.
//!
//! Each look has a channel of its own, because RabbitMQ closes the channel that asks for a queue which is gone.
//! Deliberately absent: declaring that queue again, which whoever uses it does.

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;

use super::broker::Broker;
use super::connection::answered;
use super::fault;
use super::intake::Intake;
use super::names::Names;
use crate::metrics::Queue;
use crate::service::ports::{BrokerFault, Input};

impl Broker {
    /// How many messages wait in a queue, without those that a worker or a command has in hand.
    pub async fn depth(&self, queue: Queue) -> Result<u64, BrokerFault> {
        // Beside the events, which are small: a look never waits behind megabytes.
        let session = self.intake(Input::OptOuts).await?;
        let counted = count(&session, name(self.names(), queue)).await;
        counted.map_err(|error| BrokerFault::new(format!("counting messages: {}", fault::words(&error))))
    }
}

async fn count(session: &Intake, queue: &str) -> lapin::Result<u64> {
    let channel = session.channel().await?;
    let passive = QueueDeclareOptions { passive: true, durable: true, ..Default::default() };
    let declared = answered(channel.queue_declare(queue.into(), passive, FieldTable::default())).await?;
    answered(channel.close(200, "counted".into())).await?;
    Ok(u64::from(declared.message_count()))
}

fn name(names: &Names, queue: Queue) -> &str {
    match queue {
        Queue::Jobs => &names.jobs,
        Queue::OptOuts => &names.opt_outs,
        Queue::Waiting => &names.waiting,
        Queue::Dead => &names.dead,
    }
}
