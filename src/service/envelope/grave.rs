//! What the headers of a dead letter say of it, and what the message was before it went there.
//!
//! Two put messages there: a worker, whose headers are to be believed, and RabbitMQ itself, which keeps whatever the
//! publisher wrote. There an `x-suppressd-*` header is the publisher's own, and believing it would let anybody
//! sign in another's name. `x-death` tells the two apart: RabbitMQ puts its entry in front of any that were there.
//! Where both claim a message, somebody made one of them up, and only what both say counts.

use jiff::Timestamp;

use super::{
    AT, DETAIL, EXPIRATION, HEADERS_CUT, QUEUE, REASON, USER_ID, is_broker_made, is_own, leave_waiting,
    put_text,
};
use crate::domain::words::{DeadReason, vocabulary};
use crate::service::message::{HeaderValue, Properties};

vocabulary! {
    /// Why RabbitMQ itself moved a message to the dead queue.
    BrokerReason {
        /// It was taken too often without being settled: no client could read it.
        DeliveryLimit => "delivery_limit",
        /// Its `expiration` was over before a worker took it.
        Expired => "expired",
        /// A policy limits the queue.
        MaxLength => "maxlen",
        /// Some client refused it.
        Rejected => "rejected",
    }
}

/// Why a message is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A worker found it at fault.
    Fault(DeadReason),
    /// RabbitMQ moved it.
    Broker(BrokerReason),
    /// It does not say: somebody else put it there, or a newer worker did.
    Unknown,
}

const UNKNOWN: &str = "unknown";

impl Cause {
    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fault(reason) => reason.as_str(),
            Self::Broker(reason) => reason.as_str(),
            Self::Unknown => UNKNOWN,
        }
    }

    /// The cause with exactly this code.
    pub fn parse(text: &str) -> Option<Self> {
        let fault = || DeadReason::parse(text).map(Self::Fault);
        let broker = || BrokerReason::parse(text).map(Self::Broker);
        fault().or_else(broker).or_else(|| (text == UNKNOWN).then_some(Self::Unknown))
    }

    /// Every code.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        let faults = DeadReason::ALL.iter().map(|reason| reason.as_str());
        faults.chain(BrokerReason::ALL.iter().map(|reason| reason.as_str())).chain([UNKNOWN])
    }
}

/// The queue that a message died in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// That of jobs.
    Jobs,
    /// That of events.
    OptOuts,
    /// The waiting room.
    Waiting,
}

impl Home {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Jobs, Self::OptOuts, Self::Waiting];
}

/// What a dead letter says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grave {
    /// Why it is dead.
    pub cause: Cause,
    /// Where it died, if that is known for certain.
    pub home: Option<Home>,
    /// When.
    pub at: Option<Timestamp>,
    /// A place in the message and the rule broken, never a value.
    pub detail: Option<String>,
    /// The publisher that RabbitMQ verified.
    pub publisher: Option<String>,
    /// The `expiration` that it was published with.
    pub expiration: Option<String>,
    /// How many headers it has of its publisher.
    pub headers: usize,
    /// How many of those are gone.
    pub headers_cut: u64,
}

/// The newest entry of `x-death`.
struct Death<'a> {
    home: Home,
    cause: Cause,
    at: Option<Timestamp>,
    expiration: Option<&'a str>,
}

/// Reads a dead letter's headers. `home_of` knows our own queues by their names.
pub fn read(letter: &Properties, home_of: impl Fn(&str) -> Option<Home>) -> Grave {
    let headers = &letter.headers;
    let told = text(headers, REASON);
    let queue = text(headers, QUEUE).and_then(&home_of);
    let foreign = headers.iter().filter(|(name, _)| !is_own(name) && !is_broker_made(name)).count();
    let Some(death) = last_death(headers, &home_of) else {
        return Grave {
            cause: told.and_then(DeadReason::parse).map_or(Cause::Unknown, Cause::Fault),
            home: told.and(queue),
            at: text(headers, AT).and_then(|at| at.parse().ok()),
            detail: text(headers, DETAIL).map(ToOwned::to_owned),
            publisher: text(headers, USER_ID).map(ToOwned::to_owned),
            expiration: text(headers, EXPIRATION).map(ToOwned::to_owned),
            headers: foreign,
            headers_cut: count(headers, HEADERS_CUT),
        };
    };
    // Only workers write to the waiting room, so its headers are ours, too.
    let waiting = death.home == Home::Waiting && told.is_none();
    let kept = |name| text(headers, name).filter(|_| waiting).map(ToOwned::to_owned);
    Grave {
        cause: death.cause,
        home: Some(death.home).filter(|home| told.is_none() || queue == Some(*home)),
        at: death.at,
        detail: None,
        publisher: letter.user_id.clone().or_else(|| kept(USER_ID)),
        expiration: death.expiration.map(ToOwned::to_owned).or_else(|| kept(EXPIRATION)),
        headers: foreign,
        headers_cut: 0,
    }
}

/// What a dead letter was before, as our own user may publish it: its routing key and its properties.
///
/// RabbitMQ takes no message in the name of somebody else, so the verified publisher stays in a header, which
/// [`super::readmit`] believes of our own user alone. A message without a publisher gets none.
pub fn leave_dead(
    letter: Properties,
    routing_key: String,
    grave: &Grave,
    own_user: &str,
) -> (String, Properties) {
    let (routing_key, mut original) = match grave.home {
        Some(Home::Waiting) => {
            let (route, job) = leave_waiting(letter);
            (route.routing_key, job)
        }
        _ => (routing_key, letter),
    };
    original.headers.retain(|(name, _)| !is_own(name) && !is_broker_made(name));
    original.expiration.clone_from(&grave.expiration);
    original.user_id = None;
    if let Some(publisher) = &grave.publisher {
        original.user_id = Some(own_user.to_owned());
        put_text(&mut original, USER_ID, publisher);
    }
    (routing_key, original)
}

/// RabbitMQ's own entry, if it was it who moved the message out of one of our queues.
fn last_death(
    headers: &[(String, HeaderValue)],
    home_of: impl Fn(&str) -> Option<Home>,
) -> Option<Death<'_>> {
    let HeaderValue::Array(deaths) = find(headers, "x-death")? else { return None };
    let HeaderValue::Table(death) = deaths.first()? else { return None };
    let home = text(death, "queue").and_then(home_of)?;
    let cause = text(death, "reason").and_then(BrokerReason::parse).map_or(Cause::Unknown, Cause::Broker);
    let at = match find(death, "time") {
        Some(HeaderValue::Timestamp(seconds)) => i64::try_from(*seconds).ok(),
        _ => None,
    };
    let at = at.and_then(|seconds| Timestamp::from_second(seconds).ok());
    Some(Death { home, cause, at, expiration: text(death, "original-expiration") })
}

fn find<'a>(table: &'a [(String, HeaderValue)], name: &str) -> Option<&'a HeaderValue> {
    table.iter().find(|(header, _)| header == name).map(|(_, value)| value)
}

fn text<'a>(table: &'a [(String, HeaderValue)], name: &str) -> Option<&'a str> {
    match find(table, name)? {
        HeaderValue::Text(bytes) => std::str::from_utf8(bytes).ok(),
        HeaderValue::ShortText(text) => Some(text),
        _ => None,
    }
}

fn count(table: &[(String, HeaderValue)], name: &str) -> u64 {
    match find(table, name) {
        Some(HeaderValue::I64(count)) => u64::try_from(*count).unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
