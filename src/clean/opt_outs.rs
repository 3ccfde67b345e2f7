//! A list out of a file of events: what `suppressd` would hold if it had been sent these events and no others.
//!
//! The same decision, the same fold and the same mirror as for the live list, in memory and under a key
//! that nobody else ever sees. Every line that a worker would not accept makes the whole file unusable:
//! somebody might not be suppressed. Sources may say what `[sources]` lets them say; who speaks for them is
//! not checked, because a file has no AMQP user but the operator's own hand.

use std::io::BufRead;

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::codec::event::Body;
use crate::domain::digest::{HashKey, KeyCheck, KeyRing};
use crate::domain::event::{Event, Policy, Taken, decide, permit};
use crate::domain::fold::{Decision, FoldFault, Head, Outcome, Working};
use crate::domain::identifier::{Country, canonical};
use crate::domain::record::{Entry, EventKey, EventRecord, LedgerId, ListId, Record, RecordId};
use crate::mirror::Mirror;

use super::bad_lines::{BadLines, Unreadable};
use super::rows::{RowFault, Rows, Shape};

/// By what the lines are judged.
pub struct Rules<'a> {
    /// What sources may say, regions, brands, and how far ahead an event may be dated.
    pub policy: Policy<'a>,
    /// Where numbers without a country code are dialled.
    pub country: &'a Country,
    /// The size of an event.
    pub event_bytes_max: usize,
}

/// A list for one run.
pub struct OptOuts {
    /// Who answers.
    pub list: Mirror,
    /// The key under which it answers.
    pub keys: KeyRing,
    /// Events that were read, repetitions included.
    pub events: u64,
    /// Events that repeat an earlier one.
    pub duplicates: u64,
    /// Lines on which some identifier could not be read, while others could.
    pub lines_ignoring: u64,
    /// Lines whose scope was widened because it names something unknown.
    pub lines_widened: u64,
}

/// Reads a file of events, one JSON object a line, as of now.
pub fn read(input: impl BufRead, rules: &Rules<'_>, now: Timestamp) -> Result<OptOuts, Unreadable> {
    let mut rows = Rows::new(input, Shape::Lines, rules.event_bytes_max);
    let mut list = Unfinished::new(rules, now);
    let mut bad = BadLines::default();
    let mut row = Vec::new();
    while !bad.is_full() {
        row.clear();
        match rows.next(&mut row) {
            Ok(None) => break,
            Ok(Some(at)) if at.is_blank => {}
            Ok(Some(at)) => {
                let text =
                    if at.line == 1 { row.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&row) } else { &row };
                if let Err(rule) = list.take(text) {
                    bad.note(at.line, rule);
                }
            }
            Err(RowFault::Io(fault)) => return Err(fault.into()),
            Err(RowFault::Row { line, rule }) => {
                bad.note(line, rule);
                break;
            }
        }
    }
    if bad.is_empty() { Ok(list.finish()) } else { Err(Unreadable::Bad(bad)) }
}

/// The list while its events are read.
struct Unfinished<'a> {
    rules: &'a Rules<'a>,
    now: Timestamp,
    keys: KeyRing,
    checks: Vec<KeyCheck>,
    working: Working,
    events: u64,
    duplicates: u64,
    lines_ignoring: u64,
    lines_widened: u64,
}

impl<'a> Unfinished<'a> {
    fn new(rules: &'a Rules<'a>, now: Timestamp) -> Self {
        let key = random_key();
        let checks = vec![key.check()];
        let keys = KeyRing::new(vec![key]).expect("one key is a ring");
        let mut list = Self {
            rules,
            now,
            keys,
            working: Working::new(Head::new(ListId([0; 16]))),
            checks: checks.clone(),
            events: 0,
            duplicates: 0,
            lines_ignoring: 0,
            lines_widened: 0,
        };
        let genesis = Record::Genesis { ledger: LedgerId([0; 16]), keys: checks };
        list.fold(genesis).expect("a list begins with its genesis");
        list
    }

    /// Takes one event; the rule that it breaks, if it breaks one.
    fn take(&mut self, line: &[u8]) -> Result<(), String> {
        let body = Body::parse(line).map_err(|fault| fault.to_string())?;
        let event = body.event().map_err(|fault| fault.to_string())?;
        let record = self.decide(&event, &body)?;
        let (key, remarks) = (record.key, record.remarks);
        let nobody = record.subject.is_empty();
        self.events += 1;
        if let Some(first) = self.outcome(key) {
            if first.content.iter().map(|(_, hash)| hash).eq(&record.content) {
                self.duplicates += 1;
                return Ok(());
            }
            return Err("event_id_conflict: /event_id: an earlier line has it with other content".to_owned());
        }
        self.fold(Record::Event(Box::new(record))).map_err(|fault| fault.to_string())?;
        self.lines_ignoring += u64::from(remarks.ignored != 0);
        self.lines_widened += u64::from(remarks.widened != 0);
        match self.outcome(key).map(|outcome| outcome.decision) {
            Some(Decision::Review) if nobody => {
                Err("no_identifier: /subject: no identifier can be read".to_owned())
            }
            Some(Decision::NoIdentifier) => {
                Err("no_identifier: /request_id: its request names nobody".to_owned())
            }
            Some(Decision::UnknownRequest) => {
                Err("unknown_request: /request_id: no earlier line has this request".to_owned())
            }
            Some(Decision::Applied | Decision::Superseded | Decision::Review) | None => Ok(()),
        }
    }

    fn decide(&self, event: &Event<'_>, body: &Body) -> Result<EventRecord, String> {
        let content = self.keys.keys().iter().map(|key| key.content_hash(&body.canonical())).collect();
        let taken = Taken { received_at: self.now, keys: &self.checks, content };
        let policy = &self.rules.policy;
        let mut buffer = String::new();
        permit(event, None, policy)
            .and_then(|()| {
                decide(event, taken, policy, |kind, text| {
                    let form = canonical(kind, text, self.rules.country, &mut buffer).ok()?;
                    Some(self.keys.digests(kind, form).collect())
                })
            })
            .map_err(|refused| format!("{}: {}", refused.reason, refused.detail))
    }

    fn outcome(&self, key: EventKey) -> Option<&Outcome> {
        self.working.events.get(&key)?.as_ref()
    }

    fn fold(&mut self, record: Record) -> Result<(), FoldFault> {
        // Nobody asks for a record of this list by its name.
        let entry = Entry { id: RecordId([0; 16]), record };
        self.working.fold(self.working.head.position, &entry)
    }

    fn finish(self) -> OptOuts {
        let head = self.working.head;
        let mut list = Mirror::new(head.list, head.position, head.revision, head.last);
        list.reserve(self.working.people.len());
        for (digest, person) in self.working.people {
            list.put(digest, &person.standing());
        }
        OptOuts {
            list,
            keys: self.keys,
            events: self.events,
            duplicates: self.duplicates,
            lines_ignoring: self.lines_ignoring,
            lines_widened: self.lines_widened,
        }
    }
}

/// A key from the operating system, for as long as this process lives.
fn random_key() -> HashKey {
    loop {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes).expect("the operating system gives random bytes");
        let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len()));
        for byte in bytes.iter() {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).expect("a nibble is a digit"));
            }
        }
        // A key with fewer than eight different bytes is refused; nobody will ever see a second round.
        if let Ok(key) = HashKey::from_file_text(&text) {
            return key;
        }
    }
}
