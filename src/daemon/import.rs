//! `suppressd import`: a file of opt-outs, appended to the ledger by the command itself.
//!
//! No queue lies between, so it works whether or not workers run (the applying is everybody's), and it never floods
//! the queue of opt-outs. Lines are read, compared with the list at a proven barrier and written in order, several
//! at a time; what the list holds already is not written again, so a second run of the same file writes nothing.
//! The command never runs far ahead of the list: what others say meanwhile waits behind some thousand lines at most.

pub(super) mod appending;
mod beside;
mod comparing;
mod reading;

use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::appending::{Pace, Recorder};
use self::beside::Beside;
use self::comparing::{Compared, compare};
use self::reading::{Part, Read, Reader};
use super::core::Core;
use super::init::{CONNECT_TIMEOUT, connect};
use super::{Progress, Stop};
use crate::bulk::{Counts, Format, State};
use crate::service::ports::List;
use crate::settings::Settings;

/// How long the list may take to be proven.
const READY_TIMEOUT: Duration = Duration::from_mins(1);

/// Parts of the file that are compared with the list at once.
const COMPARED_AT_ONCE: usize = 4;

/// Parts of the file that are on their way to the ledger at once.
const APPENDED_AT_ONCE: usize = 16;

/// Refused lines that a preview tells one by one.
pub const REFUSED_TOLD_MAX: usize = 20;

/// What is imported.
#[derive(Debug, Clone)]
pub struct ImportFile {
    /// Where it is.
    pub path: PathBuf,
    /// Whose way of writing it has; `None`: its first bytes tell.
    pub format: Option<Format>,
    /// Since when holds what says no time; `None`: since now.
    pub undated: Option<Timestamp>,
}

/// What became of a file.
#[derive(Debug, Clone)]
pub struct Imported {
    /// What look-ups call it: the beginning of the file's SHA-256.
    pub import: String,
    /// How the file is written.
    pub format: Format,
    /// The sums.
    pub counts: Counts,
    /// The first refused lines with their rules.
    pub refused: Vec<(u64, String)>,
    /// Whether the file is an export without its last line.
    pub cut_short: bool,
    /// After which line this run went on, if an earlier one had been interrupted.
    pub went_on_after: Option<u64>,
    /// The list's revision with everything in; as it is, for a preview.
    pub revision: u64,
    /// How long it took.
    pub took: Duration,
}

