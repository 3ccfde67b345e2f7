//! What stands in the ledger: everything that the fold may read, decided before it was written.
//!
//! A record holds no identifier, only digests, and nothing that would come out differently when it is
//! folded again next year: effective times, widened scopes and what could not be parsed are results here,
//! not questions.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::calendar::Deadline;
use super::digest::{Digest, KeyCheck};
use super::request::InReview;
use super::scope::Scope;
use super::statement::{Kept, Statement};
use super::words::{EventKind, IdentifierKind, RequestedBy, ReviewMode};

/// Declares an opaque 128-bit name.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    };
}

id! {
    /// A random name for one append: a timed-out append that was repeated gives two records, two names.
    RecordId
}
id! {
    /// The random name of one list; a list made anew has another.
    ListId
}
id! {
    /// The random name of one ledger, in its first record.
    LedgerId
}
id! {
    /// The random name of one run of a worker.
    WorkerId
}
id! {
    /// What a fence carries, drawn anew for each.
    Nonce
}
id! {
    /// `SHA-256(source ‖ 0 ‖ event_id)`, cut: by what an event is known again.
    EventKey
}
id! {
    /// `SHA-256(request id)`, cut.
    RequestKey
}
id! {
    /// `SHA-256(campaign id)`, cut.
    CampaignKey
}

/// Four bytes of `SHA-256(job id)`, never all 0: by which another job in the place of one is told from its copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobMark(pub [u8; 4]);

/// A record with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name.
    pub id: RecordId,
    /// What it says.
    pub record: Record,
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// Record 0, written by `init`: the installation.
    Genesis {
        /// The ledger's name.
        ledger: LedgerId,
        /// The keys that it begins with.
        keys: Vec<KeyCheck>,
    },
    /// An accepted event.
    Event(Box<EventRecord>),
    /// A worker's mark: what came before it is in when it is in.
    Fence {
        /// Whose.
        worker: WorkerId,
        /// Which.
        nonce: Nonce,
    },
    /// From here on events are written under this key too.
    KeyAdded {
        /// The key.
        key: KeyCheck,
    },
    /// Nothing depends on this key any more: all that stands under it stands under another of `of` too.
    KeyRetired {
        /// The key.
        key: KeyCheck,
        /// Every key that was needed when this was found out. With others by now, it is found out anew.
        of: BTreeSet<KeyCheck>,
    },
    /// What a list had and this ledger lacked, brought back by `rebuild`.
    Restored {
        /// The digests with everything known of them.
        people: Vec<(Digest, Person)>,
        /// What a person must still decide. These put their provisional holds themselves: those of `people`
        /// are passed over.
        requests: Vec<InReview>,
    },
    /// Lines of a file that was imported.
    Imported(Box<ImportRecord>),
    /// A place of the ledger that its broker keeps for itself: nobody wrote it, and it says nothing.
    Void,
}

impl Entry {
    /// What stands at a place that the broker keeps for itself; the same for every reader.
    pub fn void(offset: u64) -> Self {
        Self { id: RecordId(u128::from(offset).to_be_bytes()), record: Record::Void }
    }
}

impl Record {
    /// How much of the list folding it touches, roughly: what bounds a batch.
    pub fn weight(&self) -> usize {
        let digests = |subjects: &[Subject]| subjects.iter().map(|subject| subject.digests.len()).sum();
        match self {
            Self::Event(event) => {
                // Its outcome and its request too.
                let whom: usize = digests(&event.subject);
                2 + whom * event.new_subject.len().max(1)
            }
            Self::Restored { people, requests } => people.len() + requests.len(),
            Self::Imported(import) => import.lines.iter().map(ImportLine::weight).sum::<usize>().max(1),
            Self::Genesis { .. }
            | Self::Fence { .. }
            | Self::KeyAdded { .. }
            | Self::KeyRetired { .. }
            | Self::Void => 1,
        }
    }
}

/// All that the list keeps of one digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// What was said.
    pub kept: Kept,
    /// Whom else it holds for, each once.
    pub links: Vec<Link>,
    /// The requests in review that hold this person, and since when.
    pub holds: BTreeMap<RequestKey, Timestamp>,
}

impl Person {
    /// Everything that stands, the provisional hold too.
    pub fn standing(&self) -> Vec<Statement> {
        let provisional = self.holds.values().min().map(|since| Statement::provisional(*since));
        self.kept.standing.as_slice().iter().cloned().chain(provisional).collect()
    }
}

/// From an `identifier_changed`: what is dated no later than `at` holds for `to` as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The new identifier, under the same key.
    pub to: Digest,
    /// What the new identifier is.
    pub kind: IdentifierKind,
    /// When the change was.
    pub at: Timestamp,
}

/// An identifier under every key that was in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// What it names a person by.
    pub kind: IdentifierKind,
    /// One digest a key, in the order of [`EventRecord::keys`].
    pub digests: Vec<Digest>,
}

