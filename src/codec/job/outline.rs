//! The one pass over a job's body: where everything lies, and the recipients' identifiers.
//!
//! The visitors only take apart; what a member may hold is checked in `decode`. A visitor that refuses
//! leaves the fault in [`Reader`] and stops the parser; whether the document is JSON at all is then
//! settled on its own, because that comes first.

use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::super::fault::Fault;
use super::members::Misshapen;
use super::raw;
use super::{JobLimits, NESTING_LEVELS_MAX, recipient};
use crate::domain::filter::Identifiers;
use crate::domain::words::DeadReason;

/// The members of a job that the contract names, but for `segments`.
const JOB: [&str; 8] =
    ["job_id", "campaign_id", "channel", "brand", "purpose", "part", "send_until", "suppression"];
const SUPPRESSION: usize = 7;

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
    let mut reader = Reader { text, limits, outline: Outline::default(), fault: None };
    let mut document = serde_json::Deserializer::from_str(text);
    if document.deserialize_map(Document(&mut reader)).and_then(|()| document.end()).is_ok() {
        return Ok(reader.outline);
    }
    let no_object = || Fault::whole(DeadReason::BadSchema, "the document must be an object");
    Err(raw::not_json(text).or(reader.fault).unwrap_or_else(no_object))
}

struct Reader<'l, 'a> {
    text: &'a str,
    limits: &'l JobLimits,
    outline: Outline<'a>,
    fault: Option<Fault>,
}

impl<'a> Reader<'_, 'a> {
    /// Notes a fault and makes the error that stops the parser. The first fault stays.
    fn refuse<E: Error>(&mut self, fault: Fault) -> E {
        self.fault.get_or_insert(fault);
        E::custom("refused")
    }

    /// Passes an error on as the fault of a value that is not what the contract says.
    fn mistaken<E>(&mut self, error: E, pointer: impl fmt::Display, rule: &str) -> E {
        self.fault.get_or_insert_with(|| Fault::schema(pointer, rule));
        error
    }

    fn twice<E: Error>(&mut self, parent: impl fmt::Display, name: &str) -> E {
        self.refuse(Fault::schema(format_args!("{parent}/{name}"), "given twice"))
    }

    /// Refuses a value of the sender's own that lies too deep, counted from the document's root.
    fn check_nesting<E: Error>(
        &mut self,
        value: &RawValue,
        around_it: usize,
        pointer: impl fmt::Display,
    ) -> Result<(), E> {
        if raw::deeper_than(NESTING_LEVELS_MAX - around_it, value.get()) {
            let rule = format_args!("nested deeper than {NESTING_LEVELS_MAX} levels");
            return Err(self.refuse(Fault::at(DeadReason::BadJson, pointer, rule)));
        }
        Ok(())
    }

    /// The text that a dropped member takes with it: up to the next member, or from the comma before.
    fn cut(&self, key: &RawValue, value: &RawValue) -> Range<usize> {
        let start = raw::place(self.text, key.get()).start;
        let end = raw::place(self.text, value.get()).end;
        let after = self.text[end..].trim_start_matches(raw::SPACE);
        if let Some(next) = after.strip_prefix(',') {
            return start..self.text.len() - next.trim_start_matches(raw::SPACE).len();
        }
        let before = self.text[..start].trim_end_matches(raw::SPACE);
        let before = before.strip_suffix(',').map_or(start, |text| text.trim_end_matches(raw::SPACE).len());
        before..end
    }

    fn job_member<E: Error>(
        &mut self,
        index: usize,
        key: &'a RawValue,
        value: &'a RawValue,
    ) -> Result<(), E> {
        if self.outline.members[index].replace(value.get()).is_some() {
            return Err(self.twice("", JOB[index]));
        }
        if index == SUPPRESSION {
            self.outline.suppression = Some(self.cut(key, value));
        }
        Ok(())
    }

    fn add_recipient<E: Error>(
        &mut self,
        segment: usize,
        index: usize,
        value: &'a RawValue,
    ) -> Result<(), E> {
        let pointer = format_args!("/segments/{segment}/recipients/{index}");
        if self.outline.recipients.len() == self.limits.recipients_max {
            let rule = format!("the job has more than {} recipients", self.limits.recipients_max);
            return Err(self.refuse(Fault::at(DeadReason::TooLarge, pointer, rule)));
        }
        self.check_nesting(value, 4, pointer)?;
        match recipient::identifiers(value.get()) {
            Ok(identifiers) => self.outline.identifiers.push(identifiers),
            Err(Misshapen::NoObject) => return Err(self.refuse(Fault::schema(pointer, "must be an object"))),
            Err(Misshapen::Twice(name)) => return Err(self.twice(pointer, name)),
        }
        self.outline.recipients.push(raw::place(self.text, value.get()));
        Ok(())
    }
}

