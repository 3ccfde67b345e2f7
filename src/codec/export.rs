//! The lines of an export: a head, one line a digest with what stands, an end.
//!
//! NDJSON, for another installation with the same keys and for people's scripts. What requests put there
//! provisionally is left out: it belongs to the requests. The end proves that nothing is missing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::record::{hex, unhex};
use super::scope::WireScope;
use crate::domain::digest::{Digest, KeyCheck};
use crate::domain::record::ListId;
use crate::domain::scope::Scope;
use crate::domain::statement::{Families, Statement};
use crate::domain::words::{DeadReason, EventKind};

/// The version that is written.
const VERSION: u32 = 1;

/// With this an export begins, byte for byte.
pub const BEGINS: &[u8] = b"{\"suppressd_export\":";

/// What stands first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The keys that the digests are under.
    pub keys: Vec<KeyCheck>,
    /// The list.
    pub list: ListId,
    /// Its revision when the export began.
    pub revision: u64,
    /// When it began.
    pub exported_at: Timestamp,
}

/// What stands last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// How many digests there are.
    pub identifiers: u64,
    /// The revision that everything is at least as new as parts of.
    pub revision: u64,
}

/// One thing that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stands {
    /// As the kind of event that says it.
    pub kind: EventKind,
    /// Since when.
    pub at: Timestamp,
    /// Where.
    pub scope: Scope,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The first.
    Head(Head),
    /// One digest.
    Person(Digest, Vec<Stands>),
    /// The last.
    End(End),
}

