//! What becomes of a message's properties on its way through: output, dead letter, waiting room and back.
//!
//! Two things must stay true. No copy carries `user_id` (RabbitMQ refuses a name other than our own) or
//! an `x-suppressd-*` header that the publisher wrote: those headers are ours alone, so that a reader may
//! believe them. And every copy's properties fit into one AMQP frame, whatever the publisher sent.
//! The way out of the dead queue is in [`grave`]. Deliberately absent: bodies, routing decisions and the clock.

pub mod grave;

use super::message::{HeaderValue, Properties};
use crate::domain::words::DeadReason;

/// Every header of ours begins so.
pub const OWN_PREFIX: &str = "x-suppressd-";

/// The verified publisher of the original.
pub const USER_ID: &str = "x-suppressd-user-id";
const EXPIRATION: &str = "x-suppressd-expiration";
const REVISION: &str = "x-suppressd-revision";
const KEPT: &str = "x-suppressd-kept";
const REMOVED: &str = "x-suppressd-removed";
/// Why a dead letter is one.
pub const REASON: &str = "x-suppressd-reason";
/// The place in it, and the rule broken.
pub const DETAIL: &str = "x-suppressd-detail";
const QUEUE: &str = "x-suppressd-queue";
const AT: &str = "x-suppressd-at";
const HEADERS_CUT: &str = "x-suppressd-headers-cut";
const EXCHANGE: &str = "x-suppressd-exchange";
const ROUTING_KEY: &str = "x-suppressd-routing-key";
const CC: &str = "x-suppressd-cc";

/// What RabbitMQ, its plugins and its shovels write themselves. A sender's own `x-` headers are not here.
const BROKER_MADE: &[&str] = &[
    "x-acquired-count",
    "x-death",
    "x-delivery-count",
    "x-received-from",
    "x-routed-by",
    "x-shovelled",
    "x-shovelled-timestamp",
    "x-stream-offset",
];
const BROKER_MADE_PREFIXES: &[&str] = &["x-first-death-", "x-last-death-", "x-opt-"];

/// Counts of one delivery, wrong on any copy.
const OF_ONE_DELIVERY: &[&str] = &["x-acquired-count", "x-delivery-count", "x-stream-offset"];

/// Properties travel in one frame of at most 131,072 bytes; the rest is room for what we add.
pub const PROPERTIES_BYTES_MAX: usize = 126_000;

/// The detail of a dead letter is a pointer and a rule; beyond this it is cut.
pub const DETAIL_BYTES_MAX: usize = 512;

const PERSISTENT: Option<u8> = Some(2);

/// What the filter did, for the output's headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The list's revision that the job was filtered at.
    pub revision: u64,
    /// How many recipients are in the output.
    pub kept: u64,
    /// How many are not.
    pub removed: u64,
}

/// Why a message goes to the dead queue.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    /// The code.
    pub reason: DeadReason,
    /// A JSON pointer and the rule broken, never a value.
    pub detail: &'a str,
    /// The queue that the message was read from.
    pub queue: &'a str,
    /// When, as RFC 3339 text.
    pub at: &'a str,
}

/// Where a message was published to, which a move over the default exchange would lose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// The exchange.
    pub exchange: String,
    /// The routing key.
    pub routing_key: String,
}

/// Whether these properties leave no room for the headers of a copy: the message is `too_large`.
pub fn is_oversized(properties: &Properties) -> bool {
    encoded_bytes(properties) > PROPERTIES_BYTES_MAX
}

/// The properties of a filtered job.
pub fn filtered(input: &Properties, job_id: &str, stamp: Stamp) -> Properties {
    let mut output = input.clone();
    output.headers.retain(|(name, _)| !is_own(name) && !is_broker_made(name) && !is_copy_list(name));
    output.delivery_mode = PERSISTENT;
    output.message_id = input.message_id.clone().filter(|id| !id.is_empty()).or_else(|| Some(job_id.into()));
    move_user_id(&mut output);
    put_count(&mut output, REVISION, stamp.revision);
    put_count(&mut output, KEPT, stamp.kept);
    put_count(&mut output, REMOVED, stamp.removed);
    output
}

/// The properties of a dead letter: the original's, and why it is there.
pub fn dead_letter(input: &Properties, grounds: &Grounds<'_>) -> Properties {
    let mut dead = input.clone();
    dead.headers.retain(|(name, _)| !is_own(name) && !is_of_one_delivery(name));
    dead.delivery_mode = PERSISTENT;
    let cut = cut_headers(&mut dead);
    move_user_id(&mut dead);
    move_expiration(&mut dead);
    put_text(&mut dead, REASON, grounds.reason.as_str());
    put_text(&mut dead, DETAIL, head(grounds.detail, DETAIL_BYTES_MAX));
    put_text(&mut dead, QUEUE, grounds.queue);
    put_text(&mut dead, AT, grounds.at);
    if cut > 0 {
        put_count(&mut dead, HEADERS_CUT, cut);
    }
    dead
}

