//! The AMQP objects of the contract, declared so that repeating it changes nothing.
//!
//! Every queue that somebody else's message lies in dead-letters with the `at-least-once` strategy, for
//! which RabbitMQ wants `reject-publish`. The delivery limits are given as numbers, because the default
//! differs by version: RabbitMQ 4 drops after 20, where 3 never does.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};

use super::connection::{Wire, answered};
use super::fault::{self, Fault, Mismatch};
use super::names::Names;

/// How often a message of an input may be taken without being settled: crashes stay far below it.
const DELIVERIES_MAX: i32 = 100;
/// Looking at dead letters puts them back each time; that must never lose one.
const DEAD_DELIVERIES_MAX: i32 = 2_000_000_000;

/// One object of the contract.
pub(super) enum Object<'a> {
    Exchange { name: &'a str, kind: ExchangeKind },
    Queue { name: &'a str, arguments: FieldTable },
    Binding { queue: &'a str, exchange: &'a str },
}

/// Declares everything. Mismatches are collected: one start names all of them.
pub(super) async fn declare(wire: &Wire, names: &Names) -> Result<(), Fault> {
    let mut mismatches = Vec::new();
    let mut channel = None;
    for object in objects(names) {
        let open = match channel.take() {
            Some(open) => open,
            None => {
                wire.channel().await.map_err(|e| Fault::at_start(wire.endpoint(), "opening a channel", &e))?
            }
        };
        match object.declare(&open).await {
            Ok(()) => channel = Some(open),
            // The broker closes the channel with each refusal.
            Err(error) if fault::is_mismatch(&error) => {
                mismatches.push(Mismatch { object: object.title(), why: fault::words(&error) });
            }
            Err(error) => return Err(Fault::at_start(wire.endpoint(), &object.title(), &error)),
        }
    }
    if let Some(open) = channel {
        // Only tidiness: the session does not depend on it.
        let _ = answered(open.close(200, "OK".into())).await;
    }
    if mismatches.is_empty() { Ok(()) } else { Err(Fault::Mismatch(mismatches)) }
}

/// All of them; a binding follows its queue.
pub(super) fn objects(names: &Names) -> Vec<Object<'_>> {
    let topic = |name| Object::Exchange { name, kind: ExchangeKind::Topic };
    let input = |name| Object::Queue { name, arguments: input_arguments(names) };
    vec![
        Object::Exchange { name: &names.dead, kind: ExchangeKind::Fanout },
        Object::Queue { name: &names.dead, arguments: dead_arguments() },
        Object::Binding { queue: &names.dead, exchange: &names.dead },
        topic(&names.jobs),
        input(&names.jobs),
        Object::Binding { queue: &names.jobs, exchange: &names.jobs },
        topic(&names.filtered),
        topic(&names.opt_outs),
        input(&names.opt_outs),
        Object::Binding { queue: &names.opt_outs, exchange: &names.opt_outs },
        topic(&names.events),
        Object::Queue { name: &names.ledger, arguments: table([("x-queue-type", text("stream"))]) },
        input(&names.waiting),
    ]
}

fn input_arguments(names: &Names) -> FieldTable {
    table([
        ("x-queue-type", text("quorum")),
        ("x-delivery-limit", AMQPValue::LongInt(DELIVERIES_MAX)),
        ("x-dead-letter-exchange", text(&names.dead)),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ])
}

fn dead_arguments() -> FieldTable {
    table([("x-queue-type", text("quorum")), ("x-delivery-limit", AMQPValue::LongInt(DEAD_DELIVERIES_MAX))])
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

fn table<const N: usize>(arguments: [(&'static str, AMQPValue); N]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in arguments {
        table.insert(name.into(), value);
    }
    table
}

impl Object<'_> {
    /// What it is, for people.
    pub(super) fn title(&self) -> String {
        match self {
            Self::Exchange { name, .. } => format!("exchange {name}"),
            Self::Queue { name, .. } => format!("queue {name}"),
            Self::Binding { queue, exchange } => format!("binding of queue {queue} to exchange {exchange}"),
        }
    }

    /// Names fit: a prefix has at most 200 bytes.
    pub(super) async fn declare(&self, channel: &Channel) -> lapin::Result<()> {
        match self {
            Self::Exchange { name, kind } => {
                let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
                let none = FieldTable::default();
                answered(channel.exchange_declare((*name).into(), kind.clone(), options, none)).await
            }
            Self::Queue { name, arguments } => {
                let options = QueueDeclareOptions { durable: true, ..Default::default() };
                let declared = channel.queue_declare((*name).into(), options, arguments.clone());
                answered(declared).await.map(drop)
            }
            Self::Binding { queue, exchange } => {
                let (options, none) = (QueueBindOptions::default(), FieldTable::default());
                let bound =
                    channel.queue_bind((*queue).into(), (*exchange).into(), "#".into(), options, none);
                answered(bound).await
            }
        }
    }
}
