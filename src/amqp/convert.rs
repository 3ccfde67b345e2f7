//! Properties and headers to lapin's types and back, without loss and without a panic.
//!
//! lapin's conversion from text panics beyond 255 bytes, so every short string goes through
//! [`short`]. `cluster_id`, which AMQP 0-9-1 abolished, is not passed on.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, DecimalValue, FieldTable, ShortString};

use crate::service::message::{HeaderValue, Properties};
use crate::service::ports::BrokerFault;

/// An AMQP short string. `what` names the property, since the text must not be repeated.
pub(super) fn short(what: &str, text: &str) -> Result<ShortString, BrokerFault> {
    ShortString::try_new(text).map_err(|_| BrokerFault::new(format!("{what} is longer than 255 bytes")))
}

/// Sets each property that is there by its builder method.
macro_rules! set {
    ($to:ident, $from:ident, $($field:ident / $with:ident),+) => {
        $(if let Some(text) = &$from.$field { $to = $to.$with(short(stringify!($field), text)?); })+
    };
}

/// What lapin sends.
pub(super) fn to_lapin(ours: &Properties) -> Result<BasicProperties, BrokerFault> {
    let mut theirs = BasicProperties::default();
    set!(
        theirs,
        ours,
        content_type / with_content_type,
        content_encoding / with_content_encoding,
        correlation_id / with_correlation_id,
        reply_to / with_reply_to,
        expiration / with_expiration,
        message_id / with_message_id,
        kind / with_type,
        user_id / with_user_id,
        app_id / with_app_id
    );
    if let Some(mode) = ours.delivery_mode {
        theirs = theirs.with_delivery_mode(mode);
    }
    if let Some(priority) = ours.priority {
        theirs = theirs.with_priority(priority);
    }
    if let Some(seconds) = ours.timestamp {
        theirs = theirs.with_timestamp(seconds);
    }
    if !ours.headers.is_empty() {
        theirs = theirs.with_headers(to_table(&ours.headers)?);
    }
    Ok(theirs)
}

/// What lapin received.
pub(super) fn from_lapin(theirs: &BasicProperties) -> Properties {
    let text = |short: &Option<ShortString>| short.as_ref().map(|text| text.as_str().to_owned());
    Properties {
        content_type: text(theirs.content_type()),
        content_encoding: text(theirs.content_encoding()),
        headers: theirs.headers().as_ref().map(from_table).unwrap_or_default(),
        delivery_mode: *theirs.delivery_mode(),
        priority: *theirs.priority(),
        correlation_id: text(theirs.correlation_id()),
        reply_to: text(theirs.reply_to()),
        expiration: text(theirs.expiration()),
        message_id: text(theirs.message_id()),
        timestamp: *theirs.timestamp(),
        kind: text(theirs.kind()),
        user_id: text(theirs.user_id()),
        app_id: text(theirs.app_id()),
    }
}

/// A whole number from a header, whatever width the broker chose.
pub(super) fn count(properties: &BasicProperties, name: &str) -> Option<u64> {
    match properties.headers().as_ref()?.inner().get(name)? {
        AMQPValue::LongLongInt(n) => u64::try_from(*n).ok(),
        AMQPValue::LongInt(n) => u64::try_from(*n).ok(),
        AMQPValue::LongUInt(n) => Some(u64::from(*n)),
        AMQPValue::ShortInt(n) => u64::try_from(*n).ok(),
        AMQPValue::ShortUInt(n) => Some(u64::from(*n)),
        AMQPValue::ShortShortInt(n) => u64::try_from(*n).ok(),
        AMQPValue::ShortShortUInt(n) => Some(u64::from(*n)),
        _ => None,
    }
}

fn to_table(headers: &[(String, HeaderValue)]) -> Result<FieldTable, BrokerFault> {
    let mut table = FieldTable::default();
    for (name, value) in headers {
        table.insert(short("a header's name", name)?, to_value(value)?);
    }
    Ok(table)
}

fn from_table(table: &FieldTable) -> Vec<(String, HeaderValue)> {
    table.inner().iter().map(|(name, value)| (name.as_str().to_owned(), from_value(value))).collect()
}

