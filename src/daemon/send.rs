//! Sending one event as any source does, and waiting for its receipt.
//!
//! Once RabbitMQ has confirmed the event it cannot be lost, whoever waits for the receipt: a worker applies it when
//! there is one. Sending it again, under the same name or another, changes nothing.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::Stop;
use super::core::{amqp_user, broker_settings};
use super::init::{CONNECT_TIMEOUT, connect};
use crate::amqp::{Broker, Replies};
use crate::codec::record::hex;
use crate::service::envelope;
use crate::service::message::{HeaderValue, Outgoing, Properties};
use crate::service::ports::{Delivered, Outbox};
use crate::service::random;
use crate::settings::Settings;

/// Between tries to publish.
const RETRY: Duration = Duration::from_millis(500);

/// How long a receipt may come after the event was seen in the dead queue.
const RECEIPT_GRACE: Duration = Duration::from_secs(1);

/// An event to send.
pub struct Letter {
    /// Its routing key.
    pub source: String,
    /// Its JSON.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// The receipt's JSON.
    Receipt(Vec<u8>),
    /// No receipt: it is in the dead queue, with this reason and detail.
    Dead {
        /// A code.
        reason: String,
        /// A place and a rule.
        detail: String,
    },
    /// Nothing in time. It is queued.
    Nothing,
}

/// Sends, and waits for as long as `patience`. `sent` is called when RabbitMQ has the event.
pub async fn send(
    settings: &Settings,
    letter: Letter,
    patience: Duration,
    sent: impl FnOnce(),
) -> Result<Answered, Stop> {
    let user = amqp_user(settings)?;
    let (broker, _inputs) = Broker::start(broker_settings(settings)?);
    let answered = with_broker(&broker, user, letter, patience, sent).await;
    broker.shutdown().await;
    answered
}

async fn with_broker(
    broker: &Broker,
    user: String,
    letter: Letter,
    patience: Duration,
    sent: impl FnOnce(),
) -> Result<Answered, Stop> {
    connect(broker, patience.min(CONNECT_TIMEOUT)).await?;
    let name = hex(&random::nonce().0);
    let mut replies = broker.replies(&name).await?;
    let deadline = Instant::now() + patience;
    let message = Outgoing {
        exchange: broker.names().opt_outs.clone(),
        routing_key: letter.source,
        properties: Properties {
            content_type: Some("application/json".into()),
            delivery_mode: Some(2),
            correlation_id: Some(name.clone()),
            reply_to: Some(replies.queue().to_owned()),
            user_id: Some(user),
            ..Properties::default()
        },
        body: letter.body,
    };
    publish(broker, &message, deadline).await?;
    sent();
    // An answer that can no longer come is no answer: the event is queued either way.
    Ok(timeout_at(deadline, answer(&mut replies, &name)).await.unwrap_or(Answered::Nothing))
}

/// Publishes until RabbitMQ has it.
async fn publish(broker: &Broker, message: &Outgoing, deadline: Instant) -> Result<(), Stop> {
    loop {
        let fault = match broker.publish(message).await {
            Ok(Delivered::Confirmed) => return Ok(()),
            Ok(Delivered::Returned) => "RabbitMQ has no queue for events".to_owned(),
            Ok(Delivered::TooLarge) => "RabbitMQ takes no message of this size".to_owned(),
            Err(fault) => fault.to_string(),
        };
        if Instant::now() + RETRY >= deadline {
            return Err(Stop::Unavailable(format!(
                "{fault}: the event was not confirmed, so it may be lost; send it again, which is harmless"
            )));
        }
        sleep(RETRY).await;
    }
}

/// The receipt, or else the dead letter: what goes to the dead queue may have a receipt all the same.
async fn answer(replies: &mut Replies, name: &str) -> Answered {
    let first = next(replies, name).await;
    let Answered::Dead { .. } = first else { return first };
    match timeout(RECEIPT_GRACE, next(replies, name)).await {
        Ok(receipt @ Answered::Receipt(_)) => receipt,
        _ => first,
    }
}

/// The next that is about this event.
async fn next(replies: &mut Replies, name: &str) -> Answered {
    loop {
        let reply = match replies.next().await {
            Ok(reply) => reply,
            Err(fault) => {
                tracing::warn!(%fault, "no receipt can be received any more");
                return Answered::Nothing;
            }
        };
        if reply.properties.correlation_id.as_deref() != Some(name) {
            continue;
        }
        if !reply.dead {
            return Answered::Receipt(reply.body);
        }
        let header = |wanted: &str| {
            let text = reply.properties.headers.iter().find_map(|(name, value)| match value {
                HeaderValue::Text(text) if name == wanted => Some(String::from_utf8_lossy(text).into_owned()),
                _ => None,
            });
            text.unwrap_or_default()
        };
        return Answered::Dead { reason: header(envelope::REASON), detail: header(envelope::DETAIL) };
    }
}
