//! One worker's connections to Redis: the port `List` with the contract of the real scripts.
//!
//! There are four connections, as in the real adapter, and each stays with the server that it was made to
//! until that server breaks it or the worker makes it anew: after a failover they may well be with two
//! different servers. New ones go where the test says ([`RedisLink::route`]), as if Sentinel had said so.

use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use suppressd::domain::fold::{FOLD_VERSION, Head, Missing, Working};
use suppressd::domain::record::{EventKey, ListId, WorkerId};
use suppressd::mirror::FeedEntry;
use suppressd::service::clock::Clock;
use suppressd::service::ports::{Identity, List, ListFault, Reading, Slice};
use tokio::time::{Instant, timeout_at};

use super::outside::WorldClock;
use super::redis::{Data, Flaw, Node, Redis};
use super::steps::{Call, Step, Steps};

/// Into how many slices the list is cut.
pub(crate) const SLICES: u32 = 4;

/// How long a read of the feed waits.
const FEED_BLOCK: Duration = Duration::from_secs(1);

/// How long the lease lasts.
const LEASE: Duration = Duration::from_secs(2);

/// A connection, by its use.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Use {
    Barriers,
    Work,
    Feed,
    Bulk,
}

/// A worker's connections.
pub(crate) struct RedisLink {
    redis: Redis,
    pub(super) clock: WorldClock,
    steps: Steps,
    /// The list that is built aside, or the serving one.
    aside: Option<ListId>,
    lines: Mutex<Lines>,
    /// How many versions of the fold its worker is ahead of ours.
    newer: u32,
    /// Whom a barrier succeeded on last.
    met: Mutex<Option<Identity>>,
}

struct Lines {
    /// Where new connections go.
    route: usize,
    /// The server of each connection, and which of its lives.
    open: [Option<(usize, u64)>; 4],
}

impl RedisLink {
    pub(crate) fn new(redis: Redis, clock: WorldClock, steps: Steps) -> Self {
        let lines = Mutex::new(Lines { route: 0, open: [None; 4] });
        Self { redis, clock, steps, aside: None, lines, newer: 0, met: Mutex::default() }
    }

    /// A list that is built aside.
    pub(crate) fn aside(redis: Redis, clock: WorldClock, list: ListId) -> Self {
        Self { aside: Some(list), ..Self::new(redis, clock, Steps::default()) }
    }

    /// The connections of a worker whose fold is so many versions ahead of ours.
    pub(crate) fn newer(self, newer: u32) -> Self {
        Self { newer, ..self }
    }

    /// New connections go to this server; those that are open stay where they are.
    pub(crate) fn route(&self, node: usize) {
        self.lines.lock().unwrap().route = node;
    }

    /// Breaks all connections: the next calls go to this server.
    pub(crate) fn move_to(&self, node: usize) {
        self.route(node);
        for line in [Use::Barriers, Use::Work, Use::Feed, Use::Bulk] {
            self.hang_up(line);
        }
    }

    /// One connection to this server, whatever the route is.
    pub(crate) fn connect(&self, line: Use, node: usize) {
        let life = self.redis.nodes()[node].life;
        self.lines.lock().unwrap().open[line as usize] = Some((node, life));
    }

    /// Breaks one connection: the next call on it goes along the route.
    pub(crate) fn hang_up(&self, line: Use) {
        self.lines.lock().unwrap().open[line as usize] = None;
    }

    /// The server at the other end, connecting if need be.
    fn line(&self, line: Use) -> Result<(usize, u64), ListFault> {
        let nodes = self.redis.nodes();
        let mut lines = self.lines.lock().unwrap();
        let alive = |(node, life): &(usize, u64)| nodes[*node].up && nodes[*node].life == *life;
        if let Some(open) = lines.open[line as usize].filter(alive) {
            return Ok(open);
        }
        let route = lines.route;
        let fresh = (route, nodes[route].life);
        if !nodes[route].up {
            return Err(unavailable("nobody listens"));
        }
        lines.open[line as usize] = Some(fresh);
        Ok(fresh)
    }

    fn broken(&self, line: Use, why: &str) -> ListFault {
        self.hang_up(line);
        unavailable(why)
    }

    /// Whether this connection still reaches the process that it was made to.
    fn same(&self, (node, life): (usize, u64)) -> bool {
        let nodes = self.redis.nodes();
        nodes[node].up && nodes[node].life == life
    }

    /// One command or script: it happens at one moment, on one server, or not at all.
    pub(super) async fn call<T>(
        &self,
        line: Use,
        call: Call,
        writes: bool,
        act: impl FnOnce(&mut Node) -> T,
    ) -> Result<(T, usize), ListFault> {
        let open = self.line(line)?;
        if !self.steps.at(Step::Before(call)).await || !self.same(open) {
            return Err(self.broken(line, "the connection broke before"));
        }
        let done = {
            let mut nodes = self.redis.nodes();
            if writes && nodes[open.0].copies.is_some() {
                return Err(unavailable("READONLY"));
            }
            if writes && Redis::replicas(&nodes, open.0) < nodes[open.0].min_replicas {
                return Err(unavailable("NOREPLICAS"));
            }
            act(&mut nodes[open.0])
        };
        if writes {
            self.redis.notify();
        }
        if !self.steps.at(Step::After(call)).await || !self.same(open) {
            return Err(self.broken(line, "no answer in time"));
        }
        self.steps.at(Step::Answered(call)).await;
        Ok((done, open.0))
    }

