//! Looks at RabbitMQ without changing anything, for `suppressd doctor`.
//!
//! AMQP has no command that asks what one may do or how an object was declared, so each question is put in a form
//! that has no effect whatever the answer is. An object that is there is declared once more as the contract wants
//! it: RabbitMQ compares and does nothing. A right to publish or to consume is asked for with an argument that
//! RabbitMQ must refuse, but refuses only after it has looked at permissions; a right to bind, by taking a binding
//! away that never was. Absent is what cannot be seen over AMQP: policies, and other people's bindings.

use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel};
use tokio::time::timeout;

use super::broker::BrokerSettings;
use super::connection::{Wire, answered};
use super::convert;
use super::fault::{self, Fault};
use super::ledger;
use super::names::Names;
use super::topology::{self, Object};
use crate::service::random;

/// The exchange without a name, as permissions call it.
const DEFAULT_EXCHANGE: &str = "amq.default";

/// How long a record of the ledger that is there may take.
const RECORD_TIMEOUT: Duration = Duration::from_secs(3);

/// One object of the contract, as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// What it is, as `queue suppressd.jobs`.
    pub title: String,
    /// Its name.
    pub name: String,
    /// What is in it; `None`: it is not there.
    pub there: Option<Holds>,
    /// How it differs from the contract, in RabbitMQ's words, which name the argument.
    pub differs: Option<String>,
    /// What our user may not do with it, in RabbitMQ's words.
    pub refused: Vec<String>,
}

/// What a queue holds; an exchange holds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holds {
    /// Messages that nobody has taken.
    pub messages: u32,
    /// Who takes them.
    pub consumers: u32,
}

/// What became of one question.
enum Answer<T> {
    /// It may be done, and this came of it.
    Given(T),
    /// There is no such object.
    Missing,
    /// The object, or the argument, is not as it must be.
    Differs(String),
    /// Our user may not.
    Refused(String),
}

/// Two connections to ask on: the one that tries to publish may be blocked.
pub struct Inspector {
    asking: Wire,
    publishing: Wire,
    names: Names,
}

impl Inspector {
    /// Connects.
    pub async fn open(settings: &BrokerSettings) -> Result<Self, Fault> {
        let name = |what| format!("{} doctor, {what}", settings.connection_name);
        let asking = Wire::open(&settings.endpoint, &name("asking")).await?;
        let publishing = Wire::open(&settings.endpoint, &name("trying to publish")).await?;
        Ok(Self { asking, publishing, names: settings.names.clone() })
    }

    /// Every object, in the order in which a worker declares them; then the exchange without a name.
    pub async fn objects(&self) -> Result<Vec<Inspected>, Fault> {
        let mut inspected: Vec<Inspected> = Vec::new();
        for object in topology::objects(&self.names) {
            match &object {
                Object::Exchange { name, .. } => inspected.push(self.exchange(name, &object).await?),
                Object::Queue { name, .. } => inspected.push(self.queue(name, &object).await?),
                Object::Binding { queue, exchange } => {
                    let refused = self.may_bind(queue, exchange).await?;
                    // The queue comes before its binding.
                    if let Some(queue) = inspected.last_mut() {
                        queue.refused.extend(refused);
                    }
                }
            }
        }
        inspected.push(Inspected {
            title: "default exchange".into(),
            name: DEFAULT_EXCHANGE.into(),
            there: Some(Holds::default()),
            differs: None,
            refused: vec![],
        });
        Ok(inspected)
    }

    /// Adds to each exchange that is there whether our user may publish to it. `false`: RabbitMQ takes no messages at
    /// present, and what was not asked by then stays unknown.
    pub async fn may_publish(&self, inspected: &mut [Inspected]) -> Result<bool, Fault> {
        let exchanges = inspected.iter_mut().filter(|one| !one.title.starts_with("queue "));
        for exchange in exchanges.filter(|exchange| exchange.there.is_some()) {
            let name = if exchange.name == DEFAULT_EXCHANGE { "" } else { &*exchange.name };
            match ask(&self.publishing, async |channel| publish_nothing(&channel, name).await).await {
                Ok(Answer::Refused(why)) => exchange.refused.push(why),
                Ok(_) => {}
                Err(_) if self.publishing.is_blocked() => return Ok(false),
                Err(fault) => return Err(fault),
            }
        }
        Ok(true)
    }

    /// The first record of the ledger at this offset or behind it, with its offset, if it comes soon.
    pub async fn record_from(&self, offset: u64) -> Result<Option<(u64, Vec<u8>)>, Fault> {
        let stream = &self.names.ledger;
        let reading = async |channel: Channel| {
            answered(channel.basic_qos(1, BasicQosOptions::default())).await?;
            let (options, mut arguments) = (BasicConsumeOptions::default(), FieldTable::default());
            let from = AMQPValue::LongLongInt(i64::try_from(offset).unwrap_or(i64::MAX));
            arguments.insert(ledger::OFFSET.into(), from);
            let consumer = channel.basic_consume(stream.as_str().into(), "".into(), options, arguments);
            let mut consumer = answered(consumer).await?;
            // Silence: there is no such record.
            timeout(RECORD_TIMEOUT, consumer.next()).await.ok().flatten().transpose()
        };
        match ask(&self.asking, reading).await? {
            Answer::Given(Some(delivery)) => {
                let offset = convert::count(&delivery.properties, ledger::OFFSET);
                Ok(offset.map(|offset| (offset, delivery.data)))
            }
            _ => Ok(None),
        }
    }

