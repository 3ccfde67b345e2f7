//! The mirror's life: Cold → Loading → Live, and Loading again whenever it may have missed something.
//!
//! Loading reads a barrier, then every slice of the list, then the feed from that barrier on, and is done once
//! it has reached a second barrier of the same identity. Live, an entry counts only if it begins where the
//! mirror is: trimmed entries are skipped by Redis without an error, so a gap means: load again. A list that
//! falls back behind the mirror shuts the gate, and the mirror loads again.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::sync::watch;
use tokio::time::Instant;

use super::gate::{Closed, Gate, Glance};
use super::ports::{List, ListFault};
use crate::domain::record::{ListId, RecordId};
use crate::fail_points::{FailPoint, armed};
use crate::mirror::{FeedEntry, Gap, Mirror};

/// A feed that is silent for this long although Redis is further gets a new connection.
const SILENT: Duration = Duration::from_secs(1);

/// Silent for this long, the mirror loads again.
const STALE: Duration = Duration::from_secs(10);

/// Slices asked for before the one in front of them is taken: Redis reads one while the other is decoded.
const SLICES_AT_ONCE: usize = 2;

/// Slices between two looks at how far the feed is behind.
const SLICES_PER_LOOK: u32 = 16;

/// Ledger records that the mirror may be behind at such a look; far fewer than the feed keeps of the heaviest.
const FEED_LAG_MAX: u64 = 256;

/// Between tries while Redis fails.
const FAULT_RETRY: Duration = Duration::from_millis(200);

/// Where the mirror is, for those who wait for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// Whose mirror; `None` while it is not live.
    pub list: Option<ListId>,
    /// Its position.
    pub position: u64,
    /// Its revision.
    pub revision: u64,
    /// Identifiers that something restricts.
    pub restricted: usize,
    /// While loading: slices read, and slices in all.
    pub loading: Option<(u32, u32)>,
}

/// The mirror, shared: one writer, many readers.
#[derive(Clone)]
pub struct SharedMirror {
    mirror: Arc<RwLock<Option<Mirror>>>,
    shown: watch::Receiver<Shown>,
}

impl SharedMirror {
    /// Waits until the mirror is of this list and at least at this position. `false`: nobody follows any more.
    pub async fn reach(&self, list: ListId, position: u64) -> bool {
        let mut shown = self.shown.clone();
        shown.wait_for(|shown| shown.list == Some(list) && shown.position >= position).await.is_ok()
    }

    /// Where it is.
    pub fn shown(&self) -> watch::Receiver<Shown> {
        self.shown.clone()
    }

    /// One unchanging view: while it is held, the mirror stays at its position. Not across an `await`.
    pub fn view(&self) -> MirrorView<'_> {
        MirrorView(self.mirror.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The mirror at one position.
pub struct MirrorView<'a>(RwLockReadGuard<'a, Option<Mirror>>);

impl MirrorView<'_> {
    /// The mirror, if it is of this list and at least at this position.
    pub fn at(&self, list: ListId, position: u64) -> Option<&Mirror> {
        self.0.as_ref().filter(|mirror| mirror.list() == list && mirror.position() >= position)
    }
}

/// Keeps the mirror where Redis is.
pub struct Follower {
    list: Arc<dyn List>,
    gate: Gate,
    glance: watch::Receiver<Glance>,
    mirror: Arc<RwLock<Option<Mirror>>>,
    shown: watch::Sender<Shown>,
}