fn to_value(value: &HeaderValue) -> Result<AMQPValue, BrokerFault> {
    Ok(match value {
        HeaderValue::Bool(b) => AMQPValue::Boolean(*b),
        HeaderValue::I8(n) => AMQPValue::ShortShortInt(*n),
        HeaderValue::U8(n) => AMQPValue::ShortShortUInt(*n),
        HeaderValue::I16(n) => AMQPValue::ShortInt(*n),
        HeaderValue::U16(n) => AMQPValue::ShortUInt(*n),
        HeaderValue::I32(n) => AMQPValue::LongInt(*n),
        HeaderValue::U32(n) => AMQPValue::LongUInt(*n),
        HeaderValue::I64(n) => AMQPValue::LongLongInt(*n),
        HeaderValue::F32(x) => AMQPValue::Float(*x),
        HeaderValue::F64(x) => AMQPValue::Double(*x),
        HeaderValue::Decimal(scale, value) => {
            AMQPValue::DecimalValue(DecimalValue { scale: *scale, value: *value })
        }
        // RabbitMQ has no short strings in tables: its mark for them means a 16-bit number.
        HeaderValue::ShortText(text) => AMQPValue::LongString(text.as_bytes().into()),
        HeaderValue::Text(bytes) => AMQPValue::LongString(bytes.as_slice().into()),
        HeaderValue::Bytes(bytes) => AMQPValue::ByteArray(bytes.as_slice().into()),
        HeaderValue::Timestamp(seconds) => AMQPValue::Timestamp(*seconds),
        HeaderValue::Array(values) => {
            AMQPValue::FieldArray(values.iter().map(to_value).collect::<Result<Vec<_>, _>>()?.into())
        }
        HeaderValue::Table(table) => AMQPValue::FieldTable(to_table(table)?),
        HeaderValue::Void => AMQPValue::Void,
    })
}

fn from_value(value: &AMQPValue) -> HeaderValue {
    match value {
        AMQPValue::Boolean(b) => HeaderValue::Bool(*b),
        AMQPValue::ShortShortInt(n) => HeaderValue::I8(*n),
        AMQPValue::ShortShortUInt(n) => HeaderValue::U8(*n),
        AMQPValue::ShortInt(n) => HeaderValue::I16(*n),
        AMQPValue::ShortUInt(n) => HeaderValue::U16(*n),
        AMQPValue::LongInt(n) => HeaderValue::I32(*n),
        AMQPValue::LongUInt(n) => HeaderValue::U32(*n),
        AMQPValue::LongLongInt(n) => HeaderValue::I64(*n),
        AMQPValue::Float(x) => HeaderValue::F32(*x),
        AMQPValue::Double(x) => HeaderValue::F64(*x),
        AMQPValue::DecimalValue(decimal) => HeaderValue::Decimal(decimal.scale, decimal.value),
        AMQPValue::ShortString(text) => HeaderValue::ShortText(text.as_str().to_owned()),
        AMQPValue::LongString(text) => HeaderValue::Text(text.as_bytes().to_vec()),
        AMQPValue::FieldArray(values) => {
            HeaderValue::Array(values.as_slice().iter().map(from_value).collect())
        }
        AMQPValue::Timestamp(seconds) => HeaderValue::Timestamp(*seconds),
        AMQPValue::FieldTable(table) => HeaderValue::Table(from_table(table)),
        AMQPValue::ByteArray(bytes) => HeaderValue::Bytes(bytes.as_slice().to_vec()),
        AMQPValue::Void => HeaderValue::Void,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_type() -> Vec<(String, HeaderValue)> {
        let values = vec![
            HeaderValue::Bool(true),
            HeaderValue::I8(-8),
            HeaderValue::U8(8),
            HeaderValue::I16(-16),
            HeaderValue::U16(16),
            HeaderValue::I32(-32),
            HeaderValue::U32(32),
            HeaderValue::I64(-64),
            HeaderValue::F32(0.5),
            HeaderValue::F64(0.25),
            HeaderValue::Decimal(2, 314),
            HeaderValue::Text(b"\xcf\xf0\xe8\xe2\xe5\xf2".to_vec()),
            HeaderValue::Bytes(vec![0, 255]),
            HeaderValue::Timestamp(1_700_000_000),
            HeaderValue::Void,
            HeaderValue::Table(vec![("k".into(), HeaderValue::text("v"))]),
        ];
        let mut headers: Vec<_> =
            values.iter().enumerate().map(|(n, value)| (format!("h{n:02}"), value.clone())).collect();
        headers.push(("list".into(), HeaderValue::Array(values)));
        headers
    }

    #[test]
    fn properties_and_headers_of_every_type_come_back_as_they_went() {
        let text = |text: &str| Some(text.to_owned());
        let ours = Properties {
            content_type: text("application/json"),
            content_encoding: text("zstd"),
            headers: every_type(),
            delivery_mode: Some(2),
            priority: Some(9),
            correlation_id: text("c"),
            reply_to: text("r"),
            expiration: text("1000"),
            message_id: text("m"),
            timestamp: Some(17),
            kind: text("k"),
            user_id: text("u"),
            app_id: text("a"),
        };
        assert!(from_lapin(&to_lapin(&ours).unwrap()) == ours);
        assert!(from_lapin(&to_lapin(&Properties::default()).unwrap()) == Properties::default());
    }

    #[test]
    fn a_text_beyond_255_bytes_is_an_error_that_does_not_repeat_it() {
        let long = "s".repeat(256);
        let in_property = Properties { message_id: Some(long.clone()), ..Properties::default() };
        let in_header = Properties { headers: vec![(long, HeaderValue::Void)], ..Properties::default() };
        for (properties, named) in [(in_property, "message_id"), (in_header, "header")] {
            let fault = to_lapin(&properties).unwrap_err().to_string();
            assert!(fault.contains(named) && !fault.contains("sss"), "{fault}");
        }
    }
}