/// Why a file was not imported to its end.
#[derive(Debug, thiserror::Error)]
pub enum NotImported {
    /// The file cannot be used: exit code 65.
    #[error("{0}")]
    File(String),
    /// Somebody stopped it. Everything up to this line is in the ledger.
    #[error("interrupted after line {0}: run the same command again, and it goes on there")]
    Interrupted(u64),
    /// Nothing can be kept beside the file: exit code 70.
    #[error("{0}")]
    Beside(String),
    /// As for every command.
    #[error(transparent)]
    Stop(#[from] Stop),
}

/// Says what an import would do, and writes nothing anywhere.
pub async fn preview(
    settings: &Settings,
    file: &ImportFile,
    progress: &(dyn Progress + Sync),
    interrupted: &CancellationToken,
) -> Result<Imported, NotImported> {
    let read = Reader::new(settings, file, None).await?;
    run(settings, read, None, progress, interrupted).await
}

/// Imports a file; goes on where an interrupted run of the same file was.
pub async fn import(
    settings: &Settings,
    file: &ImportFile,
    progress: &(dyn Progress + Sync),
    interrupted: &CancellationToken,
) -> Result<Imported, NotImported> {
    let beside = Beside::of(&file.path);
    let read = Reader::new(settings, file, beside.state()).await?;
    let beside = beside.begin(read.state())?;
    let done = run(settings, read, Some(beside), progress, interrupted).await;
    if done.is_err() {
        Beside::of(&file.path).forget_nothing();
    }
    done
}

async fn run(
    settings: &Settings,
    read: Reader,
    beside: Option<Beside>,
    progress: &(dyn Progress + Sync),
    interrupted: &CancellationToken,
) -> Result<Imported, NotImported> {
    let (core, _inputs) = Core::without_mirror(settings)?;
    let done = with_core(&core, read, beside, progress, interrupted).await;
    core.shutdown().await;
    done
}

async fn with_core(
    core: &Core,
    mut read: Reader,
    mut beside: Option<Beside>,
    progress: &(dyn Progress + Sync),
    interrupted: &CancellationToken,
) -> Result<Imported, NotImported> {
    connect(&core.broker, CONNECT_TIMEOUT).await?;
    // An outage is told at once; a list that must be proven, or filled, takes its time.
    core.list.head().await.map_err(Stop::from)?;
    core.ready(Some(READY_TIMEOUT)).await?;
    let began = Instant::now();
    let retired = core.gate.glance().borrow().retired.clone();
    read.refuse(retired.clone());
    let (import, size, from) = (read.name().to_owned(), read.size(), read.state().clone());
    let mut imported = Imported {
        import: import.clone(),
        format: read.format(),
        counts: from.counts.clone(),
        refused: vec![],
        cut_short: false,
        went_on_after: (from.line > 0).then_some(from.line),
        revision: 0,
        took: Duration::ZERO,
    };
    let writes = beside.is_some();
    let recorder = Recorder { core, import, received_at: read.now(), keys: read.keys().to_vec() };
    let recorder = writes.then_some(&recorder);
    let mut pace = Pace::new(core);
    let (parts, end) = read.parts(interrupted.clone());
    let parts = stream::unfold(parts, |mut parts| async { Some((parts.recv().await?, parts)) });
    let compared = parts.map(|part| compare(core, part)).buffered(COMPARED_AT_ONCE);
    let appended = compared.map(|compared| append(recorder, compared)).buffered(APPENDED_AT_ONCE);
    let mut appended = pin!(appended);
    let mut state = State { counts: Counts::default(), ..from };
    while let Some(part) = appended.next().await {
        let Done { part, counts, records } = part?;
        imported.counts.add(&counts);
        state.line = part.last;
        state.counts = imported.counts.clone();
        let room = REFUSED_TOLD_MAX - imported.refused.len();
        imported.refused.extend(part.refused.iter().take(room).cloned());
        if let Some(beside) = &mut beside {
            beside.done(&mut state, &part.refused)?;
        }
        pace.wrote(records).await?;
        progress.applied(part.bytes, size);
    }
    let end = end.await.map_err(|fault| Stop::Internal(format!("reading the file: {fault}")))?;
    if let Some(beside) = &mut beside {
        beside.keep(&state)?;
    }
    let Read { cut_short, exported } = end?;
    if interrupted.is_cancelled() && !writes {
        return Err(Stop::Unavailable("interrupted: nothing was written".into()).into());
    }
    if interrupted.is_cancelled() {
        return Err(NotImported::Interrupted(state.line));
    }
    if writes {
        progress.note("waiting until the list has all of it");
        pace.finish().await?;
        // A key that another worker brought meanwhile would make the lines useless: the gate says so.
        core.ready(Some(READY_TIMEOUT)).await?;
    }
    let pass = core.gate.pass().await.map_err(|closed| Stop::Internal(closed.to_string()))?;
    if writes && exported && core.gate.glance().borrow().retired != retired {
        // Whoever retired it could not know of these digests.
        let why = "a key was retired while the export was imported: what the export holds under it is found by nobody";
        return Err(Stop::Configuration(why.into()).into());
    }
    if let Some(beside) = beside {
        beside.finish()?;
    }
    Ok(Imported { cut_short, revision: pass.revision, took: began.elapsed(), ..imported })
}

/// A part that is done with.
struct Done {
    part: Part,
    counts: Counts,
    /// How many records it made.
    records: usize,
}

/// Appends what a part of the file adds, if this is no preview.
async fn append(recorder: Option<&Recorder<'_>>, compared: Result<Compared, Stop>) -> Result<Done, Stop> {
    let Compared { part, counts, lines } = compared?;
    let records = match recorder {
        Some(recorder) => recorder.append(lines).await?,
        None => 0,
    };
    Ok(Done { part, counts, records })
}
