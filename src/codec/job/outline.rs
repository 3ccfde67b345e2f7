//! The one pass over a job's body: where everything lies, and the recipients' identifiers.
//!
//! The walk only takes apart; what a member may hold is checked in `decode`. It ends at the first fault. Whether
//! the document is JSON at all is then settled on its own, because that comes first.

use std::fmt;
use std::ops::Range;

use serde_json::value::RawValue;

use super::super::fault::Fault;
use super::cursor::{Cursor, Stop};
use super::members::Misshapen;
use super::raw;
use super::{JobLimits, NESTING_LEVELS_MAX, recipient};
use crate::domain::filter::Identifiers;
use crate::domain::words::{DeadReason, IdentifierKind};

/// The members of a job that the contract names, but for `segments`.
const JOB: [&str; 8] =
    ["job_id", "campaign_id", "channel", "brand", "purpose", "part", "send_until", "suppression"];
const SUPPRESSION: usize = 7;

/// The members of a segment that the contract names, but for `recipients`.
const SEGMENT: [&str; 2] = ["region", "recipients"];

/// What a recipient takes, more or less: room for so many is made at once.
const RECIPIENT_BYTES: usize = 128;

/// A job taken apart, nothing but its shape checked.
#[derive(Default)]
pub(super) struct Outline<'a> {
    /// `job_id`, `campaign_id`, `channel`, `brand`, `purpose`, `part`, `send_until`, `suppression`.
    pub(super) members: [Option<&'a str>; JOB.len()],
    /// Where an old `suppression` lies, key and comma included.
    pub(super) suppression: Option<Range<usize>>,
    pub(super) segments: Option<Vec<SegmentOutline<'a>>>,
    /// Where each recipient lies, of all segments.
    pub(super) recipients: Vec<Range<usize>>,
    /// What each recipient is known by.
    pub(super) identifiers: Vec<Identifiers<'a>>,
}

#[derive(Default)]
pub(super) struct SegmentOutline<'a> {
    pub(super) region: Option<&'a RawValue>,
    /// Which of the job's recipients are in it.
    pub(super) recipients: Option<Range<usize>>,
}

/// Takes a job apart.
pub(super) fn read<'a>(text: &'a str, limits: &JobLimits) -> Result<Outline<'a>, Fault> {
    let likely = text.len() / RECIPIENT_BYTES;
    let outline = Outline {
        recipients: Vec::with_capacity(likely),
        identifiers: Vec::with_capacity(likely),
        ..Outline::default()
    };
    let mut reader = Reader { text, limits, outline };
    match reader.document(&mut Cursor::new(text)) {
        Ok(()) => Ok(reader.outline),
        Err(refused) => Err(raw::not_json(text).unwrap_or_else(|| refused.into())),
    }
}

/// Why a job cannot be taken apart.
enum Refused {
    Fault(Fault),
    NotJson,
}

impl Refused {
    fn schema(pointer: impl fmt::Display, rule: impl fmt::Display) -> Self {
        Self::Fault(Fault::schema(pointer, rule))
    }

    fn twice(parent: impl fmt::Display, name: &str) -> Self {
        Self::schema(format_args!("{parent}/{name}"), "given twice")
    }

    /// A value that could not be walked over, at or below this place.
    fn stopped(stop: Stop, pointer: impl fmt::Display) -> Self {
        match stop {
            Stop::NotJson => Self::NotJson,
            Stop::TooDeep => Self::Fault(Fault::at(DeadReason::BadJson, pointer, stop.rule())),
        }
    }
}

impl From<Stop> for Refused {
    fn from(stop: Stop) -> Self {
        Self::stopped(stop, "")
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Fault(fault) => fault,
            Refused::NotJson => Self::whole(DeadReason::BadJson, "the body is not JSON"),
        }
    }
}

struct Reader<'l, 'a> {
    text: &'a str,
    limits: &'l JobLimits,
    outline: Outline<'a>,
}

