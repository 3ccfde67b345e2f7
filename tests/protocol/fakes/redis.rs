//! Redis: some servers with a list each, of which one serves; the others copy it when they are told to.
//!
//! A server has a run id and a replication id, data, and what of it is on disk. Everything that an operator,
//! Sentinel or the power can do to it is a method here; what workers do is in [`redis_link`](super::redis_link).

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard};

use suppressd::domain::digest::Digest;
use suppressd::domain::fold::{Fences, Head, Outcome, Working};
use suppressd::domain::record::{CampaignKey, EventKey, ListId, Person, RecordId, RequestKey, WorkerId};
use suppressd::domain::request::Request;
use suppressd::domain::statement::Statement;
use suppressd::mirror::FeedEntry;
use suppressd::service::ports::Urgency;
use tokio::sync::watch;
use tokio::time::Instant;

use super::campaigns::Known;
use super::stream::Stream;

/// All servers.
#[derive(Clone)]
pub(crate) struct Redis {
    nodes: Arc<Mutex<Vec<Node>>>,
    /// Moves whenever a blocked reader may have something new to see.
    pub moved: watch::Sender<u64>,
    /// `redis.wait_replicas`.
    pub wait_replicas: usize,
    /// What its scripts do wrong.
    pub flaw: Option<Flaw>,
    /// For a flaw that looks there.
    pub ledger: Option<Stream>,
    /// Whether a list was written by another version of the fold than keeps it.
    pub meddled: Arc<AtomicBool>,
}

/// Mistakes that somebody could make in the scripts and in what is read from Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A batch is written wherever the list stands.
    NoCompare,
    /// A barrier does not wait for replicas.
    NoWait,
    /// A barrier writes nothing: `WAIT` then speaks of no write, and counts every replica that was ever there.
    ReadsOnly,
    /// Who serves is known by the list alone, whichever process has it.
    ListAlone,
    /// A list that is made anew has the name of the one before.
    SameName,
    /// A list that is made anew begins at the ledger's end.
    HealFromNow,
    /// Who applies a record decides what it says.
    DecidedByReaders,
    /// Outcomes are written first, and all the rest by another script.
    TwoScripts,
    /// The fold does not see which events it had.
    ForgetsEvents,
    /// An event is in force as soon as the list is past its place in the ledger.
    OutcomeByPosition,
    /// A barrier that asks for outcomes does not wait for replicas.
    NoWaitForEvents,
    /// A fence is taken on a barrier that no replica confirmed.
    FenceTooEarly,
    /// A list counts as whole at the end that the ledger is said to have.
    EndByCount,
}

/// One server.
pub(crate) struct Node {
    pub up: bool,
    /// Counts what breaks its connections.
    pub life: u64,
    pub run_id: u32,
    pub replid: u32,
    /// Whom it copies; `None`: it is a primary.
    pub copies: Option<usize>,
    /// Whether the network lets it copy.
    pub attached: bool,
    /// `min-replicas-to-write`: with fewer it refuses every write.
    pub min_replicas: usize,
    /// Its clock minus everybody's.
    pub ahead_ms: i64,
    pub data: Data,
    pub disk: Data,
}

/// Everything under our keys.
#[derive(Clone, Default)]
pub(crate) struct Data {
    /// The heads: of the serving list, and of those that are built aside.
    pub heads: BTreeMap<Option<ListId>, Head>,
    pub lists: BTreeMap<ListId, Stored>,
    pub lease: Option<(WorkerId, Instant)>,
    /// Which alarms are marked, whether they were raised, and for how long that is known.
    pub alarmed: BTreeMap<(RequestKey, Urgency), (bool, Instant)>,
    pub campaigns: BTreeMap<CampaignKey, Known>,
    /// How many versions of the fold the one that keeps the list is ahead of ours.
    pub newer: u32,
}

/// A list's hashes and its feed.
#[derive(Clone, Default)]
pub(crate) struct Stored {
    pub people: BTreeMap<Digest, Person>,
    pub events: BTreeMap<EventKey, Outcome>,
    pub requests: BTreeMap<RequestKey, Request>,
    pub fences: Fences,
    pub feed: Vec<Fed>,
}