    pub(super) async fn write<T>(
        &self,
        call: Call,
        act: impl FnOnce(&mut Data) -> T,
    ) -> Result<T, ListFault> {
        Ok(self.call(Use::Work, call, true, |node| act(&mut node.data)).await?.0)
    }

    pub(super) fn head_of<'a>(&self, data: &'a Data) -> Option<&'a Head> {
        data.heads.get(&self.aside)
    }

    /// A list that is made anew.
    fn fresh(&self, list: ListId) -> Head {
        match self.redis.flaw {
            Some(Flaw::SameName) => Head::new(ListId([7; 16])),
            Some(Flaw::HealFromNow) => {
                let ledger = self.redis.ledger.as_ref().expect("the flaw needs the ledger");
                let mut fold = Working::new(Head::new(list));
                for (position, entry) in (0..).zip(ledger.entries()) {
                    fold.fold(position, &entry).expect("our records fold");
                }
                fold.head
            }
            _ => Head::new(list),
        }
    }

    fn reading(&self, node: &Node, worker: WorkerId, events: &[EventKey]) -> Reading {
        let server_time = self.clock.ahead(node.ahead_ms).now();
        let mut reading = Reading {
            identity: None,
            position: 0,
            revision: 0,
            last: None,
            fold: 0,
            keys: std::collections::BTreeSet::new(),
            retired: std::collections::BTreeSet::new(),
            fence: None,
            outcomes: vec![None; events.len()],
            server_time,
        };
        let Some(head) = self.head_of(&node.data) else { return reading };
        let (mut run_id, mut replid) = (node.run_id.to_string(), node.replid.to_string());
        if self.redis.flaw == Some(Flaw::ListAlone) {
            (run_id, replid) = Default::default();
        }
        reading.identity = Some(Identity { run_id, replid, list: head.list });
        (reading.position, reading.revision, reading.last) = (head.position, head.revision, head.last);
        (reading.fold, reading.keys) = (FOLD_VERSION, head.keys.clone());
        reading.retired.clone_from(&head.retired);
        if let Some(list) = node.data.lists.get(&head.list) {
            reading.fence = list.fences.get(&worker).map(|(_, nonce)| *nonce);
            reading.outcomes = events.iter().map(|key| list.events.get(key).cloned()).collect();
        }
        self.spoil(&mut reading, worker, events);
        reading
    }
}

/// What only broken scripts do.
impl RedisLink {
    fn spoil(&self, reading: &mut Reading, worker: WorkerId, events: &[EventKey]) {
        let Some(ledger) = self.redis.ledger.as_ref() else { return };
        match self.redis.flaw {
            Some(Flaw::EndByCount) if reading.position >= ledger.declared() => {
                reading.fence = ledger.fences(worker).last().copied();
            }
            Some(Flaw::OutcomeByPosition) => {
                let applied = usize::try_from(reading.position).unwrap().min(ledger.entries().len());
                let mut fold = Working::new(Head::new(ListId([0; 16])));
                for (position, entry) in (0..).zip(&ledger.entries()[..applied]) {
                    fold.fold(position, entry).expect("our records fold");
                }
                let outcome = |key: &EventKey| fold.events.get(key).cloned().flatten();
                reading.outcomes = events.iter().map(outcome).collect();
            }
            _ => {}
        }
    }

    /// Whether the flaw answers for a barrier that too few replicas confirmed.
    fn spoils(&self, reading: &mut Reading, asks: bool) -> bool {
        match self.redis.flaw {
            Some(Flaw::NoWaitForEvents) => asks,
            Some(Flaw::FenceTooEarly) => {
                reading.fence = None;
                *self.met.lock().unwrap() != reading.identity
            }
            _ => false,
        }
    }
}

fn unavailable(why: &str) -> ListFault {
    ListFault::Unavailable(why.into())
}

#[async_trait]
impl List for RedisLink {
    async fn barrier(&self, worker: WorkerId, events: &[EventKey]) -> Result<Reading, ListFault> {
        let read = |node: &mut Node| self.reading(node, worker, events);
        let writes = self.redis.flaw != Some(Flaw::ReadsOnly);
        let (mut reading, node) = self.call(Use::Barriers, Call::Barrier, writes, read).await?;
        if self.redis.flaw == Some(Flaw::NoWait) {
            return Ok(reading);
        }
        if !writes {
            // What `WAIT` says on a replica, and on a primary that has not noticed yet who left it.
            let copies = self.redis.nodes()[node].copies.is_some();
            return if copies { Err(unavailable("WAIT on a replica")) } else { Ok(reading) };
        }
        let want = self.redis.wait_replicas;
        // WAIT: it answers how many have it, however few.
        let have = self.redis.replicate(node);
        if have < want {
            let fault = ListFault::Replicas { have, want };
            return if self.spoils(&mut reading, !events.is_empty()) { Ok(reading) } else { Err(fault) };
        }
        self.met.lock().unwrap().clone_from(&reading.identity);
        Ok(reading)
    }

