//! The gate: no output and no acknowledgement without a barrier that was sent after the work came.
//!
//! One task sends barriers. Whoever waits is served by the next one *sent*, never by one already on its way,
//! and any number that wait share it. A barrier is answered only while the list's identity is proven
//! ([`Trust`]) and this worker has the keys that the list depends on; until then everybody keeps waiting,
//! nothing is output and nothing acknowledged. A list that is not proven may name a key that was retired since,
//! further on in the ledger: that one is lacking is said of a proven list only.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::apply_ledger::LedgerState;
use super::clock::Clock;
use super::follow_feed::Shown;
use super::ports::{Identity, Ledger, List, Reading};
use super::random;
use super::trust::{Trust, Verdict};
use crate::codec::record;
use crate::domain::digest::KeyCheck;
use crate::domain::fold::Outcome;
use crate::domain::record::{Entry, EventKey, Record, RecordId, WorkerId};
use crate::fail_points::{FailPoint, armed};

/// Barriers that can wait at once; more wait to be let in.
const WAITING_MAX: usize = 4096;

/// Events asked for in one barrier.
const EVENTS_MAX: usize = 512;

/// Without anybody waiting, a barrier is sent this often: a lost list is noticed by itself.
const IDLE: Duration = Duration::from_millis(500);

/// Between barriers under load: whoever comes meanwhile shares the next one. Each costs Redis some thirty microseconds,
/// and everybody who watches the list a look.
const SPACING: Duration = Duration::from_millis(2);

/// Between barriers while the answer is no.
const RETRY: Duration = Duration::from_millis(25);

/// Between barriers while Redis fails.
const FAULT_RETRY: Duration = Duration::from_millis(250);

/// A fence that has not come back by then is appended again.
const FENCE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a barrier found, for one who waited.
#[derive(Debug, Clone)]
pub struct Pass {
    /// Whose list.
    pub identity: Identity,
    /// The mirror must have at least this position.
    pub position: u64,
    /// The revision there.
    pub revision: u64,
    /// The record before that position.
    pub last: Option<RecordId>,
    /// When the barrier was sent.
    pub sent_at: Instant,
    /// The outcome of the event asked for.
    pub outcome: Option<Outcome>,
}

/// What the newest barrier showed, for readiness, the mirror and the applier.
#[derive(Debug, Clone, Default)]
pub struct Glance {
    /// Whose list, if there is one and Redis answers.
    pub identity: Option<Identity>,
    /// How many ledger records are in.
    pub position: u64,
    /// The revision there.
    pub revision: u64,
    /// Whether passes are given.
    pub open: bool,
    /// Why not, for people.
    pub why: String,
    /// Whether Redis answered.
    pub reachable: bool,
    /// This worker's clock minus Redis's, in milliseconds.
    pub skew_ms: i64,
    /// What was lost, while it is: the list itself, or what it had.
    pub lost: Option<&'static str>,
    /// The keys that the list depends on.
    pub keys: BTreeSet<KeyCheck>,
    /// The keys that nothing depends on any more.
    pub retired: BTreeSet<KeyCheck>,
    /// The list is proven whole, and depends on this key, which this worker does not have.
    pub lacks: Option<KeyCheck>,
    /// What keeps the gate shut is for somebody to mend: waiting does not help.
    pub misconfigured: bool,
}

/// Why nothing may be believed at present, whatever Redis shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Veto {
    /// For people.
    pub why: String,
    /// Whether somebody must mend it.
    pub misconfigured: bool,
}

/// Who waits, and for what.
struct Waiter {
    event: Option<EventKey>,
    /// Whether only a proven list will do.
    proven: bool,
    reply: oneshot::Sender<Pass>,
}

/// Asks for passes. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    waiters: mpsc::Sender<Waiter>,
    glance: watch::Receiver<Glance>,
}

/// The gate is gone: the worker is shutting down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the worker is shutting down")]
pub struct Closed;

impl Gate {
    /// Waits for a barrier sent after this call on a proven list, for as long as it takes.
    pub async fn pass(&self) -> Result<Pass, Closed> {
        self.ask(None, true).await
    }

    /// The same, with the outcome of an event as it stood at that moment.
    pub async fn pass_with(&self, event: EventKey) -> Result<Pass, Closed> {
        self.ask(Some(event), true).await
    }

    /// Waits for a barrier sent after this call on whatever list there is: enough to load a mirror, never to
    /// output or to acknowledge.
    pub(super) async fn unproven(&self) -> Result<Pass, Closed> {
        self.ask(None, false).await
    }

    async fn ask(&self, event: Option<EventKey>, proven: bool) -> Result<Pass, Closed> {
        let (reply, answer) = oneshot::channel();
        self.waiters.send(Waiter { event, proven, reply }).await.map_err(|_| Closed)?;
        answer.await.map_err(|_| Closed)
    }

    /// What the newest barrier showed.
    pub fn glance(&self) -> watch::Receiver<Glance> {
        self.glance.clone()
    }
}

