//! What the use cases need of the outside, as traits.
//!
//! Each has two implementations: an adapter on a real server, and an in-memory one for tests.

mod dead;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::message::{Outgoing, Properties};
use crate::domain::campaign::{Campaign, FilteredPart};
use crate::domain::digest::{Digest, KeyCheck};
use crate::domain::fold::{Head, Missing, Outcome, Working};
use crate::domain::record::{CampaignKey, EventKey, ListId, Nonce, RecordId, RequestKey, WorkerId};
use crate::domain::request::InReview;
use crate::domain::statement::Statement;
use crate::mirror::FeedEntry;

pub use self::dead::{Buried, DeadFault, DeadQueue};
pub use crate::domain::campaign::Taken;
pub use crate::metrics::MailFaultKind;

/// What became of a published message. Both mean that the broker answered for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// Every queue that it was routed to has it.
    Confirmed,
    /// No queue is bound for it (it was published `mandatory` and came back).
    Returned,
    /// The broker takes no message of this size (its `max_message_size`): trying again is useless.
    TooLarge,
}

/// The broker could not do it, or nobody knows whether it did: the fault is never the message's.
#[derive(Debug, Clone, thiserror::Error)]
#[error("RabbitMQ: {what}")]
pub struct BrokerFault {
    /// What was tried and what came of it, free of any message's content.
    pub what: String,
}

impl BrokerFault {
    /// A fault described by this text.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}

/// Publishes with confirms.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Publishes one message and waits until the broker answers for it. Except to the exchange of receipts, reports,
    /// recalls and alarms, it is `mandatory`: what nobody is bound for comes back.
    ///
    /// An error means that the result is unknown or refused: the caller tries again.
    async fn publish(&self, message: &Outgoing) -> Result<Delivered, BrokerFault>;
}

/// The append-only stream that everything can be rebuilt from.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Appends a record and waits for the confirm. An error means that it may or may not be in.
    async fn append(&self, record: Vec<u8>) -> Result<(), BrokerFault>;

    /// Starts to read at an offset. A reader beyond the end waits silently: the end is known only by
    /// reading an own record back.
    async fn read_from(&self, start: Start) -> Result<Box<dyn LedgerReader>, BrokerFault>;
}

/// Where a reader of the ledger begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At this offset; the first delivery is exactly it, or a later one if the ledger was trimmed.
    Offset(u64),
    /// At the last chunk that is in the stream.
    Last,
}

/// One pass over the ledger, in its order.
#[async_trait]
pub trait LedgerReader: Send {
    /// The next record with its offset. Waits for as long as there is none. Cancel-safe.
    async fn next(&mut self) -> Result<(u64, Vec<u8>), BrokerFault>;
}

/// The input queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// `suppressd.jobs`.
    Jobs,
    /// `suppressd.opt-outs`.
    OptOuts,
}

/// A message that was delivered and waits to be settled.
pub struct Incoming {
    /// The queue that it came from.
    pub input: Input,
    /// The exchange that it was published to.
    pub exchange: String,
    /// The routing key that it was published with.
    pub routing_key: String,
    /// Its properties.
    pub properties: Properties,
    /// Its body.
    pub body: Vec<u8>,
    /// Whether RabbitMQ has delivered it before.
    pub redelivered: bool,
    /// How often a worker took it and did not settle it (`x-delivery-count`).
    pub delivery_count: u64,
    /// Settles it, once.
    pub acker: Box<dyn Acker>,
}

/// Settles one delivery. Consumed by value: settling twice does not compile. Dropped unsettled, the
/// delivery stays with this session and comes back when the session ends.
#[async_trait]
pub trait Acker: Send + Sync {
    /// Acknowledges. `false`: the session is gone, the message will come again.
    async fn ack(self: Box<Self>) -> bool;

    /// Whether an acknowledgement can still reach the broker. `false` is final: the message comes
    /// again, so work on this delivery is in vain.
    fn alive(&self) -> bool {
        true
    }
}

/// The queue of jobs whose output nobody is bound to yet.
#[async_trait]
pub trait WaitingRoom: Send + Sync {
    /// Takes the job that waits longest, as if it came from the jobs queue. `None`: nobody waits.
    async fn take(&self) -> Result<Option<Incoming>, BrokerFault>;

    /// How many jobs wait, without those taken and not yet settled.
    async fn count(&self) -> Result<u64, BrokerFault>;
}

/// Who holds the list: another process, another history or another list is another identity, and nothing
/// that was proven of one holds for the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Redis's name for this run of its process.
    pub run_id: String,
    /// Redis's name for this line of replication.
    pub replid: String,
    /// The list's own name.
    pub list: ListId,
}