#[derive(Serialize, Deserialize)]
struct WireHead {
    suppressd_export: u32,
    keys: Vec<String>,
    list: String,
    revision: u64,
    exported_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct WireEnd {
    suppressd_export_end: u32,
    identifiers: u64,
    revision: u64,
}

#[derive(Serialize, Deserialize)]
struct WirePerson {
    digest: String,
    statements: Vec<WireStands>,
}

#[derive(Serialize, Deserialize)]
struct WireStands {
    kind: String,
    occurred_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    regions: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    channels: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    brands: Option<Vec<String>>,
}

/// Any of them, told apart by a member that only one has.
#[derive(Deserialize)]
#[serde(untagged)]
enum Wire {
    Person(WirePerson),
    Head(WireHead),
    End(WireEnd),
}

/// Writes the first line.
pub fn write_head(head: &Head, to: &mut Vec<u8>) {
    let keys = head.keys.iter().map(|key| hex(&key.0)).collect();
    let (list, revision) = (hex(&head.list.0), head.revision);
    line(&WireHead { suppressd_export: VERSION, keys, list, revision, exported_at: head.exported_at }, to);
}

/// Writes the last line.
pub fn write_end(end: End, to: &mut Vec<u8>) {
    let End { identifiers, revision } = end;
    line(&WireEnd { suppressd_export_end: VERSION, identifiers, revision }, to);
}

/// Writes a digest, unless nothing stands for it but what a request put there. Answers whether it did.
pub fn write_person(digest: Digest, standing: &[Statement], to: &mut Vec<u8>) -> bool {
    let statements: Vec<WireStands> = standing.iter().flat_map(stands).map(WireStands::from).collect();
    if statements.is_empty() {
        return false;
    }
    line(&WirePerson { digest: hex(&digest.0), statements }, to);
    true
}

fn line(wire: &impl Serialize, to: &mut Vec<u8>) {
    serde_json::to_writer(&mut *to, wire).expect("a line has only text keys, and a Vec takes bytes");
    to.push(b'\n');
}

/// A statement that unites families is told once for each kind that says it.
pub fn stands(statement: &Statement) -> impl Iterator<Item = Stands> {
    let kinds: &[(Families, EventKind)] = if statement.restricts {
        &[
            (Families::HOLD, EventKind::Hold),
            (Families::CONSENT, EventKind::OptOut),
            (Families::COMPLAINT, EventKind::Complaint),
            (Families::BOUNCE, EventKind::Bounce),
        ]
    } else {
        &[(Families::HOLD, EventKind::Release)]
    };
    let told = kinds.iter().filter(|(family, _)| statement.families.meets(*family)).map(|(_, kind)| *kind);
    let consent = [Families::CONSENT, Families::COMPLAINT, Families::BOUNCE];
    let opt_in = !statement.restricts && consent.iter().any(|family| statement.families.meets(*family));
    let (at, scope) = (statement.at, &statement.scope);
    told.chain(opt_in.then_some(EventKind::OptIn)).map(move |kind| Stands { kind, at, scope: scope.clone() })
}

/// Reads a line.
pub fn read(text: &[u8]) -> Result<Line, Fault> {
    let wire: Wire = serde_json::from_slice(text)
        .map_err(|_| Fault::whole(DeadReason::BadSchema, "is no line of an export of suppressd"))?;
    let read = match wire {
        Wire::Head(head) if head.suppressd_export != VERSION => None,
        Wire::End(end) if end.suppressd_export_end != VERSION => None,
        Wire::Head(head) => head.head().map(Line::Head),
        Wire::End(end) => Some(Line::End(End { identifiers: end.identifiers, revision: end.revision })),
        Wire::Person(person) => person.person(),
    };
    read.ok_or_else(|| {
        Fault::whole(DeadReason::BadSchema, "breaks a rule of exports, or is of a newer suppressd")
    })
}

impl WireHead {
    fn head(self) -> Option<Head> {
        let keys = self.keys.iter().map(|key| Some(KeyCheck(unhex(key)?))).collect::<Option<Vec<_>>>()?;
        let list = ListId(unhex(&self.list)?);
        Some(Head { keys, list, revision: self.revision, exported_at: self.exported_at })
    }
}

impl WirePerson {
    fn person(self) -> Option<Line> {
        let digest = Digest(unhex(&self.digest)?);
        self.statements
            .into_iter()
            .map(WireStands::stands)
            .collect::<Option<_>>()
            .map(|all| Line::Person(digest, all))
    }
}

impl From<Stands> for WireStands {
    fn from(stands: Stands) -> Self {
        let WireScope { regions, channels, brands } = WireScope::from(&stands.scope);
        Self { kind: stands.kind.to_string(), occurred_at: stands.at, regions, channels, brands }
    }
}

impl WireStands {
    fn stands(self) -> Option<Stands> {
        let Self { kind, occurred_at, regions, channels, brands } = self;
        let kind = EventKind::parse(&kind).filter(|kind| kind.restricts() || kind.lifts())?;
        Some(Stands { kind, at: occurred_at, scope: WireScope { regions, channels, brands }.scope()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::scope::{Channels, Names};
    use crate::domain::words::Channel;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn said(kind: EventKind, second: i64, scope: Scope) -> Statement {
        Statement::of(kind, at(second), scope).unwrap()
    }

    #[test]
    fn head_and_end_are_read_as_they_were_written() {
        let head =
            Head { keys: vec![KeyCheck([7; 8])], list: ListId([3; 16]), revision: 9, exported_at: at(5) };
        let end = End { identifiers: 2, revision: 10 };
        let mut bytes = Vec::new();
        write_head(&head, &mut bytes);
        assert!(bytes.starts_with(BEGINS));
        assert_eq!(read(&bytes), Ok(Line::Head(head)));
        bytes.clear();
        write_end(end, &mut bytes);
        assert_eq!(read(&bytes), Ok(Line::End(end)));
    }

    #[test]
    fn what_stands_is_told_by_the_kinds_that_say_it() {
        let narrow = Scope {
            regions: Names::only(["KZ-79".into()]).unwrap(),
            channels: Channels::only([Channel::Sms]).unwrap(),
            brands: Names::All,
        };
        let both = Statement {
            families: Families::from_bits(2 | 8).unwrap(),
            ..said(EventKind::OptOut, 1, narrow.clone())
        };
        let standing = [both, said(EventKind::OptIn, 2, Scope::ALL), Statement::provisional(at(3))];
        let mut bytes = Vec::new();
        assert!(write_person(Digest([1; 16]), &standing, &mut bytes));
        let Ok(Line::Person(digest, told)) = read(&bytes) else { panic!("it is a person") };
        let expected = [
            Stands { kind: EventKind::OptOut, at: at(1), scope: narrow.clone() },
            Stands { kind: EventKind::Bounce, at: at(1), scope: narrow },
            Stands { kind: EventKind::OptIn, at: at(2), scope: Scope::ALL },
        ];
        assert_eq!((digest, told.as_slice()), (Digest([1; 16]), &expected[..]));
        bytes.clear();
        assert!(
            !write_person(Digest([1; 16]), &[Statement::provisional(at(3))], &mut bytes) && bytes.is_empty()
        );
    }

    #[test]
    fn what_breaks_a_rule_is_no_line_and_is_not_repeated() {
        for line in [
            "",
            "{}",
            r#"{"suppressd_export":2,"keys":[],"list":"00","revision":1,"exported_at":"2026-11-22T00:00:00Z"}"#,
            r#"{"digest":"secret","statements":[]}"#,
            r#"{"digest":"00112233445566778899aabbccddeeff","statements":[{"kind":"dismiss","occurred_at":"2026-11-22T00:00:00Z"}]}"#,
            r#"{"digest":"00112233445566778899aabbccddeeff","statements":[{"kind":"hold","occurred_at":"2026-11-22T00:00:00Z","brands":[]}]}"#,
        ] {
            let fault = read(line.as_bytes()).unwrap_err().to_string();
            assert!(!fault.contains("secret"), "{fault}");
        }
    }
}
