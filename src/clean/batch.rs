//! Some rows of a file at a time, bounded in number and bytes, so that memory does not grow with the file.

use std::io::{self, BufRead, Write};
use std::ops::Range;

use crate::domain::filter::Identifiers;
use crate::domain::words::Removal;

use super::bad_lines::BadLines;
use super::recipients::{Layout, Recipients};
use super::rows::RowFault;

/// The most recipients of one batch.
pub const BATCH_RECIPIENTS_MAX: usize = 10_000;

/// The bytes beyond which a batch takes no further row.
pub const BATCH_BYTES_MAX: usize = 8 << 20;

/// The rows at hand.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    /// The recipients in order, each with its line. What lies between them is blank.
    people: Vec<(Range<usize>, u64)>,
    /// Whether the input has no more rows.
    ended: bool,
}

impl Batch {
    /// Replaces the rows by the next ones; `false` if there are none. A row without an end is the last.
    pub(super) fn fill(
        &mut self,
        recipients: &mut Recipients<impl BufRead>,
        bad: &mut BadLines,
    ) -> io::Result<bool> {
        self.bytes.clear();
        self.people.clear();
        while !self.ended && self.people.len() < BATCH_RECIPIENTS_MAX && self.bytes.len() < BATCH_BYTES_MAX {
            let first = self.bytes.len();
            match recipients.next(&mut self.bytes) {
                Ok(Some(row)) if row.is_blank => {}
                Ok(Some(row)) => self.people.push((first..self.bytes.len(), row.line)),
                Ok(None) => self.ended = true,
                Err(RowFault::Io(fault)) => return Err(fault),
                Err(RowFault::Row { line, rule }) => {
                    self.ended = true;
                    self.bytes.truncate(first);
                    // The mistakes of the rows before it come first.
                    self.people(recipients.layout(), bad);
                    self.people.clear();
                    bad.note(line, rule);
                }
            }
        }
        Ok(!self.bytes.is_empty())
    }

    /// The identifiers of the recipients; what cannot be understood is noted and left out.
    pub(super) fn people(&self, layout: &Layout, bad: &mut BadLines) -> Vec<Identifiers<'_>> {
        let mut people = Vec::with_capacity(self.people.len());
        for (place, line) in &self.people {
            match layout.identifiers(&self.bytes[place.clone()]) {
                Ok(identifiers) => people.push(identifiers),
                Err(rule) => bad.note(*line, rule),
            }
        }
        people
    }

    /// Writes everything but the recipients who are removed.
    pub(super) fn write_kept(&self, removals: &[Option<Removal>], output: &mut impl Write) -> io::Result<()> {
        assert_eq!(removals.len(), self.people.len(), "every recipient has one verdict");
        let mut kept_from = 0;
        for ((place, _), removal) in self.people.iter().zip(removals) {
            if removal.is_some() {
                output.write_all(&self.bytes[kept_from..place.start])?;
                kept_from = place.end;
            }
        }
        output.write_all(&self.bytes[kept_from..])
    }
}