/// What a barrier found, all at one moment.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Whose list; `None`: there is no list.
    pub identity: Option<Identity>,
    /// How many records of the ledger are in.
    pub position: u64,
    /// The list's revision.
    pub revision: u64,
    /// The record at `position - 1`.
    pub last: Option<RecordId>,
    /// The version of the fold that wrote it.
    pub fold: u32,
    /// The keys that its statements depend on.
    pub keys: BTreeSet<KeyCheck>,
    /// The keys that nothing depends on any more.
    pub retired: BTreeSet<KeyCheck>,
    /// The asking worker's newest fence that is in.
    pub fence: Option<Nonce>,
    /// The outcomes of the events asked for, in their order.
    pub outcomes: Vec<Option<Outcome>>,
    /// Redis's clock.
    pub server_time: Timestamp,
}

/// Why the list could not be asked or changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ListFault {
    /// Redis cannot be reached, refuses, or did not answer in time: what was asked may or may not be done.
    #[error("Redis: {0}")]
    Unavailable(String),
    /// Fewer replicas than `redis.wait_replicas` have it.
    #[error("Redis: {have} of {want} replicas confirmed the write in time")]
    Replicas {
        /// How many have it.
        have: usize,
        /// How many must.
        want: usize,
    },
    /// The list is not where it was when the work began: nothing that was read of it may be used.
    #[error("the list moved on meanwhile")]
    Moved,
    /// Redis holds something under our keys that this version cannot read.
    #[error("Redis: {0} is not a value that this version can read; was it written by a newer suppressd?")]
    Unreadable(&'static str),
}

/// The shared list.
#[async_trait]
pub trait List: Send + Sync {
    /// Writes, so that whoever may not write refuses; reads everything at one moment; then waits for
    /// `redis.wait_replicas`.
    async fn barrier(&self, worker: WorkerId, events: &[EventKey]) -> Result<Reading, ListFault>;

    /// Where the list stands, with what its fold version is; `None`: there is no list.
    async fn head(&self) -> Result<Option<(Head, u32)>, ListFault>;

    /// Creates an empty list if there is none. `false`: there is one.
    async fn create(&self, list: ListId) -> Result<bool, ListFault>;

    /// Reads what a fold misses into its working set, as it is at the working set's head; if the list stands
    /// elsewhere by now, [`ListFault::Moved`].
    async fn read(&self, missing: &Missing, working: &mut Working) -> Result<(), ListFault>;

    /// Writes what a fold changed, all or nothing, if the list still stands at `before`.
    /// `false`: somebody else was there first, and nothing is changed.
    async fn apply(&self, before: &Head, working: &Working) -> Result<bool, ListFault>;

    /// Asks to be the one who applies for the next two seconds. Never needed for being right.
    async fn lease(&self, worker: WorkerId) -> Result<bool, ListFault>;

    /// Everything that stands in one slice of the list, of [`List::slices`]; if another list serves by now,
    /// [`ListFault::Moved`].
    async fn slice(&self, list: ListId, slice: u32) -> Result<Slice, ListFault>;

    /// How many slices there are.
    fn slices(&self) -> u32;

    /// The feed after a position, at once or when it comes, but after a second at the latest.
    async fn follow(&self, list: ListId, after: u64) -> Result<Vec<FeedEntry>, ListFault>;

    /// Drops the connection that [`List::follow`] uses: it was silent while it should not have been.
    async fn refresh_feed(&self);

    /// Drops every connection but that of barriers: those found that somebody else serves now.
    async fn refresh(&self);
}

/// A part of the list.
pub struct Slice {
    /// Where the list stood when it was read; the part may be newer, never older.
    pub position: u64,
    /// Digests with what stands for them.
    pub people: Vec<(Digest, Vec<Statement>)>,
}

/// Remembers which messages were in the hands of a worker that then ended.
#[async_trait]
pub trait Suspects: Send + Sync {
    /// A worker begins to process this message alone. Answers how often one began and did not say that it
    /// survived, this time included.
    async fn begin(&self, fingerprint: [u8; 16]) -> Result<u64, ListFault>;

    /// The worker survived.
    async fn survived(&self, fingerprint: [u8; 16]) -> Result<(), ListFault>;
}

/// Lets one worker at a time read the mailbox.
#[async_trait]
pub trait MailTurn: Send + Sync {
    /// Asks to be the one who reads for the next [`MAIL_TURN`]. Never needed for being right.
    async fn turn(&self, worker: WorkerId) -> Result<bool, ListFault>;
}

/// How long a turn to read the mailbox lasts without being renewed.
pub const MAIL_TURN: Duration = Duration::from_secs(10);

/// What kept the mailbox from being read. Free of any mail's content, and of the server's own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct MailFault {
    /// Its kind.
    pub kind: MailFaultKind,
    /// What was tried and what came of it.
    pub what: String,
}

impl MailFault {
    /// A fault described by this text.
    pub fn new(kind: MailFaultKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into() }
    }
}

/// A mailbox on a server.
#[async_trait]
pub trait Mailbox: Send + Sync {
    /// Opens a folder on a connection of its own. `None`: there is no such folder.
    async fn open(&self, folder: &str) -> Result<Option<Box<dyn Folder>>, MailFault>;
}