/// Why the mirror has to be loaded again.
enum Again {
    /// Something was missed, or another list serves.
    Load(&'static str),
    /// Redis failed; what the mirror has is still right.
    Fault(ListFault),
    /// The worker is shutting down.
    Closed,
}

impl From<Closed> for Again {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl From<ListFault> for Again {
    fn from(fault: ListFault) -> Self {
        Self::Fault(fault)
    }
}

/// A mirror's two ends, made before the gate that it needs.
pub fn mirror() -> (SharedMirror, MirrorKeeper) {
    let mirror = Arc::new(RwLock::new(None));
    let (sender, shown) = watch::channel(Shown::default());
    (SharedMirror { mirror: mirror.clone(), shown }, MirrorKeeper { mirror, shown: sender })
}

/// The writing end of a mirror that nobody follows the feed for yet.
pub struct MirrorKeeper {
    mirror: Arc<RwLock<Option<Mirror>>>,
    shown: watch::Sender<Shown>,
}

impl Follower {
    /// A follower that must be [run](Follower::run).
    pub fn new(list: Arc<dyn List>, gate: &Gate, keeper: MirrorKeeper) -> Self {
        Self { list, gate: gate.clone(), glance: gate.glance(), mirror: keeper.mirror, shown: keeper.shown }
    }

    /// Follows until the gate closes.
    pub async fn run(mut self) {
        loop {
            let again = match self.load().await {
                Ok(()) => self.live().await,
                Err(again) => again,
            };
            match again {
                Again::Closed => return,
                Again::Load(why) => tracing::warn!(why, "the mirror is loaded again"),
                Again::Fault(fault) => tracing::warn!(%fault, "the mirror is loaded again"),
            }
            // What was read may have come from a server that serves no longer.
            self.list.refresh().await;
            tokio::time::sleep(FAULT_RETRY).await;
        }
    }

    /// Loads the whole list.
    async fn load(&mut self) -> Result<(), Again> {
        let started = Instant::now();
        self.put(None);
        let before = self.gate.unproven().await?;
        let list = before.identity.list;
        let slices = self.list.slices();
        let mut mirror = Mirror::new(list, before.position, before.revision, before.last);
        let mut enough = before.position;
        for first in (0..slices).step_by(SLICES_PER_LOOK as usize) {
            let some = first..slices.min(first + SLICES_PER_LOOK);
            let mut parts =
                stream::iter(some).map(|slice| self.list.slice(list, slice)).buffered(SLICES_AT_ONCE);
            let mut done = first;
            while let Some(part) = parts.next().await {
                let part = part?;
                if part.position < before.position && !armed(FailPoint::LoadAcross) {
                    return Err(Again::Load("a part of the list came from an older one"));
                }
                enough = enough.max(part.position);
                for (digest, standing) in part.people {
                    mirror.put(digest, &standing);
                }
                done += 1;
                self.shown.send_modify(|shown| shown.loading = Some((done, slices)));
            }
            drop(parts);
            // No slice is on its way now: each one that comes is newer than what the feed brought before it was
            // asked for, and at the end the feed has the last word.
            while enough > mirror.position() + FEED_LAG_MAX {
                self.read_feed(&mut mirror).await?;
            }
        }
        let after = self.gate.unproven().await?;
        if armed(FailPoint::LoadLate) {
            leap(&mut mirror, after.position, after.revision, after.last);
        }
        if after.identity != before.identity && !armed(FailPoint::LoadAcross) {
            return Err(Again::Load("the list's identity changed while it was read"));
        }
        self.catch_up(&mut mirror, enough.max(after.position)).await?;
        let identifiers = mirror.restricted();
        tracing::info!(position = mirror.position(), identifiers, elapsed = ?started.elapsed(), "the mirror is live");
        self.put(Some(mirror));
        Ok(())
    }

    /// Follows the feed from the first barrier to the second.
    async fn catch_up(&mut self, mirror: &mut Mirror, enough: u64) -> Result<(), Again> {
        let since = Instant::now();
        while mirror.position() < enough {
            self.read_feed(mirror).await?;
            if since.elapsed() > STALE {
                return Err(Again::Load("the feed does not reach the barrier"));
            }
        }
        Ok(())
    }