/// A feed entry.
#[derive(Clone)]
pub(crate) struct Fed {
    pub from: u64,
    pub to: u64,
    before: Option<RecordId>,
    last: Option<RecordId>,
    revision: u64,
    changes: Vec<(Digest, Vec<Statement>)>,
}

impl Fed {
    pub(crate) fn entry(&self) -> FeedEntry {
        FeedEntry {
            from: self.from,
            to: self.to,
            before: self.before,
            last: self.last,
            revision: self.revision,
            changes: self.changes.clone(),
        }
    }
}

impl Data {
    pub(crate) fn serving(&self) -> Option<&Head> {
        self.heads.get(&None)
    }

    pub(crate) fn serving_list(&self) -> Option<&Stored> {
        self.lists.get(&self.serving()?.list)
    }

    /// `apply.lua`: compares, then writes all.
    pub(crate) fn apply(&mut self, of: Option<ListId>, before: &Head, working: &Working) -> bool {
        let Some(now) = self.heads.get(&of) else { return false };
        if (now.list, now.position, now.last) != (before.list, before.position, before.last) {
            return false;
        }
        self.write(of, before, working);
        true
    }

    /// What only a broken script does: writes outcomes alone.
    pub(crate) fn mark_events(&mut self, of: Option<ListId>, before: &Head, working: &Working) {
        if self.heads.get(&of).is_some_and(|now| (now.list, now.position) == (before.list, before.position)) {
            let list = self.lists.entry(before.list).or_default();
            let outcome = |key: &EventKey| (*key, working.events[key].clone().unwrap());
            list.events.extend(working.changed.events.iter().map(outcome));
        }
    }

    fn write(&mut self, of: Option<ListId>, before: &Head, working: &Working) {
        let head = &working.head;
        let list = self.lists.entry(before.list).or_default();
        let (changed, mut changes) = (&working.changed, Vec::new());
        for digest in &changed.people {
            let person = &working.people[digest];
            list.people.insert(*digest, person.clone());
            if changed.standing.contains(digest) {
                changes.push((*digest, person.standing()));
            }
        }
        for key in &changed.events {
            list.events.insert(*key, working.events[key].clone().unwrap());
        }
        for key in &changed.requests {
            list.requests.insert(*key, working.requests[key].clone().unwrap());
        }
        if let Some(fences) = working.fences.as_ref().filter(|_| changed.fences) {
            list.fences.clone_from(fences);
        }
        list.feed.push(Fed {
            from: before.position,
            to: head.position,
            before: before.last,
            last: head.last,
            revision: head.revision,
            changes,
        });
        self.heads.insert(of, head.clone());
    }

    /// `promote.lua`: `Err` is the position that was not reached yet.
    pub(crate) fn promote(&mut self, aside: ListId) -> Result<(), u64> {
        let built = self.heads[&Some(aside)].clone();
        if let Some(old) = self.serving().filter(|old| old.position > built.position) {
            return Err(old.position);
        }
        self.heads.remove(&Some(aside));
        self.heads.insert(None, built);
        Ok(())
    }
}

impl Redis {
    /// So many servers; the first serves, the others copy it.
    pub(crate) fn new(nodes: usize, wait_replicas: usize) -> Self {
        let node = |n: usize| Node {
            up: true,
            life: 0,
            run_id: u32::try_from(n).unwrap() + 1,
            replid: 1,
            copies: (n > 0).then_some(0),
            attached: true,
            min_replicas: 0,
            ahead_ms: 0,
            data: Data::default(),
            disk: Data::default(),
        };
        let nodes = Arc::new(Mutex::new((0..nodes).map(node).collect()));
        let moved = watch::Sender::new(0);
        Self { nodes, moved, wait_replicas, flaw: None, ledger: None, meddled: Arc::default() }
    }

