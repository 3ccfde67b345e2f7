//! The closed sets that label values come from.
//!
//! Those of the domain are its vocabularies; the rest is here. A value is reached by its index in its set,
//! so a text from outside can select a series and never make one.

use std::collections::HashMap;

use crate::domain::campaign::Taken;
use crate::domain::words::{Channel, DeadReason, EventKind, IdentifierKind, Removal, Status, vocabulary};

/// The label value for what was not understood, or is not configured.
pub(super) const UNKNOWN: &str = "unknown";

/// The verdict of a recipient that goes out.
pub(super) const KEPT: &str = "kept";

/// The status of an event that got no receipt, but is in the dead queue.
pub(super) const DEAD: &str = "dead";

vocabulary! {
    /// What became of a job.
    JobOutcome {
        /// Its output was confirmed.
        Filtered => "filtered",
        /// Nobody is bound to its output: it waits.
        Unroutable => "unroutable",
        /// It is in the dead queue.
        DeadLettered => "dead_lettered",
    }
}

vocabulary! {
    /// Where a dead letter came from.
    DeadQueue {
        /// `suppressd.jobs`.
        Jobs => "jobs",
        /// `suppressd.opt-outs`.
        OptOuts => "opt-outs",
    }
}

vocabulary! {
    /// What the worker needs for its work.
    Dependency {
        /// Sessions with RabbitMQ.
        Amqp => "amqp",
        /// Redis answers, with a list that is proven whole.
        Redis => "redis",
        /// The ledger is the one that the list was folded from, and is applied.
        Ledger => "ledger",
        /// The list in memory is complete and follows.
        Mirror => "mirror",
        /// The mailbox is read, here or by another worker, or there is none to read.
        Mailbox => "mailbox",
    }
}

impl Dependency {
    /// Whether jobs and events need it. Mail waits in its mailbox.
    pub const fn is_vital(self) -> bool {
        !matches!(self, Self::Mailbox)
    }
}

vocabulary! {
    /// What `/ready` warns of.
    Warning {
        /// A server on another machine is reached without TLS.
        Configuration => "configuration",
        /// This clock is too far from Redis's: no events are taken.
        Clock => "clock",
        /// Deadlines cannot be counted for the next 30 days.
        Calendar => "calendar",
        /// Nobody is bound for what waits.
        UnroutableJobs => "unroutable_jobs",
        /// Requests are past their strict deadline.
        RequestsOverdue => "requests_overdue",
        /// Requests are due soon.
        RequestsDueSoon => "requests_due_soon",
        /// A failover may lose what was acknowledged.
        Replicas => "replicas",
        /// Another version keeps the list.
        Fold => "fold",
        /// The mailbox cannot be read.
        Mailbox => "mailbox",
        /// A folder of the mailbox does not exist.
        MailboxFolders => "mailbox_folders",
        /// The mail server does not keep marks.
        MailboxMarks => "mailbox_marks",
        /// Mails stay where they are.
        MailboxMoves => "mailbox_moves",
    }
}

vocabulary! {
    /// What is told as an event of its own, because a person must act on it.
    Alarm {
        /// Redis has no list, another or an older one.
        ListLost => "list_lost",
        /// The ledger lacks what the list has.
        LedgerLost => "ledger_lost",
        /// Nobody is bound for a job's output.
        Unroutable => "unroutable",
        /// The same event id with other content.
        EventIdConflict => "event_id_conflict",
        /// Many mails ask for something and are not from whom they say.
        MailboxFlood => "mailbox_flood",
        /// A request is due soon, overdue, or was settled late.
        Deadline => "deadline",
    }
}

vocabulary! {
    /// Where messages may wait.
    Queue {
        /// `suppressd.jobs`.
        Jobs => "jobs",
        /// `suppressd.opt-outs`.
        OptOuts => "opt-outs",
        /// `suppressd.waiting`.
        Waiting => "waiting",
        /// `suppressd.dead`.
        Dead => "dead",
    }
}

vocabulary! {
    /// What became of a mail.
    MailOutcome {
        /// An opt-out.
        OptOut => "opt_out",
        /// A request about the data of a person: held, and for a person to look at.
        Hold => "hold",
        /// Perhaps an opt-out: held, and for a person to look at.
        Unsure => "unsure",
        /// For a person to look at.
        Review => "review",
        /// A spam report.
        Complaint => "complaint",
        /// Undeliverable addresses.
        Bounce => "bounce",
        /// None of ours.
        Nothing => "nothing",
        /// Its event is known already: the same mail in another folder, or read again after a crash.
        Known => "known",
        /// The server did not hand it out, again and again: marked for a person to look at.
        Unreadable => "unreadable",
    }
}

vocabulary! {
    /// What keeps the mailbox from being read.
    MailFaultKind {
        /// No connection, or one that broke.
        Unreachable => "unreachable",
        /// A connection without an answer in time.
        Silent => "silent",
        /// The server is not who it should be, or there is no TLS with it.
        Tls => "tls",
        /// User or password are refused.
        Login => "login",
        /// The server refuses a command.
        Refused => "refused",
        /// The server's answer cannot be understood.
        Protocol => "protocol",
        /// A mail could not be marked or moved: the mailbox is full, say, or may not be changed.
        Mark => "mark",
    }
}

vocabulary! {
    /// What became of a span.
    SpanFate {
        /// The collector has it.
        Exported => "exported",
        /// Dropped: too many waited already.
        NoRoom => "no_room",
        /// Dropped: the collector could not be reached, did not answer in time, or refused it.
        NotTaken => "not_taken",
    }
}

/// Words of a closed set that are known only at run time, each once, in their order.
#[derive(Debug)]
pub(super) struct Names {
    words: Vec<String>,
    index: HashMap<String, usize>,
}

impl Names {
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut set = Self { words: Vec::new(), index: HashMap::new() };
        for name in names {
            if !set.index.contains_key(name) {
                set.index.insert(name.to_owned(), set.words.len());
                set.words.push(name.to_owned());
            }
        }
        set
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    pub(super) fn words(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }
}

/// The spellings of a vocabulary's words.
macro_rules! spellings {
    ($($function:ident: $vocabulary:ident,)+) => {
        $(pub(super) fn $function() -> Vec<&'static str> {
            $vocabulary::ALL.iter().map(|word| word.as_str()).collect()
        })+
    };
}

spellings! {
    channels: Channel,
    outcomes: JobOutcome,
    parts: Taken,
    queues: DeadQueue,
    all_queues: Queue,
    alarms: Alarm,
    warnings: Warning,
    dependencies: Dependency,
    mail_outcomes: MailOutcome,
    mail_faults: MailFaultKind,
    span_fates: SpanFate,
    identifiers: IdentifierKind,
    reasons: DeadReason,
    removals: Removal,
    kinds: EventKind,
    statuses: Status,
}