    /// Takes what the feed has next.
    async fn read_feed(&self, mirror: &mut Mirror) -> Result<(), Again> {
        for entry in self.list.follow(mirror.list(), mirror.position()).await? {
            follow(mirror, &entry)
                .map_err(|_| Again::Load("the feed was trimmed while the list was read"))?;
        }
        Ok(())
    }

    /// Follows the feed until something is missed.
    async fn live(&mut self) -> Again {
        let mut heard = Instant::now();
        let mut refreshed = false;
        loop {
            let Some((list, position)) = self.here() else { return Again::Load("there is no mirror") };
            // A mirror that is ahead of a list that fell back may have what that list will never have.
            let another = |glance: &Glance| {
                !armed(FailPoint::KeepMirror)
                    && glance.identity.as_ref().is_some_and(|i| i.list != list || glance.lost.is_some())
            };
            let entries = tokio::select! {
                biased;
                seen = self.glance.wait_for(another) => {
                    if seen.is_err() {
                        return Again::Closed;
                    }
                    None
                }
                read = self.list.follow(list, position) => Some(read),
            };
            let Some(entries) = entries else {
                // The read that was left behind still blocks its connection.
                self.list.refresh_feed().await;
                return Again::Load("the list that serves is another, or older");
            };
            let entries = match entries {
                Ok(entries) => entries,
                Err(fault) => {
                    tracing::debug!(%fault, "the feed cannot be read");
                    tokio::time::sleep(FAULT_RETRY).await;
                    vec![]
                }
            };
            if !entries.is_empty() {
                heard = Instant::now();
                refreshed = false;
                let mut gap = false;
                {
                    let mut mirror = self.mirror.write().unwrap_or_else(PoisonError::into_inner);
                    for entry in &entries {
                        gap |= mirror.as_mut().is_none_or(|mirror| follow(mirror, entry).is_err());
                    }
                }
                self.show();
                if gap {
                    return Again::Load("the feed was trimmed before it was read");
                }
                continue;
            }
            let behind = {
                let glance = self.glance.borrow();
                glance.reachable && glance.identity.is_some() && glance.position > position
            };
            if !behind || armed(FailPoint::NeverReload) {
                heard = Instant::now();
            } else if heard.elapsed() > STALE {
                return Again::Load("the feed is silent although the list is further");
            } else if heard.elapsed() > SILENT && !refreshed {
                self.list.refresh_feed().await;
                refreshed = true;
            }
        }
    }

    fn here(&self) -> Option<(ListId, u64)> {
        let mirror = self.mirror.read().unwrap_or_else(PoisonError::into_inner);
        mirror.as_ref().map(|mirror| (mirror.list(), mirror.position()))
    }

    fn put(&self, mirror: Option<Mirror>) {
        *self.mirror.write().unwrap_or_else(PoisonError::into_inner) = mirror;
        self.show();
    }

    fn show(&self) {
        let mirror = self.mirror.read().unwrap_or_else(PoisonError::into_inner);
        let shown = mirror.as_ref().map_or_else(Shown::default, |mirror| Shown {
            list: Some(mirror.list()),
            position: mirror.position(),
            revision: mirror.revision(),
            restricted: mirror.restricted(),
            loading: None,
        });
        drop(mirror);
        self.shown.send_replace(shown);
    }
}

/// Takes an entry, which must begin where the mirror is.
fn follow(mirror: &mut Mirror, entry: &FeedEntry) -> Result<(), Gap> {
    if armed(FailPoint::IgnoreGaps) && entry.from > mirror.position() {
        leap(mirror, entry.from, entry.revision, entry.before);
    }
    mirror.follow(entry)
}

/// What only a broken worker does: passes over what it has not seen.
fn leap(mirror: &mut Mirror, to: u64, revision: u64, last: Option<RecordId>) {
    let (from, before) = (mirror.position(), mirror.last());
    // It begins where the mirror is, so it follows.
    let _ = mirror.follow(&FeedEntry { from, to, before, last, revision, changes: vec![] });
}