    async fn head(&self) -> Result<Option<(Head, u32)>, ListFault> {
        let version = |data: &Data| if data.newer == self.newer { FOLD_VERSION } else { FOLD_VERSION + 1 };
        let read = |node: &mut Node| Some((self.head_of(&node.data)?.clone(), version(&node.data)));
        Ok(self.call(Use::Work, Call::Head, false, read).await?.0)
    }

    async fn create(&self, list: ListId) -> Result<bool, ListFault> {
        self.write(Call::Create, |data| {
            let absent = self.head_of(data).is_none();
            if absent {
                data.heads.insert(self.aside, self.fresh(list));
                data.newer = self.newer;
            }
            absent
        })
        .await
    }

    async fn read(&self, missing: &Missing, working: &mut Working) -> Result<(), ListFault> {
        let at = working.head.clone();
        let read = |node: &mut Node| {
            let now = self.head_of(&node.data)?;
            if (now.list, now.position, now.last) != (at.list, at.position, at.last) {
                return None;
            }
            Some(node.data.lists.get(&at.list).cloned().unwrap_or_default())
        };
        let (list, _) = self.call(Use::Work, Call::Read, false, read).await?;
        let list = list.ok_or(ListFault::Moved)?;
        for digest in &missing.people {
            working.people.insert(*digest, list.people.get(digest).cloned().unwrap_or_default());
        }
        for key in &missing.events {
            let known = list.events.get(key).filter(|_| self.redis.flaw != Some(Flaw::ForgetsEvents));
            working.events.insert(*key, known.cloned());
        }
        for key in &missing.requests {
            working.requests.insert(*key, list.requests.get(key).cloned());
        }
        if missing.fences {
            working.fences = Some(list.fences);
        }
        Ok(())
    }

    async fn apply(&self, before: &Head, working: &Working) -> Result<bool, ListFault> {
        if self.redis.flaw == Some(Flaw::TwoScripts) {
            self.write(Call::Apply, |data| data.mark_events(self.aside, before, working)).await?;
        }
        self.write(Call::Apply, |data| {
            self.redis.meddled.fetch_or(data.newer != self.newer, Ordering::Relaxed);
            let anyhow = self.redis.flaw == Some(Flaw::NoCompare);
            let now = data.heads.get(&self.aside).cloned();
            match now.filter(|now| anyhow && now.list == before.list) {
                Some(now) => data.apply(self.aside, &now, working),
                None => data.apply(self.aside, before, working),
            }
        })
        .await
    }

    async fn lease(&self, worker: WorkerId) -> Result<bool, ListFault> {
        let now = Instant::now();
        self.write(Call::Lease, |data| {
            if data.lease.is_some_and(|(holder, until)| holder != worker && until > now) {
                return false;
            }
            data.lease = Some((worker, now + LEASE));
            true
        })
        .await
    }

    async fn slice(&self, list: ListId, slice: u32) -> Result<Slice, ListFault> {
        let read = |node: &mut Node| {
            let head = self.head_of(&node.data).filter(|head| head.list == list)?;
            let people = node.data.lists.get(&list).map(|stored| &stored.people);
            let of_slice = people.into_iter().flatten().filter(|(digest, _)| slice_of(digest.0) == slice);
            let people = of_slice.map(|(d, person)| (*d, person.standing())).collect();
            Some(Slice { position: head.position, people })
        };
        let (part, _) = self.call(Use::Bulk, Call::Slice(slice), false, read).await?;
        part.ok_or(ListFault::Moved)
    }

    fn slices(&self) -> u32 {
        SLICES
    }

    async fn follow(&self, list: ListId, after: u64) -> Result<Vec<FeedEntry>, ListFault> {
        let until = Instant::now() + FEED_BLOCK;
        let mut moved = self.redis.moved.subscribe();
        let read = |node: &mut Node| -> Vec<FeedEntry> {
            let feed = node.data.lists.get(&list).map_or(&[][..], |list| &list.feed);
            feed.iter().filter(|fed| fed.to > after).map(super::redis::Fed::entry).collect()
        };
        let open = self.line(Use::Feed)?;
        let (mut entries, _) = self.call(Use::Feed, Call::Follow, false, read).await?;
        while entries.is_empty() && timeout_at(until, moved.changed()).await.is_ok() {
            if !self.same(open) {
                return Err(self.broken(Use::Feed, "the connection broke"));
            }
            entries = read(&mut self.redis.nodes()[open.0]);
        }
        Ok(entries)
    }

    async fn refresh_feed(&self) {
        self.hang_up(Use::Feed);
    }

    async fn refresh(&self) {
        for line in [Use::Work, Use::Feed, Use::Bulk] {
            self.hang_up(line);
        }
    }
}

/// In which slice a digest lies.
pub(crate) fn slice_of(digest: [u8; 16]) -> u32 {
    u32::from(digest[0]) % SLICES
}
