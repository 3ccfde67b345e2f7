//! The W3C trace context of a message: which trace it belongs to, and which span it came from.
//!
//! `traceparent` is read as strictly as the recommendation says: one that breaks a rule is no context at all, and
//! then `tracestate` means nothing either. Text and bytes are both understood, for clients differ in what they make
//! of a string. `tracestate` is other people's: it is handed on unread. Deliberately absent: baggage, which is
//! whatever a publisher likes to say of a person.

use std::fmt;

use crate::service::message::{HeaderValue, Properties};

/// Which trace, and which span in it.
pub const TRACEPARENT: &str = "traceparent";

/// What tracing systems on the way want to know again.
pub const TRACESTATE: &str = "tracestate";

/// A longer `tracestate` is not copied: the recommendation asks for no more.
pub const TRACESTATE_BYTES_MAX: usize = 512;

/// The length of a `traceparent` of version 00; later versions may add to it.
const LENGTH: usize = 55;

/// The flag of a trace that its first service chose to record.
const SAMPLED: u8 = 0b01;

/// The flag of a trace whose id is random; who hands a trace on keeps it.
const RANDOM: u8 = 0b10;

/// Names a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(pub [u8; 16]);

/// Names a span within a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(pub [u8; 8]);

/// A place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// Which trace.
    pub trace: TraceId,
    /// Which span in it.
    pub span: SpanId,
    flags: u8,
}

impl TraceContext {
    /// The beginning of a trace of our own.
    pub(super) fn root(trace: TraceId, span: SpanId, sampled: bool) -> Self {
        Self { trace, span, flags: u8::from(sampled) }
    }

    /// Another span of the same trace.
    pub(super) fn with_span(self, span: SpanId) -> Self {
        Self { span, flags: self.flags & (SAMPLED | RANDOM), ..self }
    }

    /// Reads a `traceparent`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (fixed, rest) = text.split_at_checked(LENGTH)?;
        let [version, trace, span, flags] = [&fixed[..2], &fixed[3..35], &fixed[36..52], &fixed[53..]];
        let dashes = [2, 35, 52].iter().all(|at| fixed[*at] == b'-');
        let version: [u8; 1] = hex(version)?;
        let known_end = match version[0] {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest[0] == b'-',
        };
        let (trace, span, [flags]) = (hex(trace)?, hex(span)?, hex(flags)?);
        let named = trace != [0; 16] && span != [0; 8];
        (dashes && known_end && named).then_some(Self { trace: TraceId(trace), span: SpanId(span), flags })
    }

    /// The context that a message came with.
    pub fn of(message: &Properties) -> Option<Self> {
        Self::parse(bytes(header(message, TRACEPARENT)?)?)
    }

    /// Whether who began the trace wants it recorded.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The flags, as OTLP has them.
    pub fn flags(&self) -> u8 {
        self.flags
    }
}

impl fmt::Display for TraceContext {
    /// As a `traceparent` of version 00.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace, self.span, self.flags)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// Whether a message says anything about a trace, right or wrong.
pub(super) fn says_something(message: &Properties) -> bool {
    header(message, TRACEPARENT).is_some()
}

/// Gives a message this `traceparent`, and the `tracestate` of its cause; without a cause, none.
pub(super) fn put(message: &mut Properties, traceparent: HeaderValue, cause: Option<&Properties>) {
    let Some(cause) = cause else {
        message.headers.retain(|(name, _)| name != TRACEPARENT && name != TRACESTATE);
        return message.headers.push((TRACEPARENT.into(), traceparent));
    };
    message.headers.retain(|(name, _)| name != TRACEPARENT);
    message.headers.push((TRACEPARENT.into(), traceparent));
    let state = header(cause, TRACESTATE).filter(|_| header(message, TRACESTATE).is_none());
    let short = |state: &&HeaderValue| bytes(state).is_some_and(|text| text.len() <= TRACESTATE_BYTES_MAX);
    if let Some(state) = state.filter(short) {
        message.headers.push((TRACESTATE.into(), state.clone()));
    }
}

/// A header that is there at most once: the names in an AMQP table are unique.
pub(super) fn header<'a>(message: &'a Properties, name: &str) -> Option<&'a HeaderValue> {
    message.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value)
}

fn bytes(value: &HeaderValue) -> Option<&[u8]> {
    match value {
        HeaderValue::Text(bytes) | HeaderValue::Bytes(bytes) => Some(bytes),
        HeaderValue::ShortText(text) => Some(text.as_bytes()),
        _ => None,
    }
}

/// Exactly so many bytes in lower-case hexadecimal digits.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut read = [0; N];
    for (byte, pair) in read.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_traceparent_is_read_as_the_recommendation_says() {
        for (text, sampled) in [
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", Some(true)),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", Some(false)),
            // Flags that are not known yet say nothing.
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", Some(true)),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe", Some(false)),
            // Later versions begin as this one does.
            ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", Some(true)),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be", Some(true)),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-", Some(true)),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what-the-future-will-be", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", None),
            ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None),
            ("FF-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None),
            ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", None),
            ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e47366-00f067aa0ba902b7-01", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b-01", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-001", None),
            ("0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None),
            ("00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e473x-00f067aa0ba902b7-01", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-+1", None),
            (" 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", None),
            ("", None),
        ] {
            let read = TraceContext::parse(text.as_bytes());
            assert_eq!(read.map(|context| context.is_sampled()), sampled, "{text:?}");
            if let Some(context) = read {
                assert_eq!(
                    (context.trace.to_string(), context.span.to_string()),
                    (TRACE.to_owned(), "00f067aa0ba902b7".to_owned())
                );
            }
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_flags_of_the_future_are_not_handed_on() {
        let text = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff";
        let child = TraceContext::parse(text).unwrap().with_span(SpanId([0xab; 8]));
        assert_eq!(child.to_string(), format!("00-{TRACE}-abababababababab-03"));
        assert_eq!(TraceContext::parse(child.to_string().as_bytes()), Some(child));
        let root = TraceContext::root(TraceId([1; 16]), SpanId([2; 8]), false);
        assert_eq!(TraceContext::parse(root.to_string().as_bytes()), Some(root));
    }

    #[test]
    fn a_context_may_come_as_text_or_as_bytes_under_its_lower_case_name() {
        let text = format!("00-{TRACE}-00f067aa0ba902b7-01");
        for (name, value, read) in [
            (TRACEPARENT, HeaderValue::text(text.clone()), true),
            (TRACEPARENT, HeaderValue::Bytes(text.clone().into_bytes()), true),
            (TRACEPARENT, HeaderValue::ShortText(text.clone()), true),
            (TRACEPARENT, HeaderValue::I64(1), false),
            ("Traceparent", HeaderValue::text(text), false),
        ] {
            let message = Properties { headers: vec![(name.into(), value)], ..Properties::default() };
            assert_eq!(TraceContext::of(&message).is_some(), read, "{name}");
        }
    }
}