/// An accepted event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRecord {
    /// By what it is known again.
    pub key: EventKey,
    /// Who sent it.
    pub source: String,
    /// Its name there.
    pub event_id: String,
    /// What it does.
    pub kind: EventKind,
    /// When the person said it; at most `limits.future_max_s` after `received_at`, whatever the source's clock
    /// says.
    pub at: Timestamp,
    /// When a worker took it.
    pub received_at: Timestamp,
    /// When it was decided, right before the append.
    pub decided_at: Timestamp,
    /// The keys of the digests' columns.
    pub keys: Vec<KeyCheck>,
    /// The content's keyed hash under each of `keys`: equal JSON values have equal hashes.
    pub content: Vec<[u8; 16]>,
    /// The identifiers that could be parsed.
    pub subject: Vec<Subject>,
    /// For `identifier_changed`: the new ones.
    pub new_subject: Vec<Subject>,
    /// Where it holds.
    pub scope: Scope,
    /// What was widened or could not be used.
    pub remarks: Remarks,
    /// The request that it opens or belongs to.
    pub request: String,
    /// On whose behalf.
    pub requested_by: RequestedBy,
    /// The operator who took the call.
    pub agent: Option<String>,
    /// A person must decide: the source says so, or no identifier could be parsed.
    pub review: Option<ReviewMode>,
    /// By which rule the source decided.
    pub rule: Option<String>,
    /// When the time of its request begins to run.
    pub starts_at: Timestamp,
    /// By when the request must be settled. `None`: the event settles another one, or was written before
    /// there were deadlines.
    pub deadline: Option<Deadline>,
}

/// What an event's receipt mentions besides its status, as bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Bits 0, 1, 2: regions, channels, brands were widened to all.
    pub widened: u8,
    /// Bits 0–2: `user_id`, email, phone of `subject` could not be parsed; bits 3–5: of `new_subject`; bit 6:
    /// something of `also`.
    pub ignored: u8,
}

/// Lines that one [`ImportRecord`] holds at most.
pub const IMPORT_LINES_MAX: usize = 256;

/// Digests that one [`ImportRecord`] holds at most, under all keys together; a line with more is alone in its
/// record.
pub const IMPORT_DIGESTS_MAX: usize = 512;

/// Lines of a file that was imported: whom they name, and what they restrict. Nothing in it lifts anything,
/// whatever its lines say, and it leaves no outcome behind: to import the same lines again changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportRecord {
    /// What the import is called: shown to whoever looks somebody up.
    pub import: String,
    /// When the lines were read.
    pub received_at: Timestamp,
    /// The keys of the digests' columns.
    pub keys: Vec<KeyCheck>,
    /// At most [`IMPORT_LINES_MAX`], in the order of the file.
    pub lines: Vec<ImportLine>,
}

/// One statement of one line.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportLine {
    /// Which line of the file, from 1; several statements may come from one.
    pub line: u64,
    /// What it says.
    pub kind: EventKind,
    /// When the person said it.
    pub at: Timestamp,
    /// Where it holds.
    pub scope: Scope,
    /// Of whom.
    pub subject: ImportSubject,
}

/// Whom a line is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportSubject {
    /// Identifiers, under every key of the record.
    Known(Vec<Subject>),
    /// A digest out of an export: one of the record's keys made it, and nobody knows which, nor from what.
    Digest(Digest),
}

impl ImportLine {
    /// What it restricts; `None` for kinds that lift, link or settle.
    pub fn statement(&self) -> Option<Statement> {
        Statement::of(self.kind, self.at, self.scope.clone()).filter(|statement| statement.restricts)
    }

    /// Every digest that it names.
    pub fn digests(&self) -> impl Iterator<Item = Digest> {
        let (known, digest) = match &self.subject {
            ImportSubject::Known(subjects) => (&subjects[..], None),
            ImportSubject::Digest(digest) => (&[][..], Some(*digest)),
        };
        known.iter().flat_map(|subject| subject.digests.iter().copied()).chain(digest)
    }

    /// How many digests it names.
    pub fn weight(&self) -> usize {
        self.digests().count()
    }
}

impl EventRecord {
    /// By what its request is known again.
    pub fn request_key(&self) -> RequestKey {
        RequestKey::of(&self.request)
    }

    /// Whether its request is called after it, as it is if the source gives no other name.
    pub fn names_its_request(&self) -> bool {
        EventKey::of_request(&self.request) == Some(self.key)
    }
}

impl RequestKey {
    /// The key of a request's name.
    pub fn of(request: &str) -> Self {
        Self(sha256_cut(&[request.as_bytes()]))
    }
}

impl CampaignKey {
    /// The key of a campaign's name.
    pub fn of(campaign: &str) -> Self {
        Self(sha256_cut(&[campaign.as_bytes()]))
    }
}

impl JobMark {
    /// The mark of a job's name.
    pub fn of(job: &str) -> Self {
        let [a, b, c, d, ..] = sha256_cut(&[job.as_bytes()]);
        Self(if [a, b, c, d] == [0; 4] { [0, 0, 0, 1] } else { [a, b, c, d] })
    }
}

impl EventKey {
    /// The key of an event's name at its source.
    pub fn of(source: &str, event_id: &str) -> Self {
        Self(sha256_cut(&[source.as_bytes(), &[0], event_id.as_bytes()]))
    }

    /// The event that a request would be called after, if it has no name of its own: `<source>:<event_id>`.
    /// No source has a colon in its name.
    pub fn of_request(request: &str) -> Option<Self> {
        request.split_once(':').map(|(source, event_id)| Self::of(source, event_id))
    }
}

fn sha256_cut(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let full: [u8; 32] = hash.finalize().into();
    let mut cut = [0; 16];
    cut.copy_from_slice(&full[..16]);
    cut
}
