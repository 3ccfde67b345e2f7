//! Campaign jobs: read, filtered by splicing, reported.
//!
//! A job stays the text that came in. [`decode()`] finds where its recipients lie and what the filter needs
//! to know; [`filtered`] copies the text around the removed ones, so that everything kept is
//! byte-identical by construction. The body is never turned into a tree.
//!
//! What is checked first decides the reason: `bad_encoding` and the unpacked size (see
//! [`encoding`](super::encoding)), `bad_json` for the whole document, then `bad_schema` and the other
//! limits in the order of the document, `unknown_channel`, `unknown_brand`, `unknown_region`.

mod cursor;
mod decode;
mod encode;
mod members;
mod outline;
mod raw;
mod recipient;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::domain::filter::Identifiers;
use crate::domain::words::{Channel, Purpose};

pub use decode::decode;
pub(super) use encode::Removed;
pub use encode::{Stamp, filtered, report};
pub use recipient::recipient;

/// The most bytes a `job_id` has.
pub const JOB_ID_BYTES_MAX: usize = 128;

/// How deep a job's objects and arrays may lie inside each other, those of the contract included: what
/// goes out can be read by parsers that stop at 128, as many do.
pub const NESTING_LEVELS_MAX: usize = 127;

/// What a job may weigh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobLimits {
    /// Bytes of the body once it is unpacked.
    pub unpacked_bytes_max: usize,
    /// Recipients of all segments together.
    pub recipients_max: usize,
    /// Segments.
    pub segments_max: usize,
}

impl Default for JobLimits {
    fn default() -> Self {
        Self { unpacked_bytes_max: 16 << 20, recipients_max: 200_000, segments_max: 64 }
    }
}

/// The configured names that a job may use.
pub trait Names {
    /// The code of a region: of a code itself, or of an alias that stands for exactly one.
    fn region(&self, name: &str) -> Option<Arc<str>>;

    /// A configured brand.
    fn brand(&self, name: &str) -> Option<Arc<str>>;
}

/// Which piece of a campaign a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Counts from 0.
    pub index: u32,
    /// How many there are.
    pub of: u32,
}

/// A job that keeps every rule of the contract. It borrows the unpacked body.
///
/// Not `Debug`: it holds people.
pub struct Job<'a> {
    /// Names this message.
    pub job_id: Cow<'a, str>,
    /// Names the campaign that it is a part of.
    pub campaign_id: Cow<'a, str>,
    /// How it reaches people.
    pub channel: Channel,
    /// On whose behalf, as configured.
    pub brand: Arc<str>,
    /// Why it is sent.
    pub purpose: Purpose,
    /// Which piece it is, if it says so.
    pub part: Option<Part>,
    /// Until when senders may send it, if it says so.
    pub send_until: Option<Timestamp>,
    segments: Vec<Segment<'a>>,
    recipients: Vec<Range<usize>>,
    identifiers: Vec<Identifiers<'a>>,
    suppression: Option<Range<usize>>,
    text: &'a str,
}

struct Segment<'a> {
    /// As written.
    region: &'a RawValue,
    code: Arc<str>,
    recipients: Range<usize>,
}

impl<'a> Job<'a> {
    /// The code of each segment's region, with the identifiers of its recipients: what
    /// [`prepare`](crate::domain::filter::prepare) takes.
    pub fn segments(&self) -> impl Iterator<Item = (Arc<str>, &[Identifiers<'a>])> {
        self.segments
            .iter()
            .map(|segment| (Arc::clone(&segment.code), &self.identifiers[segment.recipients.clone()]))
    }

    /// How many bytes the whole job has.
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    /// How many recipients there are.
    pub fn recipients_len(&self) -> usize {
        self.recipients.len()
    }

    /// Each recipient's JSON text.
    pub fn recipients(&self) -> impl Iterator<Item = &'a str> {
        self.recipients.iter().map(|place| &self.text[place.clone()])
    }
}

#[cfg(test)]
mod tests;
