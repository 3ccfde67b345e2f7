//! The ledger over AMQP: appends are confirmed publishes, a reader is a consumer of the stream.
//!
//! A reader is of one session and ends with it; the caller opens the next where it stopped. It never
//! rejects a record: RabbitMQ closes the connection for that on a stream.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use lapin::Acker;
use lapin::options::{BasicAckOptions, BasicConsumeOptions};
use lapin::types::{AMQPValue, FieldTable};

use super::broker::Broker;
use super::connection::answered;
use super::convert;
use super::fault;
use super::intake::{Intake, Tap};
use crate::service::message::{Outgoing, Properties};
use crate::service::ports::{BrokerFault, Delivered, Ledger, LedgerReader, Outbox, Start};

/// Records that RabbitMQ sends ahead.
const READ_AHEAD: u16 = 512;
/// Acknowledgements only ask for more; one for so many is enough.
const RECORDS_PER_ACK: u16 = READ_AHEAD / 4;

const OFFSET: &str = "x-stream-offset";

#[async_trait]
impl Ledger for Broker {
    async fn append(&self, record: Vec<u8>) -> Result<(), BrokerFault> {
        let message = Outgoing {
            exchange: String::new(),
            routing_key: self.names().ledger.clone(),
            properties: Properties { delivery_mode: Some(2), ..Properties::default() },
            body: record,
        };
        match self.publish(&message).await? {
            Delivered::Confirmed => Ok(()),
            Delivered::Returned => Err(BrokerFault::new("the ledger's stream is gone")),
            Delivered::TooLarge => Err(BrokerFault::new("RabbitMQ takes no record of this size")),
        }
    }

    async fn read_from(&self, start: Start) -> Result<Box<dyn LedgerReader>, BrokerFault> {
        let session = self.intake().await?;
        let tap = open(&session, start).await.map_err(|error| explain(&error))?;
        Ok(Box::new(Reader { tap, last: None, unacked: 0, _session: session }))
    }
}

async fn open(session: &Intake, start: Start) -> lapin::Result<Tap> {
    let mut arguments = FieldTable::default();
    let offset = match start {
        Start::Offset(offset) => AMQPValue::LongLongInt(i64::try_from(offset).unwrap_or(i64::MAX)),
        Start::Last => AMQPValue::LongString("last".into()),
    };
    arguments.insert(OFFSET.into(), offset);
    let channel = session.bounded_channel(READ_AHEAD).await?;
    let stream = session.names().ledger.as_str().into();
    let consumer = channel.basic_consume(stream, "".into(), BasicConsumeOptions::default(), arguments);
    let consumer = answered(consumer).await?;
    Ok(Tap { channel, consumer })
}

struct Reader {
    tap: Tap,
    last: Option<Acker>,
    unacked: u16,
    /// The connection is open for as long as somebody uses it.
    _session: Arc<Intake>,
}

#[async_trait]
impl LedgerReader for Reader {
    async fn next(&mut self) -> Result<(u64, Vec<u8>), BrokerFault> {
        // Before the wait, so that a cancelled call has not taken a record.
        if self.unacked >= RECORDS_PER_ACK {
            self.ask_for_more().await?;
        }
        match self.tap.consumer.next().await {
            Some(Ok(delivery)) => {
                let offset = convert::count(&delivery.properties, OFFSET)
                    .ok_or_else(|| BrokerFault::new("a record of the ledger came without its offset"))?;
                self.last = Some(delivery.acker);
                self.unacked += 1;
                Ok((offset, delivery.data))
            }
            Some(Err(error)) => Err(explain(&error)),
            None => Err(BrokerFault::new("reading the ledger: the session ended or the stream is gone")),
        }
    }
}

impl Reader {
    async fn ask_for_more(&mut self) -> Result<(), BrokerFault> {
        let Some(last) = self.last.take() else { return Ok(()) };
        self.unacked = 0;
        let acked = answered(last.ack(BasicAckOptions { multiple: true })).await;
        let alive = acked.map_err(|error| explain(&error))?;
        alive.then_some(()).ok_or_else(|| BrokerFault::new("reading the ledger: the session ended"))
    }
}

fn explain(error: &lapin::Error) -> BrokerFault {
    BrokerFault::new(format!("reading the ledger: {}", fault::words(error)))
}
