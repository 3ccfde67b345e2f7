//! The ledger over AMQP: appends are confirmed publishes, a reader is a consumer of the stream.
//!
//! A reader is of one session and ends with it; the caller opens the next where it stopped. It never
//! rejects a record: RabbitMQ closes the connection for that on a stream. A stream that is gone is declared again by
//! whoever wants to read it, never by whoever appends: what it lacks then is for its readers to see first.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use lapin::Acker;
use lapin::options::{BasicAckOptions, BasicConsumeOptions};
use lapin::types::{AMQPValue, FieldTable};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::broker::Broker;
use super::connection::answered;
use super::convert;
use super::fault;
use super::intake::{Intake, Tap};
use crate::codec::record;
use crate::domain::record::Entry;
use crate::service::message::{Outgoing, Properties};
use crate::service::ports::{BrokerFault, Delivered, Input, Ledger, LedgerReader, Outbox, Start};

/// Records that RabbitMQ sends ahead.
const READ_AHEAD: u16 = 512;
/// Acknowledgements only ask for more; one for so many is enough.
const RECORDS_PER_ACK: u16 = READ_AHEAD / 4;

/// How long the second look at places that were left out may take.
const SECOND_LOOK: Duration = Duration::from_secs(5);

/// Where a reader begins, and where a record is.
pub(super) const OFFSET: &str = "x-stream-offset";

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
        let session = self.intake(Input::OptOuts).await?;
        let tap = match open(&session, start).await {
            Ok(tap) => tap,
            Err(error) => {
                if fault::is_missing(&error) {
                    session.redeclare().await;
                }
                return Err(explain(&error));
            }
        };
        let first = match start {
            Start::Offset(offset) => Some(offset),
            Start::Last => None,
        };
        Ok(Box::new(Reader::new(tap, session, first)))
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
    /// The offset that comes next, once it is known.
    expected: Option<u64>,
    /// A record that came after places that were left out.
    beyond: Option<Beyond>,
    /// The connection is open for as long as somebody uses it.
    session: Arc<Intake>,
}

/// RabbitMQ keeps the first place of every segment of a stream (500 MB) for itself, and no reader gets it. To whoever
/// reads the ledger these places are records that say nothing, so that offsets have no gaps; anything else that is
/// left out stays a gap.
struct Beyond {
    offset: u64,
    record: Vec<u8>,
    /// Whether the places are the broker's own. A task, since whoever waits for a record may stop waiting at any time.
    proof: JoinSet<Result<bool, BrokerFault>>,
    proven: bool,
}

#[async_trait]
impl LedgerReader for Reader {
    async fn next(&mut self) -> Result<(u64, Vec<u8>), BrokerFault> {
        if self.beyond.is_none() {
            let (offset, record) = self.receive().await?;
            match self.expected.filter(|expected| *expected < offset) {
                None => {
                    self.expected = Some(offset + 1);
                    return Ok((offset, record));
                }
                Some(expected) => {
                    let mut proof = JoinSet::new();
                    proof.spawn(left_out_again(self.session.clone(), expected, offset));
                    self.beyond = Some(Beyond { offset, record, proof, proven: false });
                }
            }
        }
        if let (Some(beyond), Some(expected)) = (&mut self.beyond, self.expected) {
            if !beyond.proven {
                let proof = beyond.proof.join_next().await.and_then(Result::ok);
                match proof.unwrap_or_else(|| Err(BrokerFault::new("reading the ledger: stopped"))) {
                    Ok(proven) => beyond.proven = proven,
                    Err(fault) => {
                        self.beyond = None;
                        return Err(fault);
                    }
                }
            }
            if beyond.proven && expected < beyond.offset {
                self.expected = Some(expected + 1);
                return Ok((expected, record::write(&Entry::void(expected))));
            }
        }
        let beyond = self.beyond.take().ok_or_else(|| BrokerFault::new("reading the ledger: no record"))?;
        self.expected = Some(beyond.offset + 1);
        Ok((beyond.offset, beyond.record))
    }
}

/// Whether a second reader, which begins at the record before the places, goes on where the first one did. That record
/// is still there then, so nothing was trimmed, and no reader lost anything on the way.
async fn left_out_again(session: Arc<Intake>, expected: u64, next: u64) -> Result<bool, BrokerFault> {
    let Some(before) = expected.checked_sub(1) else { return Ok(false) };
    let tap = open(&session, Start::Offset(before)).await.map_err(|error| explain(&error))?;
    let mut second = Reader::new(tap, session, None);
    let both = async { Ok((second.receive().await?.0, second.receive().await?.0)) };
    let seen = timeout(SECOND_LOOK, both).await;
    seen.map_or(Ok(false), |seen| seen.map(|seen| seen == (before, next)))
}

impl Reader {
    fn new(tap: Tap, session: Arc<Intake>, expected: Option<u64>) -> Self {
        Self { tap, last: None, unacked: 0, expected, beyond: None, session }
    }

    /// The next record that RabbitMQ sends.
    async fn receive(&mut self) -> Result<(u64, Vec<u8>), BrokerFault> {
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
