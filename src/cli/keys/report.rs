//! What stands under each key, for people and for machines.

use std::fmt::Write;

use serde::Serialize;

use super::super::table::table;
use crate::domain::digest::KeyCheck;
use crate::service::survey_keys::{OfKey, Survey};

/// Everything, or nothing while no key is needed.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    keys: Vec<Row>,
    /// Of no record's key.
    unknown: u64,
    requests: u64,
    retired: Vec<String>,
}

/// One key.
#[derive(Debug, Serialize)]
struct Row {
    key: String,
    /// The record of the ledger that brought it.
    offset: Option<u64>,
    /// When the last event or import before that was.
    after: Option<jiff::Timestamp>,
    newest: bool,
    identifiers: u64,
    /// Not named under the newest key.
    alone: u64,
    /// Named there, and a retirement copies what they lack there.
    short: u64,
}

impl Report {
    pub(super) fn new(survey: Option<&Survey>) -> Self {
        let Some(survey) = survey else {
            return Self { keys: vec![], unknown: 0, requests: 0, retired: vec![] };
        };
        let mut keys: Vec<Row> =
            survey.keys.iter().map(|(key, of)| Row::new(*key, of, *key == survey.to)).collect();
        keys.sort_by_key(|row| (row.newest, row.offset));
        Self {
            keys,
            unknown: survey.unknown.len() as u64,
            requests: survey.requests,
            retired: survey.retired.iter().map(ToString::to_string).collect(),
        }
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("a report has only text keys") + "\n"
    }

    pub(super) fn text(&self) -> String {
        if self.keys.is_empty() {
            return "the list depends on no key yet\n".to_owned();
        }
        let rows: Vec<[String; 5]> = self.keys.iter().map(Row::cells).collect();
        let mut text = table(["key", "since", "identifiers", "only there", "to copy"], &rows);
        let sums = [
            (self.unknown, "identifiers of which no record tells the key"),
            (self.requests, "requests in review that name people under an older key alone"),
        ];
        for (count, what) in sums.into_iter().filter(|(count, _)| *count > 0) {
            line(&mut text, format_args!("{what}: {count}"));
        }
        if !self.retired.is_empty() {
            line(&mut text, format_args!("retired: {}", self.retired.join(", ")));
        }
        text
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a String takes text");
}

impl Row {
    fn new(key: KeyCheck, of: &OfKey, newest: bool) -> Self {
        Self {
            key: key.to_string(),
            offset: of.since.map(|since| since.offset),
            after: of.since.and_then(|since| since.after),
            newest,
            identifiers: of.identifiers,
            alone: of.alone.len() as u64,
            short: of.short.len() as u64,
        }
    }

    fn cells(&self) -> [String; 5] {
        let since = match (self.after, self.offset) {
            (Some(after), _) => after.strftime("%Y-%m-%d %H:%MZ").to_string(),
            (None, Some(_)) => "the beginning".to_owned(),
            (None, None) => "?".to_owned(),
        };
        let other = |count: u64| if self.newest { "-".to_owned() } else { count.to_string() };
        [self.key.clone(), since, self.identifiers.to_string(), other(self.alone), other(self.short)]
    }
}

/// Why a key cannot be retired, and what to do.
pub(super) fn depends(survey: &Survey, key: KeyCheck) -> String {
    let mut why = vec![format!("not retired, and nothing was changed: {key} is needed")];
    let alone = survey.keys.get(&key).map_or(0, |of| of.alone.len());
    if alone > 0 {
        why.push(format!(
            "- {alone} identifiers are known under it alone: whoever they are would be written to again. Send their \
             opt-outs and changes of identifiers again while both keys are in hashing.key_files: \
             `suppressd import`, `suppressd opt-out`, or as events"
        ));
    }
    if !survey.unknown.is_empty() {
        why.push(format!(
            "- of {} identifiers no record tells the key, because they came as digests: out of an export, or out of \
             the list when its ledger was lost. Send their opt-outs again, dated now",
            survey.unknown.len()
        ));
    }
    if survey.requests > 0 {
        why.push(format!(
            "- {} requests in review name people under an older key alone: decide on them (`suppressd requests`)",
            survey.requests
        ));
    }
    why.join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::domain::counterparts::Since;
    use crate::domain::digest::Digest;

    const OLD: KeyCheck = KeyCheck([0x0a; 8]);
    const NEW: KeyCheck = KeyCheck([0x0b; 8]);

    fn survey(alone: usize, unknown: usize, requests: u64) -> Survey {
        let digests = |count| vec![Digest([7; 16]); count];
        let since = |offset, after: Option<i64>| {
            Some(Since { offset, after: after.map(|at| jiff::Timestamp::from_second(at).unwrap()) })
        };
        let old = OfKey { since: since(0, None), identifiers: 9, short: digests(2), alone: digests(alone) };
        let new = OfKey { since: since(5, Some(0)), identifiers: 4, ..OfKey::default() };
        Survey {
            to: NEW,
            keys: BTreeMap::from([(NEW, new), (OLD, old)]),
            retired: BTreeSet::from([KeyCheck([0x0c; 8])]),
            unknown: digests(unknown),
            requests,
        }
    }

    #[test]
    fn the_oldest_key_is_told_first_and_the_newest_last() {
        let expected = "\
key               since              identifiers  only there  to copy
0a0a0a0a0a0a0a0a  the beginning      9            3           2
0b0b0b0b0b0b0b0b  1970-01-01 00:00Z  4            -           -
retired: 0c0c0c0c0c0c0c0c
";
        assert_eq!(Report::new(Some(&survey(3, 0, 0))).text(), expected);
        let json = Report::new(Some(&survey(3, 1, 2))).json();
        for part in [r#""alone":3,"short":2"#, r#""unknown":1,"requests":2"#, r#""offset":5,"after":"1970"#] {
            assert!(json.contains(part), "{json}");
        }
        assert_eq!(Report::new(None).text(), "the list depends on no key yet\n");
    }

    #[test]
    fn why_a_key_stays_is_told_with_what_to_do_and_only_what_is_so() {
        assert!(!depends(&survey(3, 0, 0), OLD).contains("requests"));
        let all = depends(&survey(3, 4, 5), OLD);
        for part in ["3 identifiers are known under it alone", "of 4 identifiers", "5 requests in review"] {
            assert!(all.contains(part), "{all}");
        }
    }
}