    /// Takes leave.
    pub async fn close(self) {
        self.asking.close().await;
        self.publishing.close().await;
    }

    async fn exchange(&self, name: &str, object: &Object<'_>) -> Result<Inspected, Fault> {
        let there = ask(&self.asking, async |channel| exchange_is_there(&channel, name).await).await?;
        self.compared(name, object, there).await
    }

    async fn queue(&self, name: &str, object: &Object<'_>) -> Result<Inspected, Fault> {
        let there = ask(&self.asking, async |channel| queue_is_there(&channel, name).await).await?;
        let mut inspected = self.compared(name, object, there).await?;
        if inspected.there.is_some()
            && let Answer::Refused(why) =
                ask(&self.asking, async |channel| consume_nothing(&channel, name).await).await?
        {
            inspected.refused.push(why);
        }
        Ok(inspected)
    }

    /// Declares it as it must be, if it is there. Should somebody delete it in between, it is made as it must be.
    async fn compared(
        &self,
        name: &str,
        object: &Object<'_>,
        there: Answer<Holds>,
    ) -> Result<Inspected, Fault> {
        let mut inspected = Inspected {
            title: object.title(),
            name: name.into(),
            there: None,
            differs: None,
            refused: vec![],
        };
        match there {
            Answer::Given(holds) => inspected.there = Some(holds),
            Answer::Missing => return Ok(inspected),
            Answer::Differs(why) => inspected.differs = Some(why),
            Answer::Refused(why) => inspected.refused.push(why),
        }
        match ask(&self.asking, async |channel| object.declare(&channel).await).await? {
            Answer::Given(()) | Answer::Missing => {}
            Answer::Differs(why) => inspected.differs = Some(why),
            Answer::Refused(why) => inspected.refused.push(why),
        }
        Ok(inspected)
    }

    /// Why our user may not bind this queue to this exchange.
    async fn may_bind(&self, queue: &str, exchange: &str) -> Result<Option<String>, Fault> {
        let never_bound = random::list_id().to_string();
        let unbound = async |channel: Channel| {
            let nothing = channel.queue_unbind(
                queue.into(),
                exchange.into(),
                never_bound.as_str().into(),
                FieldTable::default(),
            );
            answered(nothing).await
        };
        match ask(&self.asking, unbound).await? {
            Answer::Refused(why) => Ok(Some(why)),
            _ => Ok(None),
        }
    }
}

/// Puts one question on a channel of its own: RabbitMQ closes the channel with each refusal.
async fn ask<T>(
    wire: &Wire,
    question: impl AsyncFnOnce(Channel) -> lapin::Result<T>,
) -> Result<Answer<T>, Fault> {
    let failed = |error: &lapin::Error| Fault::at_start(wire.endpoint(), "looking", error);
    let channel = wire.channel().await.map_err(|error| failed(&error))?;
    match question(channel.clone()).await {
        Ok(given) => {
            // Only tidiness: the answer is there.
            let _ = answered(channel.close(200, "OK".into())).await;
            Ok(Answer::Given(given))
        }
        Err(error) if fault::is_missing(&error) => Ok(Answer::Missing),
        Err(error) if fault::is_mismatch(&error) => Ok(Answer::Differs(fault::words(&error))),
        Err(error) if fault::is_refused(&error) => Ok(Answer::Refused(fault::words(&error))),
        Err(error) => Err(failed(&error)),
    }
}

async fn exchange_is_there(channel: &Channel, name: &str) -> lapin::Result<Holds> {
    let passive = ExchangeDeclareOptions { passive: true, ..Default::default() };
    // The kind is not looked at.
    let kind = lapin::ExchangeKind::Topic;
    answered(channel.exchange_declare(name.into(), kind, passive, FieldTable::default())).await?;
    Ok(Holds::default())
}

async fn queue_is_there(channel: &Channel, name: &str) -> lapin::Result<Holds> {
    let passive = QueueDeclareOptions { passive: true, ..Default::default() };
    let queue = answered(channel.queue_declare(name.into(), passive, FieldTable::default())).await?;
    Ok(Holds { messages: queue.message_count(), consumers: queue.consumer_count() })
}

/// Asks to consume with a priority that is no number: refused with `PRECONDITION_FAILED`, or before that for want of a
/// permission. No message is taken either way.
async fn consume_nothing(channel: &Channel, queue: &str) -> lapin::Result<()> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-priority".into(), AMQPValue::LongString("none".into()));
    let options = BasicConsumeOptions::default();
    answered(channel.basic_consume(queue.into(), "".into(), options, arguments)).await.map(drop)
}

/// Publishes with an expiration that is no number: refused with `PRECONDITION_FAILED`, or before that for want of a
/// permission. In case that a future RabbitMQ is more lenient, it also says to be of a user that cannot be.
async fn publish_nothing(channel: &Channel, exchange: &str) -> lapin::Result<()> {
    let nobody = random::list_id().to_string();
    let properties =
        BasicProperties::default().with_expiration("never".into()).with_user_id(nobody.as_str().into());
    answered(channel.confirm_select(ConfirmSelectOptions::default())).await?;
    let options = BasicPublishOptions::default();
    let published = channel.basic_publish(exchange.into(), nobody.as_str().into(), options, &[], properties);
    // The refusal comes in the place of the confirm.
    let confirm = answered(published).await?;
    answered(async { confirm.await.map(drop) }).await
}
