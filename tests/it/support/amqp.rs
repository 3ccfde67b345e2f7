//! Both ends of the worker's queues: a [`Client`] that publishes and an [`Inbox`] that receives.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer};
use serde_json::Value;
use tokio::sync::Mutex;

use super::contract;
use super::eventually::{SOON, eventually};

/// Publishes that wait for their confirms at the same time.
const IN_FLIGHT: usize = 256;

/// What became of a published message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Every queue that it was routed to has it.
    Confirmed,
    /// It came back: no queue is bound for it.
    Returned,
}

/// A connection of one user.
pub(crate) struct Client {
    connection: Connection,
    /// One publisher at a time: lapin mixes up the confirms of a channel that tasks share.
    publishing: Mutex<Channel>,
}

impl Client {
    /// Connects. Tests usually come here by `Vhost::connect`.
    pub(crate) async fn connect(url: &str) -> lapin::Result<Self> {
        let url = format!("{url}?frame_max=131072&heartbeat=10");
        let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self { connection, publishing: Mutex::new(channel) })
    }

    /// A fresh channel, for what this harness does not offer.
    pub(crate) async fn channel(&self) -> Channel {
        self.connection.create_channel().await.expect("the connection takes another channel")
    }

    /// Publishes JSON, persistent and mandatory, and waits for the confirm.
    pub(crate) async fn publish(&self, exchange: &str, key: &str, body: &Value) -> Sent {
        let properties = BasicProperties::default().with_content_type("application/json".into());
        self.publish_with(exchange, key, properties, body.to_string().as_bytes()).await
    }

    /// The same for any body and properties.
    pub(crate) async fn publish_with(
        &self,
        exchange: &str,
        key: &str,
        properties: BasicProperties,
        body: &[u8],
    ) -> Sent {
        self.try_publish(exchange, key, properties, body).await.expect("RabbitMQ takes the message")
    }

    /// The same where RabbitMQ may refuse: a missing permission, a wrong `user_id`.
    ///
    /// A refusal ends the channel, so that this client's later publishes go through a new one.
    pub(crate) async fn try_publish(
        &self,
        exchange: &str,
        key: &str,
        properties: BasicProperties,
        body: &[u8],
    ) -> lapin::Result<Sent> {
        let mut channel = self.publishing.lock().await;
        let result = publish_on(&channel, exchange, key, properties, body).await;
        if result.is_err() && self.connection.status().connected() {
            *channel = self.connection.create_channel().await?;
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
        }
        result
    }

    /// Publishes many, pipelined, and waits until every one of them is confirmed. None may come back.
    pub(crate) async fn publish_all(
        &self,
        exchange: &str,
        messages: impl IntoIterator<Item = (String, BasicProperties, Vec<u8>)>,
    ) {
        let channel = self.publishing.lock().await;
        stream::iter(messages)
            .then(|(key, properties, body)| {
                let channel = channel.clone();
                async move { hand_over(&channel, exchange, &key, properties, &body).await }
            })
            .try_buffer_unordered(IN_FLIGHT)
            .try_for_each(|confirmation| async move {
                assert_eq!(confirmation, Confirmation::Ack(None), "RabbitMQ answers for the message");
                Ok(())
            })
            .await
            .expect("RabbitMQ takes the messages");
    }

    /// A durable queue of this name, bound, and a consumer on it. Called again, it goes on where the last
    /// one ended: what was not taken is still there.
    pub(crate) async fn inbox(&self, queue: &str, bindings: &[(&str, &str)]) -> Inbox {
        self.try_inbox(queue, bindings).await.unwrap_or_else(|error| panic!("queue {queue}: {error}"))
    }

    /// The same where RabbitMQ may refuse.
    pub(crate) async fn try_inbox(&self, queue: &str, bindings: &[(&str, &str)]) -> lapin::Result<Inbox> {
        let channel = self.connection.create_channel().await?;
        let none = FieldTable::default;
        channel.queue_declare(short(queue), QueueDeclareOptions::durable(), none()).await?;
        for (exchange, key) in bindings {
            let (exchange, key) = (short(exchange), short(key));
            channel.queue_bind(short(queue), exchange, key, QueueBindOptions::default(), none()).await?;
        }
        Inbox::open(channel, queue).await
    }

    /// A consumer on a queue that somebody else declared: `suppressd.dead`, say.
    pub(crate) async fn consume(&self, queue: &str) -> Inbox {
        self.try_consume(queue).await.unwrap_or_else(|error| panic!("queue {queue}: {error}"))
    }

    /// The same where RabbitMQ may refuse.
    pub(crate) async fn try_consume(&self, queue: &str) -> lapin::Result<Inbox> {
        Inbox::open(self.channel().await, queue).await
    }

    /// How many messages wait in a queue, those aside that a consumer holds; `None`: no such queue.
    pub(crate) async fn count(&self, queue: &str) -> Option<u32> {
        let mut passive = QueueDeclareOptions::durable();
        passive.passive = true;
        // A channel of its own: asking for a queue that is not there closes it.
        let channel = self.channel().await;
        let answer = channel.queue_declare(short(queue), passive, FieldTable::default()).await;
        answer.ok().map(|queue| queue.message_count())
    }

    /// Waits until a queue has exactly this many messages.
    pub(crate) async fn expect_count(&self, queue: &str, expected: u32) {
        let what = format!("{queue} holds {expected} messages");
        eventually(&what, SOON, async || self.count(queue).await.filter(|count| *count == expected)).await;
    }

    /// Takes one message out of a queue, if there is one.
    pub(crate) async fn get(&self, queue: &str) -> Option<Message> {
        let channel = self.channel().await;
        let got = channel.basic_get(short(queue), BasicGetOptions::default()).await;
        let delivery = got.expect("the queue is there")?.delivery;
        take(delivery).await
    }
}

