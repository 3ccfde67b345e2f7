//! Holds every message that suppressd publishes in these tests to the documents of `deploy/contract`.
//!
//! It stands where tests receive, so no test can forget it. Which document speaks of a message is read from
//! `asyncapi.yaml`, by exchange and routing key. Bodies beyond [`BODY_BYTES_MAX`] are not looked into: they come in
//! load tests by the hundred, were made by the same code as the small ones, and would be measured along with the worker.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::read::MultiGzDecoder;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use self::beyond::wrong_in;
use self::documents::CLOSED;
use self::routes::route_of;

#[path = "../../contract/beyond.rs"]
mod beyond;
#[path = "../../contract/documents.rs"]
mod documents;
#[path = "../../contract/routes.rs"]
mod routes;
#[path = "../../contract/yaml.rs"]
mod yaml;

/// Larger bodies are passed over.
const BODY_BYTES_MAX: usize = 256 << 10;

/// Where suppressd alone publishes, and what begins the names of its own queues.
const OURS: [&str; 3] = ["suppressd.filtered", "suppressd.events", "suppressd.dead"];
const OWN_QUEUES: &str = "suppressd.";

static WAIVED: AtomicBool = AtomicBool::new(false);

/// For benchmarks: they receive what others publish in suppressd's place, and would measure the looking.
pub(crate) fn waive() {
    WAIVED.store(true, Ordering::Relaxed);
}

/// Fails if a message that suppressd published is not what the documents say.
pub(super) fn hold(exchange: &str, routing_key: &str, properties: &BasicProperties, body: &[u8]) {
    if WAIVED.load(Ordering::Relaxed) {
        return;
    }
    let is_reply = exchange.is_empty() && !routing_key.starts_with(OWN_QUEUES);
    if !is_reply && !OURS.contains(&exchange) {
        return;
    }
    let route = route_of(exchange, routing_key).unwrap_or_else(|why| panic!("{why}"));
    if let Some(document) = &route.headers {
        CLOSED.insist(document, &headers(properties));
    }
    let Some(document) = route.payload.as_deref().filter(|_| body.len() <= BODY_BYTES_MAX) else { return };
    let unpacked = unpacked(properties, body);
    let is_json = serde_json::from_slice::<IgnoredAny>(&unpacked);
    is_json.unwrap_or_else(|error| panic!("{}: its body is not JSON: {error}", route.name));
    // A sender's own members may hold what JSON has and a `Value` has not: half a surrogate pair, 1e999.
    let Ok(value) = serde_json::from_slice::<Value>(&unpacked) else { return };
    CLOSED.insist(document, &value);
    assert_eq!(*properties.delivery_mode(), Some(2), "{}: it is persistent", route.name);
    assert_eq!(wrong_in(document, &value), None, "{}: {value}", route.name);
    if document != "filtered-job.schema.json" {
        let content_type = properties.content_type().as_ref().map(ShortString::as_str);
        assert_eq!(content_type, Some("application/json"), "{}", route.name);
    }
}

fn unpacked(properties: &BasicProperties, body: &[u8]) -> Vec<u8> {
    let encoding = properties.content_encoding().as_ref().map_or("", ShortString::as_str);
    let mut unpacked = Vec::new();
    let read = match encoding.to_ascii_lowercase().as_str() {
        "gzip" => MultiGzDecoder::new(body).read_to_end(&mut unpacked),
        "zstd" => zstd::Decoder::new(body).and_then(|mut decoder| decoder.read_to_end(&mut unpacked)),
        _ => return body.to_vec(),
    };
    read.expect("what suppressd packs unpacks again");
    unpacked
}

/// Headers as JSON. Of what is neither text nor a whole number only its kind matters here.
fn headers(properties: &BasicProperties) -> Value {
    let value = |value: &AMQPValue| match value {
        AMQPValue::LongString(text) => String::from_utf8_lossy(text.as_bytes()).into_owned().into(),
        AMQPValue::ShortString(text) => text.as_str().into(),
        AMQPValue::LongLongInt(number) => (*number).into(),
        AMQPValue::LongInt(number) => (*number).into(),
        AMQPValue::FieldArray(_) => Value::Array(vec![]),
        _ => Value::Null,
    };
    let table = properties.headers().iter().flat_map(FieldTable::inner);
    table.map(|(name, it)| (name.to_string(), value(it))).collect::<Map<_, _>>().into()
}
