//! `suppressd export`: everything that stands, as lines for another installation with the same keys.
//!
//! The list is read slice by slice while it serves, so a line may be newer than the head's revision, never older.
//! Since statements only join, the lines together are right for every moment up to the first revision, and right
//! in part for what came until the last. A list that was put in place of this one meanwhile ends the export.

use std::io::Write;
use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::core::Core;
use super::init::{CONNECT_TIMEOUT, connect, unavailable};
use super::{Progress, Stop};
use crate::codec::export::{End, Head, write_end, write_head, write_person};
use crate::service::gate::Pass;
use crate::service::ports::{List, ListFault};
use crate::settings::Settings;

/// How long the list may take to be proven.
const READY_TIMEOUT: Duration = Duration::from_mins(1);

/// Slices that are read at once.
const SLICES_AT_ONCE: usize = 2;

/// What was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// Digests.
    pub identifiers: u64,
    /// The revision when it began.
    pub from: u64,
    /// The revision when it ended.
    pub to: u64,
}

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum NotExported {
    /// The output does not take what is written.
    #[error("the output cannot be written to its end: {0}")]
    Output(#[from] std::io::Error),
    /// As for every command.
    #[error(transparent)]
    Stop(#[from] Stop),
}

/// Exports the list.
pub async fn export(
    settings: &Settings,
    output: &mut dyn Write,
    progress: &dyn Progress,
) -> Result<Exported, NotExported> {
    let (core, _inputs) = Core::without_mirror(settings)?;
    let exported = with_core(&core, output, progress).await;
    core.shutdown().await;
    exported
}

async fn with_core(
    core: &Core,
    output: &mut dyn Write,
    progress: &dyn Progress,
) -> Result<Exported, NotExported> {
    connect(&core.broker, CONNECT_TIMEOUT).await?;
    // An outage is told at once; a list that must be proven, or filled, takes its time.
    core.list.head().await.map_err(Stop::from)?;
    core.ready(Some(READY_TIMEOUT)).await?;
    let began = pass(core).await?;
    let list = began.identity.list;
    let head = core.list.head().await.map_err(Stop::from)?;
    let keys = head.map(|(head, _)| head).filter(|head| head.list == list).ok_or_else(moved)?.keys;
    let head = Head {
        keys: keys.into_iter().collect(),
        list,
        revision: began.revision,
        exported_at: core.clock.now(),
    };
    let mut lines = Vec::new();
    write_head(&head, &mut lines);
    let slices = core.list.slices();
    let mut read = stream::iter(0..slices).map(|slice| core.list.slice(list, slice)).buffered(SLICES_AT_ONCE);
    let (mut identifiers, mut done) = (0, 0);
    while let Some(slice) = read.next().await {
        let slice = slice.map_err(|fault| match fault {
            ListFault::Moved => moved(),
            fault => Stop::from(fault),
        })?;
        for (digest, standing) in &slice.people {
            identifiers += u64::from(write_person(*digest, standing, &mut lines));
        }
        output.write_all(&lines)?;
        lines.clear();
        done += 1;
        progress.applied(done, u64::from(slices));
    }
    let ended = pass(core).await?;
    if ended.identity.list != list {
        return Err(moved().into());
    }
    write_end(End { identifiers, revision: ended.revision }, &mut lines);
    output.write_all(&lines)?;
    output.flush()?;
    Ok(Exported { identifiers, from: began.revision, to: ended.revision })
}

/// A proof that the list is whole, now.
async fn pass(core: &Core) -> Result<Pass, Stop> {
    core.ready(Some(READY_TIMEOUT)).await?;
    let passed = tokio::time::timeout(READY_TIMEOUT, core.gate.pass()).await;
    let passed = passed.map_err(|_| unavailable(&core.gate.glance().borrow().why))?;
    passed.map_err(|closed| Stop::Internal(closed.to_string()))
}

fn moved() -> Stop {
    Stop::Unavailable("another list serves since the export began: export again".into())
}
