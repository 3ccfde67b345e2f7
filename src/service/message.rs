//! A message as the product sees it: a body and its properties, free of any vendor's types.
//!
//! Properties are passed on as they came; the rules of what changes on the way are in the functions
//! that make outputs and dead letters.

/// The AMQP properties that the product keeps, reads or sets.
#[derive(Clone, Default, PartialEq)]
pub struct Properties {
    /// The MIME type of the body.
    pub content_type: Option<String>,
    /// How the body is packed: `gzip`, `zstd` or nothing.
    pub content_encoding: Option<String>,
    /// Headers, in their order.
    pub headers: Vec<(String, HeaderValue)>,
    /// 2 is persistent.
    pub delivery_mode: Option<u8>,
    /// The priority.
    pub priority: Option<u8>,
    /// What an answer repeats.
    pub correlation_id: Option<String>,
    /// Where an answer goes.
    pub reply_to: Option<String>,
    /// Milliseconds, as text.
    pub expiration: Option<String>,
    /// By what consumers know a copy.
    pub message_id: Option<String>,
    /// Seconds since 1970.
    pub timestamp: Option<u64>,
    /// The application's own type.
    pub kind: Option<String>,
    /// The publisher, verified by RabbitMQ.
    pub user_id: Option<String>,
    /// The publishing application.
    pub app_id: Option<String>,
}

impl std::fmt::Debug for Properties {
    /// Properties are the publisher's words: they may name a person, so they are not printed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Properties(…)")
    }
}

/// A header's value, any AMQP type. Text is bytes: brokers do not promise UTF-8.
#[derive(Clone, PartialEq)]
pub enum HeaderValue {
    /// true or false.
    Bool(bool),
    /// 8 bits, signed.
    I8(i8),
    /// 8 bits, unsigned.
    U8(u8),
    /// 16 bits, signed.
    I16(i16),
    /// 16 bits, unsigned.
    U16(u16),
    /// 32 bits, signed.
    I32(i32),
    /// 32 bits, unsigned.
    U32(u32),
    /// 64 bits, signed.
    I64(i64),
    /// 32-bit floating point.
    F32(f32),
    /// 64-bit floating point.
    F64(f64),
    /// A decimal: digits after the point, and the digits.
    Decimal(u8, u32),
    /// Text of up to 255 bytes.
    ShortText(String),
    /// Text.
    Text(Vec<u8>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Seconds since 1970.
    Timestamp(u64),
    /// A list.
    Array(Vec<HeaderValue>),
    /// A table.
    Table(Vec<(String, HeaderValue)>),
    /// Nothing.
    Void,
}

impl HeaderValue {
    /// A text header.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into().into_bytes())
    }
}

/// A message on its way out.
#[derive(Clone)]
pub struct Outgoing {
    /// The exchange; empty is RabbitMQ's default exchange.
    pub exchange: String,
    /// The routing key.
    pub routing_key: String,
    /// Its properties.
    pub properties: Properties,
    /// Its body.
    pub body: Vec<u8>,
}