/// The properties of a job in the waiting room, from which [`leave_waiting`] makes the job again.
///
/// The expiration is put by, or RabbitMQ would drop the job there; `CC` is, or RabbitMQ would copy it
/// to whatever queues have those names.
pub fn enter_waiting(input: &Properties, route: &Route) -> Properties {
    let mut waiting = input.clone();
    waiting.headers.retain(|(name, _)| !is_own(name) && !is_of_one_delivery(name));
    waiting.delivery_mode = PERSISTENT;
    for (name, _) in waiting.headers.iter_mut().filter(|(name, _)| name == "CC") {
        name.replace_range(.., CC);
    }
    move_user_id(&mut waiting);
    move_expiration(&mut waiting);
    put_text(&mut waiting, EXCHANGE, &route.exchange);
    put_text(&mut waiting, ROUTING_KEY, &route.routing_key);
    waiting
}

/// What a message of the waiting room was before it went there.
///
/// To be called for that queue only: it believes headers that anybody could write elsewhere.
pub fn leave_waiting(waiting: Properties) -> (Route, Properties) {
    let mut job = waiting;
    let exchange = take_text(&mut job, EXCHANGE).unwrap_or_default();
    let routing_key = take_text(&mut job, ROUTING_KEY).unwrap_or_default();
    job.user_id = take_text(&mut job, USER_ID);
    job.expiration = take_text(&mut job, EXPIRATION);
    for (name, _) in job.headers.iter_mut().filter(|(name, _)| name == CC) {
        name.replace_range(.., "CC");
    }
    job.headers.retain(|(name, _)| !is_own(name));
    (Route { exchange, routing_key }, job)
}

/// Gives a message that came out of the dead queue its verified publisher back, on its way into a worker.
///
/// RabbitMQ lets nobody but our own user write our user's name, and our user writes this header there only where
/// the publisher was verified when the message first came. Whoever else sets the header speaks for nobody by it.
pub fn readmit(incoming: &mut Properties, own_user: &str) {
    let redriven = incoming.headers.iter().any(|(name, _)| name == USER_ID);
    if redriven && incoming.user_id.as_deref() == Some(own_user) {
        incoming.user_id = take_text(incoming, USER_ID);
    }
}

fn is_own(name: &str) -> bool {
    name.get(..OWN_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(OWN_PREFIX))
}

fn is_broker_made(name: &str) -> bool {
    BROKER_MADE.contains(&name) || BROKER_MADE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn is_of_one_delivery(name: &str) -> bool {
    OF_ONE_DELIVERY.contains(&name)
}

fn is_copy_list(name: &str) -> bool {
    matches!(name, "CC" | "BCC")
}

fn move_user_id(copy: &mut Properties) {
    if let Some(user) = copy.user_id.take() {
        put_text(copy, USER_ID, &user);
    }
}

fn move_expiration(copy: &mut Properties) {
    if let Some(expiration) = copy.expiration.take() {
        put_text(copy, EXPIRATION, &expiration);
    }
}

fn put_text(copy: &mut Properties, name: &str, text: &str) {
    copy.headers.push((name.into(), HeaderValue::text(text)));
}

fn put_count(copy: &mut Properties, name: &str, count: u64) {
    copy.headers.push((name.into(), HeaderValue::I64(i64::try_from(count).unwrap_or(i64::MAX))));
}

fn take_text(copy: &mut Properties, name: &str) -> Option<String> {
    let at = copy.headers.iter().position(|(header, _)| header == name)?;
    match copy.headers.remove(at).1 {
        HeaderValue::Text(bytes) => String::from_utf8(bytes).ok(),
        HeaderValue::ShortText(text) => Some(text),
        _ => None,
    }
}

/// Takes the largest headers off until a copy fits into a frame; says how many went.
fn cut_headers(copy: &mut Properties) -> u64 {
    let mut cut = 0;
    while is_oversized(copy) {
        let sizes = copy.headers.iter().enumerate();
        let Some((largest, _)) = sizes.max_by_key(|(_, (_, value))| value_bytes(value)) else { break };
        copy.headers.remove(largest);
        cut += 1;
    }
    cut
}

/// The longest beginning of at most so many bytes that is whole characters.
fn head(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// The size on the wire, never less than it is.
fn encoded_bytes(properties: &Properties) -> usize {
    let texts = [
        &properties.content_type,
        &properties.content_encoding,
        &properties.correlation_id,
        &properties.reply_to,
        &properties.expiration,
        &properties.message_id,
        &properties.kind,
        &properties.user_id,
        &properties.app_id,
    ];
    let texts: usize = texts.into_iter().flatten().map(|text| 1 + text.len()).sum();
    32 + texts + table_bytes(&properties.headers)
}

fn table_bytes(table: &[(String, HeaderValue)]) -> usize {
    table.iter().map(|(name, value)| 1 + name.len() + value_bytes(value)).sum()
}

fn value_bytes(value: &HeaderValue) -> usize {
    let content = match value {
        HeaderValue::ShortText(text) => text.len(),
        HeaderValue::Text(bytes) | HeaderValue::Bytes(bytes) => bytes.len(),
        HeaderValue::Array(values) => values.iter().map(value_bytes).sum(),
        HeaderValue::Table(table) => table_bytes(table),
        _ => 4,
    };
    5 + content
}

#[cfg(test)]
mod tests;
