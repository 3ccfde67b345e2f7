//! Takes jobs out of the waiting room one by one.
//!
//! There is no consumer on that queue: when to try again is decided by the use case, and a job that was
//! taken and still has no reader goes back to the end of the queue as a new, confirmed copy.

use async_trait::async_trait;
use lapin::Channel;
use lapin::options::{BasicGetOptions, QueueDeclareOptions};
use lapin::types::FieldTable;

use super::broker::Broker;
use super::connection::answered;
use super::consumer::incoming;
use super::fault;
use super::intake::Intake;
use crate::service::envelope;
use crate::service::ports::{BrokerFault, Incoming, Input, WaitingRoom};

#[async_trait]
impl WaitingRoom for Broker {
    async fn take(&self) -> Result<Option<Incoming>, BrokerFault> {
        let session = self.intake(Input::Jobs).await?;
        let queue = session.names().waiting.as_str().into();
        let channel = channel(&session).await?;
        let got = answered(channel.basic_get(queue, BasicGetOptions::default())).await;
        let Some(got) = settle(&session, got).await? else { return Ok(None) };
        let mut job = incoming(Input::Jobs, got.delivery);
        let (route, properties) = envelope::leave_waiting(job.properties);
        job.properties = properties;
        (job.exchange, job.routing_key) = (route.exchange, route.routing_key);
        Ok(Some(job))
    }

    async fn count(&self) -> Result<u64, BrokerFault> {
        let session = self.intake(Input::Jobs).await?;
        let queue = session.names().waiting.as_str().into();
        let channel = channel(&session).await?;
        let passive = QueueDeclareOptions { passive: true, durable: true, ..Default::default() };
        let declared = answered(channel.queue_declare(queue, passive, FieldTable::default())).await;
        settle(&session, declared).await.map(|queue| u64::from(queue.message_count()))
    }
}

/// The session's channel for this; jobs that were taken on it live and die with it.
async fn channel(session: &Intake) -> Result<Channel, BrokerFault> {
    let mut kept = session.waiting.lock().await;
    if let Some(channel) = kept.as_ref().filter(|channel| channel.status().connected()) {
        return Ok(channel.clone());
    }
    let channel = session.channel().await.map_err(|error| explain(&error))?;
    *kept = Some(channel.clone());
    Ok(channel)
}

/// A queue that is gone is declared again for the next try.
async fn settle<T>(session: &Intake, answer: lapin::Result<T>) -> Result<T, BrokerFault> {
    match answer {
        Ok(answer) => Ok(answer),
        Err(error) => {
            if fault::is_missing(&error) {
                session.redeclare().await;
            }
            Err(explain(&error))
        }
    }
}

fn explain(error: &lapin::Error) -> BrokerFault {
    BrokerFault::new(format!("looking for waiting jobs: {}", fault::words(error)))
}