    pub(crate) fn nodes(&self) -> MutexGuard<'_, Vec<Node>> {
        self.nodes.lock().unwrap()
    }

    pub(crate) fn notify(&self) {
        self.moved.send_modify(|moves| *moves += 1);
    }

    /// Changes one server, as its operator.
    pub(crate) fn change<T>(&self, node: usize, change: impl FnOnce(&mut Node) -> T) -> T {
        let changed = change(&mut self.nodes()[node]);
        self.notify();
        changed
    }

    /// Writes to disk.
    pub(crate) fn save(&self, node: usize) {
        self.change(node, |node| node.disk = node.data.clone());
    }

    /// Stops and starts again from disk: what came after the last save is lost.
    pub(crate) fn restart(&self, node: usize) {
        self.change(node, |node| {
            node.data = node.disk.clone();
            node.run_id += 100;
            node.life += 1;
        });
    }

    /// FLUSHALL: neither the run id nor the replication id changes.
    pub(crate) fn flush(&self, node: usize) {
        self.change(node, |node| node.data = Data::default());
    }

    /// Sentinel makes a replica the primary. The old one lives on, cut off, unless somebody stops it.
    pub(crate) fn promote(&self, node: usize) {
        self.change(node, |node| {
            node.copies = None;
            node.replid += 1000;
            node.life += 1;
        });
    }

    /// Makes a server copy another, now and from now on: what it had is gone.
    pub(crate) fn copy_from(&self, node: usize, primary: usize) {
        let mut nodes = self.nodes();
        let (data, replid) = (nodes[primary].data.clone(), nodes[primary].replid);
        let node = &mut nodes[node];
        (node.data, node.replid, node.copies) = (data, replid, Some(primary));
        node.life += 1;
        drop(nodes);
        self.notify();
    }

    /// How many replicas a primary has that can be reached.
    pub(crate) fn replicas(nodes: &[Node], primary: usize) -> usize {
        nodes.iter().filter(|node| node.up && node.attached && node.copies == Some(primary)).count()
    }

    /// The replicas that can be reached copy what their primary has. Answers how many they are.
    pub(crate) fn replicate(&self, primary: usize) -> usize {
        let mut nodes = self.nodes();
        let data = nodes[primary].data.clone();
        let mut copied = 0;
        for node in nodes.iter_mut().filter(|node| node.up && node.attached && node.copies == Some(primary)) {
            node.data = data.clone();
            copied += 1;
        }
        copied
    }

    /// The feed keeps only its last entries.
    pub(crate) fn trim_feed(&self, node: usize, keep: usize) {
        self.change(node, |node| {
            for list in node.data.lists.values_mut() {
                let excess = list.feed.len().saturating_sub(keep);
                list.feed.drain(..excess);
            }
        });
    }

    pub(crate) fn head(&self, node: usize) -> Option<Head> {
        self.nodes()[node].data.serving().cloned()
    }

    pub(crate) fn position(&self, node: usize) -> u64 {
        self.head(node).map_or(0, |head| head.position)
    }

    /// Everything that stands, and all outcomes: what two folds of one ledger must have in common.
    pub(crate) fn content(
        &self,
        node: usize,
    ) -> (u64, BTreeMap<Digest, Person>, BTreeMap<EventKey, Outcome>) {
        let nodes = self.nodes();
        let data = &nodes[node].data;
        let list = data.serving_list().cloned().unwrap_or_default();
        (data.serving().map_or(0, |head| head.revision), list.people, list.events)
    }

    /// Whether something stands for this digest.
    pub(crate) fn has(&self, node: usize, digest: Digest) -> bool {
        let nodes = self.nodes();
        nodes[node].data.serving_list().is_some_and(|list| list.people.contains_key(&digest))
    }

    /// The feed's entries of the serving list as `(from, to)`.
    pub(crate) fn feed(&self, node: usize) -> Vec<(u64, u64)> {
        let nodes = self.nodes();
        let list = nodes[node].data.serving_list();
        list.map_or_else(Vec::new, |list| list.feed.iter().map(|fed| (fed.from, fed.to)).collect())
    }
}
