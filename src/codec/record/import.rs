//! The lines of an import, as they stand in the ledger.
//!
//! There are many more of them than of anything else in it, so what holds for all lines of a record stands once,
//! and what a line does not say is left out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::scope::WireScope;
use super::{WireSubject, hex, unhex};
use crate::domain::digest::{Digest, KeyCheck};
use crate::domain::record::{ImportLine, ImportRecord, ImportSubject};
use crate::domain::words::EventKind;

#[derive(Serialize, Deserialize)]
pub(super) struct WireImport {
    import: String,
    received_at: Timestamp,
    keys: Vec<String>,
    lines: Vec<WireLine>,
}

/// `digest` in the place of `subject`: nobody knows what it was made from.
#[derive(Serialize, Deserialize)]
struct WireLine {
    line: u64,
    kind: String,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "WireScope::is_all")]
    scope: WireScope,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    subject: Vec<WireSubject>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

impl From<&ImportRecord> for WireImport {
    fn from(import: &ImportRecord) -> Self {
        Self {
            import: import.import.clone(),
            received_at: import.received_at,
            keys: import.keys.iter().map(|key| hex(&key.0)).collect(),
            lines: import.lines.iter().map(WireLine::from).collect(),
        }
    }
}

impl WireImport {
    pub(super) fn import(self) -> Option<ImportRecord> {
        let keys: Vec<_> = self.keys.iter().map(|key| Some(KeyCheck(unhex(key)?))).collect::<Option<_>>()?;
        let columns = keys.len();
        let lines = self.lines.into_iter().map(|line| line.line(columns)).collect::<Option<_>>()?;
        Some(ImportRecord { import: self.import, received_at: self.received_at, keys, lines })
    }
}

impl From<&ImportLine> for WireLine {
    fn from(line: &ImportLine) -> Self {
        let (subject, digest) = match &line.subject {
            ImportSubject::Known(subjects) => (subjects.iter().map(WireSubject::from).collect(), None),
            ImportSubject::Digest(digest) => (vec![], Some(hex(&digest.0))),
        };
        let scope = WireScope::from(&line.scope);
        Self { line: line.line, kind: line.kind.to_string(), at: line.at, scope, subject, digest }
    }
}

impl WireLine {
    fn line(self, columns: usize) -> Option<ImportLine> {
        let subject = match self.digest {
            Some(digest) if self.subject.is_empty() => ImportSubject::Digest(Digest(unhex(&digest)?)),
            Some(_) => return None,
            None => {
                let subjects = self.subject.iter().map(WireSubject::subject).collect::<Option<Vec<_>>>()?;
                let whole = subjects.iter().all(|subject| subject.digests.len() == columns);
                ImportSubject::Known(whole.then_some(subjects)?)
            }
        };
        let kind = EventKind::parse(&self.kind)?;
        Some(ImportLine { line: self.line, kind, at: self.at, scope: self.scope.scope()?, subject })
    }
}