/// Sends the barriers.
pub struct Gatekeeper {
    list: Arc<dyn List>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    worker: WorkerId,
    /// The keys that this worker has.
    keys: BTreeSet<KeyCheck>,
    trust: Trust,
    /// Whose list the last barrier found.
    met: Option<Identity>,
    fence_due: Option<Instant>,
    queue: mpsc::Receiver<Waiter>,
    waiting: Vec<Waiter>,
    /// When the last barrier was sent.
    sent_at: Option<Instant>,
    glance: watch::Sender<Glance>,
    /// Why nothing may be believed at present, such as a server that may evict.
    veto: watch::Receiver<Option<Veto>>,
    /// What this worker's mirror has.
    mirror: watch::Receiver<Shown>,
    /// Whether the ledger may be appended to.
    ledger_state: watch::Receiver<LedgerState>,
    /// Tells the applier that a record does not come back.
    nudge: Arc<Notify>,
}

/// What the gatekeeper watches besides Redis.
pub struct Watched {
    /// Why nothing may be believed at present, such as a server that may evict.
    pub veto: watch::Receiver<Option<Veto>>,
    /// What this worker's mirror has.
    pub mirror: watch::Receiver<Shown>,
    /// Whether the ledger may be appended to.
    pub ledger: watch::Receiver<LedgerState>,
    /// Tells the applier that a record does not come back.
    pub nudge: Arc<Notify>,
}

impl Gatekeeper {
    /// A gate and its keeper, who must be [run](Gatekeeper::run).
    pub fn new(
        list: Arc<dyn List>,
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
        worker: WorkerId,
        keys: BTreeSet<KeyCheck>,
        watched: Watched,
    ) -> (Gate, Self) {
        let (waiters, queue) = mpsc::channel(WAITING_MAX);
        let (glance, seen) = watch::channel(Glance { why: "not asked yet".into(), ..Glance::default() });
        let gate = Gate { waiters, glance: seen };
        let trust = Trust::default();
        let keeper = Self {
            list,
            ledger,
            clock,
            worker,
            keys,
            trust,
            met: None,
            fence_due: None,
            queue,
            waiting: vec![],
            sent_at: None,
            glance,
            veto: watched.veto,
            mirror: watched.mirror,
            ledger_state: watched.ledger,
            nudge: watched.nudge,
        };
        (gate, keeper)
    }

    /// Sends barriers until every [`Gate`] is gone.
    pub async fn run(mut self) {
        loop {
            let wait = if self.waiting.is_empty() {
                IDLE
            } else if self.glance.borrow().reachable {
                RETRY
            } else {
                FAULT_RETRY
            };
            let open = self.glance.borrow().open;
            // While passes are given, whoever comes is served at once; while not, all wait for the next try.
            if self.waiting.is_empty() && open {
                match tokio::time::timeout(wait, self.queue.recv()).await {
                    Ok(Some(waiter)) => self.waiting.push(waiter),
                    Ok(None) => return,
                    Err(_) => {}
                }
            } else if !open {
                tokio::time::sleep(wait).await;
            }
            if self.queue.is_closed() && self.queue.is_empty() && self.waiting.is_empty() {
                return;
            }
            if let Some(sent_at) = self.sent_at.filter(|_| open) {
                tokio::time::sleep_until(sent_at + SPACING).await;
            }
            self.round().await;
        }
    }

    /// One barrier, for all who wait now.
    pub async fn round(&mut self) {
        while self.waiting.len() < WAITING_MAX
            && let Ok(waiter) = self.queue.try_recv()
        {
            self.waiting.push(waiter);
        }
        self.waiting.retain(|waiter| !waiter.reply.is_closed());
        // Who asks for an event beyond the limit waits for the next barrier.
        let mut events = Vec::new();
        let mut served = Vec::new();
        for waiter in std::mem::take(&mut self.waiting) {
            if waiter.event.is_some() && events.len() == EVENTS_MAX {
                self.waiting.push(waiter);
            } else {
                events.extend(waiter.event);
                served.push(waiter);
            }
        }
        let sent_at = Instant::now();
        self.sent_at = Some(sent_at);
        let mut mirrored = self.mirror.borrow().clone();
        match self.list.barrier(self.worker, &events).await {
            Ok(reading) => {
                if armed(FailPoint::BarrierUnderWay) {
                    served.extend(std::iter::from_fn(|| self.queue.try_recv().ok()));
                }
                if armed(FailPoint::LostLate) {
                    mirrored = self.mirror.borrow().clone();
                }
                self.meet(reading.identity.as_ref()).await;
                let glance = self.judge(&reading, lost(&reading, &mirrored)).await;
                self.waiting.extend(give(served, reading, sent_at, glance.open));
                self.show(glance);
            }
            Err(fault) => {
                self.waiting.extend(served);
                self.show(Glance { why: fault.to_string(), ..Glance::default() });
            }
        }
    }

    /// Who was found by another name than before may be another server: the other connections are made anew, so
    /// that nothing is read from, or written to, the one that served before.
    async fn meet(&mut self, identity: Option<&Identity>) {
        if identity.is_some() && identity != self.met.as_ref() {
            if self.met.is_some() {
                self.list.refresh().await;
            }
            self.met = identity.cloned();
        }
    }