/// The whole document.
struct Document<'r, 'l, 'a>(&'r mut Reader<'l, 'a>);

impl<'a> Visitor<'a> for Document<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let reader = self.0;
        while let Some(key) = map.next_key::<&RawValue>()? {
            if raw::named(&["segments"], key.get()).is_some() {
                if reader.outline.segments.replace(Vec::new()).is_some() {
                    return Err(reader.twice("", "segments"));
                }
                map.next_value_seed(Segments(reader))
                    .map_err(|error| reader.mistaken(error, "/segments", "must be an array"))?;
                continue;
            }
            let value: &RawValue = map.next_value()?;
            reader.check_nesting(value, 1, "")?;
            if let Some(index) = raw::named(&JOB, key.get()) {
                reader.job_member(index, key, value)?;
            }
        }
        Ok(())
    }
}

/// The array of segments.
struct Segments<'r, 'l, 'a>(&'r mut Reader<'l, 'a>);

impl<'a> DeserializeSeed<'a> for Segments<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_seq(self)
    }
}

impl<'a> Visitor<'a> for Segments<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        let reader = self.0;
        for index in 0.. {
            let pointer = format_args!("/segments/{index}");
            let segment = seq
                .next_element_seed(Segment { reader, index })
                .map_err(|error| reader.mistaken(error, pointer, "must be an object"))?;
            match segment {
                Some(segment) => reader.outline.segments.get_or_insert_default().push(segment),
                None => break,
            }
        }
        Ok(())
    }
}

/// One segment.
struct Segment<'r, 'l, 'a> {
    reader: &'r mut Reader<'l, 'a>,
    index: usize,
}

impl<'a> DeserializeSeed<'a> for Segment<'_, '_, 'a> {
    type Value = SegmentOutline<'a>;

    fn deserialize<D: Deserializer<'a>>(self, value: D) -> Result<Self::Value, D::Error> {
        if self.index == self.reader.limits.segments_max {
            let rule = format!("the job has more than {} segments", self.reader.limits.segments_max);
            return Err(self.reader.refuse(Fault::at(DeadReason::TooLarge, "/segments", rule)));
        }
        value.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Segment<'_, '_, 'a> {
    type Value = SegmentOutline<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        const NAMES: [&str; 2] = ["region", "recipients"];
        let Self { reader, index } = self;
        let pointer = format_args!("/segments/{index}");
        let mut segment = SegmentOutline::default();
        while let Some(key) = map.next_key::<&RawValue>()? {
            match raw::named(&NAMES, key.get()) {
                Some(0) if segment.region.is_some() => return Err(reader.twice(pointer, NAMES[0])),
                Some(0) => segment.region = Some(map.next_value()?),
                Some(_) if segment.recipients.is_some() => return Err(reader.twice(pointer, NAMES[1])),
                Some(_) => {
                    let recipients = map.next_value_seed(Recipients { reader, segment: index });
                    segment.recipients = Some(recipients.map_err(|error| {
                        let pointer = format_args!("{pointer}/recipients");
                        reader.mistaken(error, pointer, "must be an array")
                    })?);
                }
                None => reader.check_nesting(map.next_value()?, 3, pointer)?,
            }
        }
        Ok(segment)
    }
}

/// The array of one segment's recipients.
struct Recipients<'r, 'l, 'a> {
    reader: &'r mut Reader<'l, 'a>,
    segment: usize,
}

impl<'a> DeserializeSeed<'a> for Recipients<'_, '_, 'a> {
    type Value = Range<usize>;

    fn deserialize<D: Deserializer<'a>>(self, value: D) -> Result<Self::Value, D::Error> {
        value.deserialize_seq(self)
    }
}

impl<'a> Visitor<'a> for Recipients<'_, '_, 'a> {
    type Value = Range<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let first = self.reader.outline.recipients.len();
        let mut index = 0;
        while let Some(value) = seq.next_element::<&RawValue>()? {
            self.reader.add_recipient(self.segment, index, value)?;
            index += 1;
        }
        Ok(first..self.reader.outline.recipients.len())
    }
}