/// An open folder. It speaks of mails by their UIDs alone.
#[async_trait]
pub trait Folder: Send {
    /// What it is like.
    fn about(&self) -> FolderAbout;

    /// The lowest UIDs from this one on whose mails are not marked as done, in their order: some of them, and
    /// none only if there are no more.
    async fn unhandled(&mut self, from: u32) -> Result<Vec<u32>, MailFault>;

    /// A mail, its first bytes at least. `None`: it is gone.
    async fn fetch(&mut self, uid: u32, bytes_max: usize) -> Result<Option<Mail>, MailFault>;

    /// Marks a mail. [`MailFaultKind::Mark`]: the server does not keep that, but goes on serving.
    async fn mark(&mut self, uid: u32, mark: Mark) -> Result<(), MailFault>;

    /// Moves a mail to another folder; its marks go with it. [`MailFaultKind::Mark`] as above.
    async fn move_to(&mut self, uid: u32, folder: &str) -> Result<(), MailFault>;

    /// Waits until there may be news, but not longer than this.
    async fn news(&mut self, patience: Duration) -> Result<(), MailFault>;
}

/// What a folder is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderAbout {
    /// UIDs mean the same mails for as long as this stays.
    pub uid_validity: u32,
    /// Whether the server keeps marks of ours.
    pub keeps_marks: bool,
    /// Whether it can move mails.
    pub moves: bool,
}

/// A mail. Not `Debug`: it is somebody's letter.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// When our server received it.
    pub arrived: Timestamp,
    /// Its bytes, from the first on.
    pub bytes: Vec<u8>,
    /// Whether these are all of them.
    pub whole: bool,
}

/// How a mail is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// It need not be read again.
    pub done: bool,
    /// A person must read it.
    pub person: bool,
}

/// Requests in review, as they stand in the serving list.
#[async_trait]
pub trait Requests: Send + Sync {
    /// How many there are, and how urgent they are.
    async fn tally(&self, now: Timestamp) -> Result<Tally, ListFault>;

    /// Some of them, the one that is due first in front.
    async fn in_review(&self, page: Page) -> Result<Vec<InReview>, ListFault>;

    /// Asks to be the one who raises this alarm. Who does not [raise](Requests::raised) it within a minute loses
    /// it to the next who asks.
    async fn claim(&self, request: RequestKey, alarm: Urgency) -> Result<Claim, ListFault>;

    /// The alarm was raised, for ever.
    async fn raised(&self, request: RequestKey, alarm: Urgency) -> Result<(), ListFault>;
}

/// Whose an alarm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Who asked raises it.
    Mine,
    /// Somebody else is about to.
    Others,
    /// It was raised.
    Raised,
}

/// The requests in review in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many, by the source that opened them.
    pub sources: BTreeMap<String, u64>,
    /// How many are past their strict deadline.
    pub overdue: u64,
    /// The first strict deadline.
    pub next_due: Option<Timestamp>,
}

/// Which requests in review are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Only those with a strict deadline up to then.
    pub until: Option<Timestamp>,
    /// So many of the first are left out.
    pub skip: usize,
    /// At most so many.
    pub max: usize,
}

crate::domain::words::vocabulary! {
    /// How urgent a request became: each is alarmed once.
    Urgency {
        /// Its strict deadline is near.
        Soon => "soon",
        /// Its strict deadline has passed.
        Overdue => "overdue",
        /// It was settled after its strict deadline.
        Late => "late",
    }
}

/// What is known of campaigns that come in parts. It is no part of the list, and no rebuild brings it back.
#[async_trait]
pub trait Campaigns: Send + Sync {
    /// Writes a part down, and asks for the report of a campaign that is complete: `holder` is then the one who
    /// publishes it for the next [`REPORT_CLAIM`], and longer by asking again. Doing it twice is harmless. A
    /// campaign is known for `kept` after its last part, and after its report.
    async fn record(
        &self,
        part: &FilteredPart,
        holder: Nonce,
        kept: Duration,
    ) -> Result<(Taken, Standing), ListFault>;

    /// The report is out: nobody publishes it again.
    async fn reported(&self, campaign: CampaignKey, kept: Duration) -> Result<(), ListFault>;

    /// All that is known of a campaign.
    async fn campaign(&self, campaign: CampaignKey) -> Result<Option<Campaign>, ListFault>;

    /// How many campaigns wait for parts, and since when the first of them does.
    async fn incomplete(&self) -> Result<(u64, Option<Timestamp>), ListFault>;
}

/// How far a campaign is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Parts are missing.
    Incomplete,
    /// It is complete, and who asked publishes the report.
    Mine,
    /// It is complete, and somebody else is about to publish the report.
    Others,
    /// Its report is out.
    Reported,
}

/// Who claimed a report has it for so long without asking again.
pub const REPORT_CLAIM: Duration = Duration::from_secs(10);
