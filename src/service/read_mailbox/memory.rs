//! What this process remembers of the mailbox. All of it may be lost: it saves work and repetition.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::flood::Flood;
use crate::domain::record::EventKey;
use crate::service::ports::FolderAbout;

/// Events that are remembered as published: until Redis knows them, which takes seconds.
const PUBLISHED_MAX: usize = 4096;

/// What is remembered across folders.
pub(super) struct Memory {
    published: HashSet<EventKey>,
    order: VecDeque<EventKey>,
    /// Forged requests.
    pub(super) forged: Flood,
}

impl Memory {
    pub(super) fn new(forged_per_hour_max: usize) -> Self {
        Self { published: HashSet::new(), order: VecDeque::new(), forged: Flood::new(forged_per_hour_max) }
    }

    /// Whether this process published the event not long ago.
    pub(super) fn published(&self, event: EventKey) -> bool {
        self.published.contains(&event)
    }

    /// It was published.
    pub(super) fn publish(&mut self, event: EventKey) {
        if self.published.insert(event) {
            self.order.push_back(event);
        }
        if self.order.len() > PUBLISHED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.published.remove(&oldest);
        }
    }
}

/// What is remembered of one folder, across connections.
#[derive(Debug, Default)]
pub(super) struct Mind {
    /// UIDs below mean something for as long as this is the folder's.
    uid_validity: u32,
    /// Every mail up to this UID was handled since this process began.
    high: u32,
    /// Why the server does not keep marks, although it says that it would.
    pub(super) marks_lost: Option<String>,
    /// Why mails cannot be moved.
    pub(super) moves_lost: Option<String>,
    /// The UID that could not be fetched, and how often.
    failed: (u32, u32),
    /// When the whole folder was looked at.
    pub(super) looked_at: Option<Timestamp>,
}

impl Mind {
    /// Where a look begins. A look at the whole folder begins with its first mail, if marks tell what is done.
    pub(super) fn begin(&mut self, about: FolderAbout, whole: bool) -> u32 {
        if self.uid_validity != about.uid_validity {
            if self.uid_validity != 0 {
                tracing::warn!("a folder has new UIDs: it is read from its beginning");
            }
            *self = Self { uid_validity: about.uid_validity, ..Self::default() };
        }
        if whole && about.keeps_marks && self.marks_lost.is_none() { 1 } else { self.high.saturating_add(1) }
    }

    /// How often this mail could not be fetched, time after time.
    pub(super) fn failed(&self, uid: u32) -> u32 {
        if self.failed.0 == uid { self.failed.1 } else { 0 }
    }

    /// It could not be fetched once more.
    pub(super) fn fail(&mut self, uid: u32) {
        self.failed = (uid, self.failed(uid) + 1);
    }

    /// A mail is done with.
    pub(super) fn done(&mut self, uid: u32) {
        self.high = self.high.max(uid);
    }
}

/// The minds of all folders.
#[derive(Default)]
pub(super) struct Minds(Mutex<BTreeMap<String, Mind>>);

impl Minds {
    /// Looks into one mind. Held for a moment alone.
    pub(super) fn of<T>(&self, folder: &str, look: impl FnOnce(&mut Mind) -> T) -> T {
        let mut minds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        look(minds.entry(folder.to_owned()).or_default())
    }

    /// What all folders have to say, those without anything aside.
    pub(super) fn all<T>(&self, tell: impl Fn(&str, &Mind) -> Option<T>) -> Vec<T> {
        let minds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        minds.iter().filter_map(|(name, mind)| tell(name, mind)).collect()
    }
}