async fn publish_on(
    channel: &Channel,
    exchange: &str,
    key: &str,
    properties: BasicProperties,
    body: &[u8],
) -> lapin::Result<Sent> {
    match hand_over(channel, exchange, key, properties, body).await?.await? {
        Confirmation::Ack(None) => Ok(Sent::Confirmed),
        Confirmation::Ack(Some(_)) => Ok(Sent::Returned),
        other => panic!("RabbitMQ does not answer for the message: {other:?}"),
    }
}

async fn hand_over(
    channel: &Channel,
    exchange: &str,
    key: &str,
    properties: BasicProperties,
    body: &[u8],
) -> lapin::Result<lapin::PublisherConfirm> {
    let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let properties = match properties.delivery_mode() {
        None => properties.with_delivery_mode(2),
        Some(_) => properties,
    };
    channel.basic_publish(short(exchange), short(key), mandatory, body, properties).await
}

fn short(text: &str) -> ShortString {
    ShortString::try_new(text).expect("names in tests are short")
}

/// A message that was received, and acknowledged.
#[derive(Debug)]
pub(crate) struct Message {
    /// The exchange that it was published to.
    pub(crate) exchange: String,
    /// The routing key.
    pub(crate) routing_key: String,
    /// Whether it was delivered before.
    pub(crate) redelivered: bool,
    /// Its properties.
    pub(crate) properties: BasicProperties,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    /// A header, any text or whole number as text.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        match self.properties.headers().as_ref()?.inner().get(name)? {
            AMQPValue::LongString(text) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
            AMQPValue::ShortString(text) => Some(text.to_string()),
            AMQPValue::LongInt(number) => Some(number.to_string()),
            AMQPValue::LongLongInt(number) => Some(number.to_string()),
            AMQPValue::LongUInt(number) => Some(number.to_string()),
            other => panic!("header {name} is neither text nor a number: {other:?}"),
        }
    }

    /// The message id.
    pub(crate) fn message_id(&self) -> Option<&str> {
        self.properties.message_id().as_ref().map(ShortString::as_str)
    }
}

/// A consumer on one queue. Messages are acknowledged when they are taken.
pub(crate) struct Inbox {
    queue: String,
    consumer: Consumer,
    /// Held, because the consumer ends with it.
    _channel: Channel,
}

impl Inbox {
    async fn open(channel: Channel, queue: &str) -> lapin::Result<Self> {
        channel.basic_qos(1000, BasicQosOptions::default()).await?;
        let options = BasicConsumeOptions::default();
        let consumer = channel.basic_consume(short(queue), short(""), options, FieldTable::default()).await?;
        Ok(Self { queue: queue.to_owned(), consumer, _channel: channel })
    }

    /// The queue's name: what `reply_to` is set to.
    pub(crate) fn queue(&self) -> &str {
        &self.queue
    }

    /// The next message. Panics if there is none before [`SOON`].
    pub(crate) async fn next(&mut self) -> Message {
        let found = self.next_within(SOON).await;
        found.unwrap_or_else(|| panic!("no message in {} within {SOON:?}", self.queue))
    }

    /// The next message, or `None` if there is none in time.
    ///
    /// Panics if the consumer has ended (the broker went away): open another inbox.
    pub(crate) async fn next_within(&mut self, patience: Duration) -> Option<Message> {
        let end = tokio::time::Instant::now() + patience;
        loop {
            let item = tokio::time::timeout_at(end, self.consumer.next()).await.ok()?;
            let delivery = item.unwrap_or_else(|| panic!("the consumer of {} has ended", self.queue));
            if let Some(message) = take(delivery.expect("the consumer's connection stands")).await {
                return Some(message);
            }
        }
    }

    /// The next message, however long it takes; `None` once the consumer has ended.
    pub(crate) async fn next_until_ended(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = take(self.consumer.next().await?.ok()?).await {
                return Some(message);
            }
        }
    }

    /// Exactly this many messages, in their order; each may take until [`SOON`].
    pub(crate) async fn take(&mut self, count: usize) -> Vec<Message> {
        let mut taken = Vec::with_capacity(count);
        for _ in 0..count {
            let found = self.next_within(SOON).await;
            let so_far = taken.len();
            taken.push(found.unwrap_or_else(|| panic!("{}: {so_far} of {count} messages", self.queue)));
        }
        taken
    }

    /// Insists that nothing comes for as long. For "the job waits"; keep it short.
    pub(crate) async fn expect_silence(&mut self, length: Duration) {
        let found = self.next_within(length).await;
        assert!(found.is_none(), "a message in {} where none was due: {found:?}", self.queue);
    }
}

/// Acknowledges first: a message whose acknowledgement does not count will come again and is not taken. Whatever
/// suppressd publishes is held to its contract on the way.
async fn take(delivery: lapin::message::Delivery) -> Option<Message> {
    let (exchange, key) = (delivery.exchange.as_str(), delivery.routing_key.as_str());
    contract::hold(exchange, key, &delivery.properties, &delivery.data);
    // After an error nobody knows whether RabbitMQ has heard it: what it has, it never sends again.
    let counts = delivery.acker.ack(BasicAckOptions::default()).await;
    counts.unwrap_or(true).then(|| Message {
        exchange: delivery.exchange.to_string(),
        routing_key: delivery.routing_key.to_string(),
        redelivered: delivery.redelivered,
        properties: delivery.properties,
        body: delivery.data,
    })
}
