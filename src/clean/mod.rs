//! Cleans a file of recipients: the same decision as for a job, for people who keep their audience in files.
//!
//! Named for what it does to a file, since `domain::filter` decides and `codec::job` filters messages. What
//! must stay true: a kept row is byte-identical, everything between rows too, and memory does not grow with
//! the file. A row that cannot be understood is never passed on: it might be somebody who opted out. Absent
//! is everything about Redis and RabbitMQ: whoever calls lends a list for each batch, a live one or one of
//! [`opt_outs`].

mod bad_lines;
mod batch;
pub mod opt_outs;
pub mod output;
mod recipients;
mod rows;
mod table;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Write};
use std::sync::Arc;

use crate::domain::digest::KeyRing;
use crate::domain::filter::{Prepared, Tally, Verdicts, prepare};
use crate::domain::identifier::{Country, canonical};
use crate::domain::words::{Channel, IdentifierKind, Removal};

use batch::Batch;

pub use bad_lines::{BAD_LINES_MAX, BadLine, BadLines, Unreadable};
pub use batch::{BATCH_BYTES_MAX, BATCH_RECIPIENTS_MAX};
pub use recipients::{Format, Recipients};
pub use rows::ROW_BYTES_MAX;
pub(crate) use rows::{Row, RowFault, Rows, Shape, fill};
pub(crate) use table::{DELIMITERS, fields, text_of};

/// What the file is cleaned for, in the configuration's own names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// How it reaches people.
    pub channel: Channel,
    /// The one region of all its recipients.
    pub region: Arc<str>,
    /// On whose behalf.
    pub brand: Arc<str>,
}

/// How identifiers become digests.
#[derive(Debug, Clone, Copy)]
pub struct Hashing<'a> {
    /// The keys of the list that is asked.
    pub keys: &'a KeyRing,
    /// Where numbers without a country code are dialled.
    pub country: &'a Country,
}

/// The sums of a whole file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The recipients that were in the file.
    pub received: u64,
    /// The recipients that are in the output.
    pub kept: u64,
    removed: [u64; Removal::ALL.len()],
    ignored: [u64; IdentifierKind::ALL.len()],
}

impl Summary {
    /// How many were removed for this reason.
    pub fn removed(&self, reason: Removal) -> u64 {
        self.removed[reason as usize]
    }

    /// How many were removed for whatever reason.
    pub fn removed_in_all(&self) -> u64 {
        self.removed.iter().sum()
    }

    /// How many identifiers of a kind could not be read and were not the channel's own address.
    pub fn ignored(&self, kind: IdentifierKind) -> u64 {
        self.ignored[kind as usize]
    }

    fn add(&mut self, tallies: &[Tally], prepared: &Prepared) {
        for tally in tallies {
            self.received += tally.received;
            self.kept += tally.kept;
            for &reason in Removal::ALL {
                self.removed[reason as usize] += tally.removed(reason);
            }
        }
        for &kind in IdentifierKind::ALL {
            self.ignored[kind as usize] += prepared.ignored(kind);
        }
        assert_eq!(self.received, self.kept + self.removed_in_all(), "received = kept + Σ removed");
    }
}

/// Why a file was not cleaned to its end; `E` is what can happen to the list.
#[derive(Debug, thiserror::Error)]
pub enum Stopped<E> {
    /// The recipients cannot be read, or not understood.
    #[error("{0}")]
    Input(#[from] Unreadable),
    /// The output does not take what is written.
    #[error("cannot be written: {0}")]
    Output(io::Error),
    /// The list cannot be asked.
    #[error("{0}")]
    List(E),
}

/// Writes the recipients whom nothing restricts, and everything that is no recipient, to `output`.
///
/// `judge` decides about one batch at a time, so that a live list is asked afresh for each; `progress` hears
/// how many bytes of the input are done. After the first row that cannot be understood nothing more is
/// written, and the rest is read for further mistakes only.
pub fn clean<E>(
    mut recipients: Recipients<impl BufRead>,
    output: &mut impl Write,
    campaign: &Campaign,
    hashing: Hashing<'_>,
    mut judge: impl FnMut(&Prepared) -> Result<Verdicts, E>,
    mut progress: impl FnMut(u64),
) -> Result<Summary, Stopped<E>> {
    let mut summary = Summary::default();
    let mut batch = Batch::default();
    let mut bad = BadLines::default();
    output.write_all(recipients.head()).map_err(Stopped::Output)?;
    while !bad.is_full() && batch.fill(&mut recipients, &mut bad).map_err(Unreadable::Io)? {
        let people = batch.people(recipients.layout(), &mut bad);
        if bad.is_empty() {
            let segment = (Arc::clone(&campaign.region), people.as_slice());
            let prepared = prepare(campaign.channel, [segment], hashing.keys, |kind, text, buffer| {
                canonical(kind, text, hashing.country, buffer).ok()
            });
            let verdicts = judge(&prepared).map_err(Stopped::List)?;
            batch.write_kept(verdicts.removals(), output).map_err(Stopped::Output)?;
            summary.add(verdicts.tallies(), &prepared);
        }
        progress(recipients.bytes_read());
    }
    if bad.is_empty() { Ok(summary) } else { Err(Unreadable::Bad(bad).into()) }
}
