//! A part of the file, compared with what the list holds at a proven barrier.
//!
//! Statements only join, so what was in stays in: a comparison is right for as long as anybody likes, but it may
//! miss what others say at this moment, and a line may be written that was not needed. That harms nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::super::Stop;
use super::super::core::Core;
use super::reading::{Part, Taken};
use crate::bulk::{Already, Counts, Found, already};
use crate::domain::digest::Digest;
use crate::domain::fold::{Missing, Working};
use crate::domain::record::{ImportLine, Person};
use crate::service::ports::{List, ListFault};

/// How long the list may stay unproven, or Redis away, in the middle of a file.
const PATIENCE: Duration = Duration::from_mins(1);

/// Before the list is read again because it moved on.
const MOVED_RETRY: Duration = Duration::from_millis(2);

/// Before Redis is asked again.
const FAULT_RETRY: Duration = Duration::from_millis(250);

/// A part, and what of it the list does not hold.
pub(super) struct Compared {
    pub(super) part: Part,
    /// The sums of all its lines.
    pub(super) counts: Counts,
    /// What is to be written.
    pub(super) lines: Vec<ImportLine>,
}

/// Compares a part.
pub(super) async fn compare(core: &Core, mut part: Part) -> Result<Compared, Stop> {
    let lines = part.taken.iter().flat_map(|taken| &taken.lines);
    let digests: BTreeSet<Digest> = lines.flat_map(ImportLine::digests).collect();
    let known = if digests.is_empty() {
        None
    } else {
        Some(timeout(PATIENCE, read(core, digests)).await.map_err(|_| unavailable(core))??)
    };
    let mut counts = std::mem::take(&mut part.counts);
    let mut lines = Vec::new();
    for taken in std::mem::take(&mut part.taken) {
        if let Some(known) = &known {
            sort(taken, known, &mut counts, &mut lines);
        }
    }
    Ok(Compared { part, counts, lines })
}

/// Counts a line, and keeps what is to be written of it.
fn sort(taken: Taken, known: &Working, counts: &mut Counts, lines: &mut Vec<ImportLine>) {
    let nobody = Person::default();
    let found: Vec<Found> = taken
        .lines
        .iter()
        .map(|line| {
            let kept = line.digests().map(|digest| &known.people.get(&digest).unwrap_or(&nobody).kept);
            already(line, &kept.collect::<Vec<_>>())
        })
        .collect();
    let any = |wanted| found.iter().any(|found| found.already == wanted);
    counts.read += 1;
    counts.widened += u64::from(taken.widened);
    counts.ignoring += u64::from(taken.ignoring);
    counts.lifts += taken.lifts;
    match () {
        () if any(Already::New) => counts.new += 1,
        () if any(Already::Superseded) => counts.superseded += 1,
        () => counts.known += 1,
    }
    let before = lines.len();
    for (line, found) in taken.lines.into_iter().zip(found) {
        if found.already == Already::New {
            counts.kind(line.kind);
        }
        if found.adds {
            lines.push(line);
        }
    }
    counts.written += u64::from(lines.len() > before);
}

/// Everything that is kept of these digests, of a list that was proven after this call.
async fn read(core: &Core, digests: BTreeSet<Digest>) -> Result<Working, Stop> {
    let missing = Missing { people: digests, ..Missing::default() };
    let pass = async || core.gate.pass().await.map_err(|closed| Stop::Internal(closed.to_string()));
    let mut proven = pass().await?.identity.list;
    loop {
        match as_it_is(core, &missing).await {
            Ok(Some(working)) if working.head.list == proven => return Ok(working),
            // Another list serves, or none.
            Ok(_) => proven = pass().await?.identity.list,
            Err(ListFault::Moved) => sleep(MOVED_RETRY).await,
            Err(ListFault::Unavailable(_) | ListFault::Replicas { .. }) => sleep(FAULT_RETRY).await,
            Err(fault @ ListFault::Unreadable(_)) => return Err(Stop::Configuration(fault.to_string())),
        }
    }
}

/// `None`: there is no list.
async fn as_it_is(core: &Core, missing: &Missing) -> Result<Option<Working>, ListFault> {
    let Some((head, _)) = core.list.head().await? else { return Ok(None) };
    let mut working = Working::new(head);
    core.list.read(missing, &mut working).await?;
    Ok(Some(working))
}

/// Why the list cannot be asked.
pub(super) fn unavailable(core: &Core) -> Stop {
    let (glance, ledger) = (core.gate.glance(), core.ledger_state.borrow().why.clone());
    let why = [glance.borrow().why.clone(), ledger].into_iter().find(|why| !why.is_empty());
    let why = why.unwrap_or_else(|| "the list does not answer in time".into());
    Stop::Unavailable(format!("{why}; run the same command again later, and it goes on where it was"))
}