impl<'a> Reader<'_, 'a> {
    fn document(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Refused> {
        if cursor.byte() != Some(b'{') {
            return Err(Refused::Fault(Fault::whole(
                DeadReason::BadSchema,
                "the document must be an object",
            )));
        }
        cursor.object(|cursor, name| {
            if raw::named(name, |name| (name == "segments").then_some(())).is_some() {
                return self.segments(cursor);
            }
            let value = value(cursor, 1, "")?;
            match raw::named(name, |name| JOB.iter().position(|known| *known == name)) {
                Some(index) => self.member(index, name, value),
                None => Ok(()),
            }
        })?;
        if cursor.is_at_end() { Ok(()) } else { Err(Refused::NotJson) }
    }

    fn member(&mut self, index: usize, name: &'a str, value: &'a str) -> Result<(), Refused> {
        if self.outline.members[index].replace(value).is_some() {
            return Err(Refused::twice("", JOB[index]));
        }
        if index == SUPPRESSION {
            self.outline.suppression = Some(self.cut(name, value));
        }
        Ok(())
    }

    /// The text that a dropped member takes with it: up to the next member, or from the comma before.
    fn cut(&self, name: &str, value: &str) -> Range<usize> {
        let start = raw::place(self.text, name).start;
        let end = raw::place(self.text, value).end;
        let after = self.text[end..].trim_start_matches(raw::SPACE);
        if let Some(next) = after.strip_prefix(',') {
            return start..self.text.len() - next.trim_start_matches(raw::SPACE).len();
        }
        let before = self.text[..start].trim_end_matches(raw::SPACE);
        let before = before.strip_suffix(',').map_or(start, |text| text.trim_end_matches(raw::SPACE).len());
        before..end
    }

    fn segments(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Refused> {
        if self.outline.segments.is_some() {
            return Err(Refused::twice("", "segments"));
        }
        if cursor.byte() != Some(b'[') {
            return Err(Refused::schema("/segments", "must be an array"));
        }
        let mut segments = Vec::new();
        cursor.array(|cursor| {
            if segments.len() == self.limits.segments_max {
                let rule = format!("the job has more than {} segments", self.limits.segments_max);
                return Err(Refused::Fault(Fault::at(DeadReason::TooLarge, "/segments", rule)));
            }
            segments.push(self.segment(cursor, segments.len())?);
            Ok(())
        })?;
        self.outline.segments = Some(segments);
        Ok(())
    }

    fn segment(&mut self, cursor: &mut Cursor<'a>, index: usize) -> Result<SegmentOutline<'a>, Refused> {
        let pointer = format_args!("/segments/{index}");
        if cursor.byte() != Some(b'{') {
            return Err(Refused::schema(pointer, "must be an object"));
        }
        let mut segment = SegmentOutline::default();
        cursor.object(|cursor, name| {
            match raw::named(name, |name| SEGMENT.iter().position(|known| *known == name)) {
                Some(0) if segment.region.is_some() => return Err(Refused::twice(pointer, SEGMENT[0])),
                Some(0) => {
                    let region = value(cursor, 3, pointer)?;
                    segment.region = Some(serde_json::from_str(region).map_err(|_| Refused::NotJson)?);
                }
                Some(_) if segment.recipients.is_some() => return Err(Refused::twice(pointer, SEGMENT[1])),
                Some(_) => segment.recipients = Some(self.recipients(cursor, index)?),
                None => drop(value(cursor, 3, pointer)?),
            }
            Ok(())
        })?;
        Ok(segment)
    }

    fn recipients(&mut self, cursor: &mut Cursor<'a>, segment: usize) -> Result<Range<usize>, Refused> {
        if cursor.byte() != Some(b'[') {
            let pointer = format_args!("/segments/{segment}/recipients");
            return Err(Refused::schema(pointer, "must be an array"));
        }
        let first = self.outline.recipients.len();
        cursor.array(|cursor| self.recipient(cursor, segment, self.outline.recipients.len() - first))?;
        Ok(first..self.outline.recipients.len())
    }

    fn recipient(&mut self, cursor: &mut Cursor<'a>, segment: usize, index: usize) -> Result<(), Refused> {
        let pointer = format_args!("/segments/{segment}/recipients/{index}");
        if self.outline.recipients.len() == self.limits.recipients_max {
            let rule = format!("the job has more than {} recipients", self.limits.recipients_max);
            return Err(Refused::Fault(Fault::at(DeadReason::TooLarge, pointer, rule)));
        }
        let start = cursor.at();
        let read = recipient::identifiers(cursor, NESTING_LEVELS_MAX - 5);
        let (identifiers, end) = read.map_err(|misshapen| match misshapen {
            Misshapen::NoObject => Refused::schema(pointer, "must be an object"),
            Misshapen::Twice(kind) => Refused::twice(pointer, IdentifierKind::ALL[kind].as_str()),
            Misshapen::Stopped(stop) => Refused::stopped(stop, pointer),
        })?;
        self.outline.recipients.push(start..end);
        self.outline.identifiers.push(identifiers);
        Ok(())
    }
}

/// A value that lies in so many objects and arrays of the job, and is not looked into.
fn value<'a>(
    cursor: &mut Cursor<'a>,
    around_it: usize,
    pointer: impl fmt::Display,
) -> Result<&'a str, Refused> {
    cursor.value(NESTING_LEVELS_MAX - around_it).map_err(|stop| Refused::stopped(stop, pointer))
}
