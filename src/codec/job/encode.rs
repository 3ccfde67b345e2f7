//! From verdicts to bytes: the filtered job and its report.
//!
//! The output is the input's own text with pieces left out and one member put in. So it stays valid JSON
//! as long as each cut takes a whole element or member with exactly one of its commas.

use std::ops::Range;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::raw::SPACE;
use super::{Job, Part, Segment};
use crate::domain::filter::{Tally, Verdicts};
use crate::domain::words::Removal;

/// The size of the added member without its segments, and of each segment without its region.
const SUPPRESSION_BYTES: usize = 128;
const SEGMENT_BYTES: usize = 256;

/// At which moment of the list a job was filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The list's revision.
    pub revision: u64,
    /// When.
    pub filtered_at: Timestamp,
}

/// The body of the filtered job. `verdicts` are the verdicts on this job.
pub fn filtered(job: &Job<'_>, verdicts: &Verdicts, stamp: Stamp) -> Vec<u8> {
    assert_eq!(job.recipients.len(), verdicts.removals().len(), "each recipient has one verdict");
    let regions: usize = job.segments.iter().map(|segment| SEGMENT_BYTES + segment.region.get().len()).sum();
    let out = Vec::with_capacity(job.text.len() + SUPPRESSION_BYTES + regions);
    let mut splice = Splice { text: job.text, copied: 0, out };
    let (before, after) = match &job.suppression {
        Some(old) if job.recipients.first().is_none_or(|first| old.start < first.start) => (Some(old), None),
        old => (None, old.as_ref()),
    };
    if let Some(old) = before {
        splice.cut(old.clone());
    }
    for segment in &job.segments {
        let all = segment.recipients.clone();
        splice.cut_removed(&job.recipients[all.clone()], &verdicts.removals()[all]);
    }
    if let Some(old) = after {
        splice.cut(old.clone());
    }
    splice.copy_to(end_of_members(job.text));
    splice.out.extend_from_slice(b",\"suppression\":");
    append(
        &mut splice.out,
        &Suppression {
            revision: stamp.revision,
            filtered_at: stamp.filtered_at,
            segments: outcomes(job, verdicts),
        },
    );
    splice.copy_to(job.text.len());
    splice.out
}

/// The body of `report.job`.
pub fn report(job: &Job<'_>, verdicts: &Verdicts, stamp: Stamp) -> Vec<u8> {
    let mut out = Vec::new();
    let report = Report {
        job_id: &job.job_id,
        campaign_id: &job.campaign_id,
        channel: job.channel.as_str(),
        brand: &job.brand,
        purpose: job.purpose.as_str(),
        part: job.part.map(ReportedPart::from),
        revision: stamp.revision,
        filtered_at: stamp.filtered_at,
        past_send_until: job.send_until.is_some_and(|until| until < stamp.filtered_at),
        segments: outcomes(job, verdicts),
    };
    append(&mut out, &report);
    out
}

/// Copies a text but for the pieces cut out of it, front to back.
struct Splice<'a> {
    text: &'a str,
    copied: usize,
    out: Vec<u8>,
}

impl Splice<'_> {
    /// Copies up to here. A cut that went beyond stays cut.
    fn copy_to(&mut self, end: usize) {
        if end > self.copied {
            self.out.extend_from_slice(&self.text.as_bytes()[self.copied..end]);
            self.copied = end;
        }
    }

    fn cut(&mut self, piece: Range<usize>) {
        self.copy_to(piece.start);
        self.copied = piece.end;
    }

    /// Takes the removed elements out of an array: behind a kept one together with the comma before,
    /// in front of the first kept one together with the comma behind.
    fn cut_removed(&mut self, places: &[Range<usize>], removals: &[Option<Removal>]) {
        let mut any_kept = false;
        for (index, (place, removal)) in places.iter().zip(removals).enumerate() {
            match (removal, any_kept) {
                (None, _) => any_kept = true,
                (Some(_), true) => self.cut(places[index - 1].end..place.end),
                (Some(_), false) => {
                    self.cut(place.start..places.get(index + 1).map_or(place.end, |next| next.start));
                }
            }
        }
    }
}

/// Where the last member of an object ends.
fn end_of_members(object: &str) -> usize {
    let object = object.trim_end_matches(SPACE);
    object.strip_suffix('}').unwrap_or(object).trim_end_matches(SPACE).len()
}

fn append(out: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(out, value).expect("writing plain structs to memory does not fail");
}

fn outcomes<'a>(job: &'a Job<'_>, verdicts: &Verdicts) -> Vec<Outcome<'a>> {
    job.segments.iter().zip(verdicts.tallies()).map(|(segment, tally)| Outcome::of(segment, tally)).collect()
}

/// The `suppression` member.
#[derive(Serialize)]
struct Suppression<'a> {
    revision: u64,
    #[serde(serialize_with = "time")]
    filtered_at: Timestamp,
    segments: Vec<Outcome<'a>>,
}

/// The body of `report.job`.
#[derive(Serialize)]
struct Report<'a> {
    job_id: &'a str,
    campaign_id: &'a str,
    channel: &'static str,
    brand: &'a str,
    purpose: &'static str,
    part: Option<ReportedPart>,
    revision: u64,
    #[serde(serialize_with = "time")]
    filtered_at: Timestamp,
    past_send_until: bool,
    segments: Vec<Outcome<'a>>,
}

#[derive(Serialize)]
struct ReportedPart {
    index: u32,
    of: u32,
}

impl From<Part> for ReportedPart {
    fn from(Part { index, of }: Part) -> Self {
        Self { index, of }
    }
}

/// The sums of one segment.
#[derive(Serialize)]
struct Outcome<'a> {
    region: &'a RawValue,
    received: u64,
    kept: u64,
    removed: Removed,
}

/// The removed recipients, by why.
#[derive(Debug, Serialize)]
pub(in crate::codec) struct Removed {
    opt_out: u64,
    hold: u64,
    complaint: u64,
    bounce: u64,
    unidentifiable: u64,
}

impl<'a> Outcome<'a> {
    fn of(segment: &Segment<'a>, tally: &Tally) -> Self {
        let removed = Removed::of(|reason| tally.removed(reason));
        Self { region: segment.region, received: tally.received, kept: tally.kept, removed }
    }
}

impl Removed {
    /// So many for each reason.
    pub(in crate::codec) fn of(removed: impl Fn(Removal) -> u64) -> Self {
        Self {
            opt_out: removed(Removal::OptOut),
            hold: removed(Removal::Hold),
            complaint: removed(Removal::Complaint),
            bounce: removed(Removal::Bounce),
            unidentifiable: removed(Removal::Unidentifiable),
        }
    }
}

fn time<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}