    /// Whether passes may be given on this reading; appends the fence when one is due.
    async fn judge(&mut self, reading: &Reading, lost: Option<&'static str>) -> Glance {
        let skew = self.clock.now().as_millisecond() - reading.server_time.as_millisecond();
        let mut glance = Glance {
            identity: reading.identity.clone(),
            position: reading.position,
            revision: reading.revision,
            open: false,
            why: String::new(),
            reachable: true,
            skew_ms: skew,
            lost,
            keys: reading.keys.clone(),
            retired: reading.retired.clone(),
            lacks: None,
            misconfigured: false,
        };
        let Some(identity) = &reading.identity else {
            self.trust.forget();
            glance.why = "Redis has no list; it is made anew from the ledger".into();
            return glance;
        };
        if let Some(veto) = &*self.veto.borrow() {
            glance.why.clone_from(&veto.why);
            glance.misconfigured = veto.misconfigured;
            return glance;
        }
        if let Some(lost) = lost {
            // Until the mirror has loaded what there is, it may show more than the list will ever have.
            glance.why = format!("{lost}: the mirror loads again");
            return glance;
        }
        let verdict = self.trust.observe(identity, reading.fence);
        match verdict {
            Verdict::Trusted => {
                self.fence_due = None;
                let lacks = reading.keys.difference(&self.keys).next().copied();
                glance.lacks = lacks.filter(|_| !armed(FailPoint::AnyKey));
                glance.open = glance.lacks.is_none();
                if let Some(key) = glance.lacks {
                    glance.why = format!(
                        "the list depends on key {key}, which hashing.key_files does not have: add its file"
                    );
                    glance.misconfigured = true;
                }
            }
            Verdict::AppendFence => {
                glance.why = "the list is not proven whole: a fence is being appended to the ledger".into();
                if let Err(why) = self.append_fence().await {
                    glance.why = why;
                }
            }
            Verdict::Wait => {
                glance.why = format!(
                    "the list is not proven whole: applied up to {}, waiting for the fence",
                    reading.position
                );
                if self.fence_due.is_some_and(|due| due <= Instant::now()) {
                    self.trust.fence_again();
                    self.nudge.notify_one();
                }
            }
        }
        glance
    }

    /// Only after a barrier on the identity succeeded: `judge` sees only those.
    async fn append_fence(&mut self) -> Result<(), String> {
        let ledger = self.ledger_state.borrow().clone();
        if !ledger.whole && !ledger.foreign {
            return Err(format!("the list is not proven whole: {}", ledger.why));
        }
        let nonce = random::nonce();
        let entry = Entry { id: random::record_id(), record: Record::Fence { worker: self.worker, nonce } };
        self.ledger.append(record::write(&entry)).await.map_err(|fault| fault.to_string())?;
        self.trust.fenced(nonce);
        self.fence_due = Some(Instant::now() + FENCE_TIMEOUT);
        Ok(())
    }

    fn show(&self, glance: Glance) {
        self.glance.send_if_modified(|shown| {
            let another = shown.open != glance.open || shown.why != glance.why;
            let met = glance.reachable && !shown.reachable;
            let amiss = glance.identity.is_none() || glance.lost.is_some() || glance.misconfigured;
            if another && glance.open {
                tracing::info!(position = glance.position, "the list is proven whole");
            } else if another && met && !amiss {
                tracing::info!(why = glance.why, "nothing is output or acknowledged yet");
            } else if another && (shown.open || shown.reachable != glance.reachable) {
                tracing::warn!(why = glance.why, "nothing is output or acknowledged");
            }
            *shown = glance;
            true
        });
    }
}

/// What Redis shows less of than this worker's mirror had when the barrier was sent. Another process or line
/// of replication alone is no loss: a first replica that attaches changes those too.
fn lost(reading: &Reading, mirrored: &Shown) -> Option<&'static str> {
    let Some(identity) = &reading.identity else { return Some("Redis has no list") };
    let had = mirrored.list?;
    if identity.list != had {
        Some("Redis has another list than before")
    } else if reading.position < mirrored.position {
        Some("Redis has an older list than before")
    } else {
        None
    }
}

/// Answers those whom this reading serves; the others wait on.
fn give(served: Vec<Waiter>, reading: Reading, sent_at: Instant, open: bool) -> Vec<Waiter> {
    let Some(identity) = reading.identity else { return served };
    let mut outcomes = reading.outcomes.into_iter();
    let mut unserved = Vec::new();
    for waiter in served {
        let outcome = waiter.event.and_then(|_| outcomes.next().flatten());
        if waiter.proven && !open {
            unserved.push(waiter);
            continue;
        }
        let (position, revision) = (reading.position, reading.revision);
        let last = reading.last;
        let pass = Pass { identity: identity.clone(), position, revision, last, sent_at, outcome };
        // Who went away meanwhile needs no pass.
        let _ = waiter.reply.send(pass);
    }
    unserved
}

/// Whether this worker's clock is too far from Redis's to date events.
pub fn clock_is_off(glance: &Glance, skew_max: Duration) -> bool {
    u128::from(glance.skew_ms.unsigned_abs()) > skew_max.as_millis()
}
