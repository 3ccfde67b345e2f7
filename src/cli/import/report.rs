//! The sums of an import, for people and for machines.

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use crate::bulk::Counts;
use crate::daemon::{Imported, REFUSED_TOLD_MAX};
use crate::domain::words::EventKind;

/// What is told of an import.
pub(super) struct Report<'a> {
    /// The file, as it was named.
    pub(super) file: &'a Path,
    /// Whether nothing was written.
    pub(super) preview: bool,
    /// What became of it.
    pub(super) imported: &'a Imported,
}

#[derive(Serialize)]
struct Sums<'a> {
    import: &'a str,
    format: &'static str,
    preview: bool,
    went_on_after: Option<u64>,
    #[serde(flatten)]
    counts: &'a Counts,
    cut_short: bool,
    revision: u64,
    seconds: f64,
}

impl Report<'_> {
    /// One line of JSON.
    pub(super) fn json(&self) -> String {
        let Imported { import, format, counts, cut_short, went_on_after, revision, took, .. } = self.imported;
        let sums = Sums {
            import,
            format: format.as_str(),
            preview: self.preview,
            went_on_after: *went_on_after,
            counts,
            cut_short: *cut_short,
            revision: *revision,
            seconds: took.as_secs_f64(),
        };
        serde_json::to_string(&sums).expect("names and numbers are JSON") + "\n"
    }

    /// The sums, aligned.
    pub(super) fn text(&self) -> String {
        let Imported { import, format, counts, went_on_after, revision, took, .. } = self.imported;
        let what = if self.preview { "preview of import" } else { "import" };
        let mut text = format!("{what} {import}, {} as {format}:", self.file.display());
        let mut line = |indent: usize, name: &str, count: u64| {
            let width = 26 - indent;
            write!(text, "\n{:indent$}{name:width$}{count:>10}", "").expect("a String takes text");
        };
        line(2, "read", counts.read);
        line(2, "new", counts.new);
        for kind in EventKind::ALL.iter().filter(|kind| kind.restricts()) {
            line(4, kind.as_str(), counts.kinds.get(kind.as_str()).copied().unwrap_or(0));
        }
        line(2, "already known", counts.known);
        line(2, "superseded", counts.superseded);
        line(2, "not an opt-out", counts.not_an_opt_out);
        line(2, "refused", counts.refused);
        for (name, count) in [
            ("only lifting", counts.lifts_only),
            ("with an unknown scope", counts.widened),
            ("ignoring an identifier", counts.ignoring),
            ("lifts left out", counts.lifts),
        ] {
            if count > 0 {
                line(2, name, count);
            }
        }
        let seconds = took.as_secs_f64();
        let end = match (self.preview, went_on_after) {
            (true, _) => format!("nothing was written; as of revision {revision}, in {seconds:.1} s"),
            (false, None) => format!(
                "{} lines were written; all of it is in force since revision {revision}, after {seconds:.1} s",
                counts.written
            ),
            (false, Some(line)) => format!(
                "{} lines were written, this run went on after line {line}; all of it is in force since revision \
                 {revision}, after {seconds:.1} s",
                counts.written
            ),
        };
        text + "\n" + &end + "\n"
    }

    /// What is wrong with the file.
    pub(super) fn problems(&self) -> Option<String> {
        let Imported { counts, refused, cut_short, .. } = self.imported;
        let mut lines = Vec::new();
        if counts.refused > 0 && self.preview {
            lines.extend(refused.iter().map(|(line, rule)| format!("line {line}: {rule}")));
            if counts.refused > REFUSED_TOLD_MAX as u64 {
                lines.push(format!("and {} more", counts.refused - REFUSED_TOLD_MAX as u64));
            }
        } else if counts.refused > 0 {
            lines.push(format!(
                "{} lines were refused: {}.rejected.ndjson says which, and by which rule",
                counts.refused,
                self.file.display()
            ));
        }
        if *cut_short {
            lines.push(
                "the export has no last line: it was cut short, and whom it lacks nobody knows".to_owned(),
            );
        }
        if counts.lifts > 0 {
            lines.push(format!(
                "{} statements of the export lift something; an import never lifts, so they are left out",
                counts.lifts
            ));
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bulk::Format;

    fn imported() -> Imported {
        let mut counts = Counts { read: 12, new: 5, known: 3, refused: 4, written: 6, ..Counts::default() };
        counts.kind(EventKind::Bounce);
        Imported {
            import: "5d2f6f0f3c7e4b1a".into(),
            format: Format::Sendgrid,
            counts,
            refused: vec![(3, "no_identifier: no identifier can be parsed".into())],
            cut_short: true,
            went_on_after: Some(7),
            revision: 40,
            took: Duration::from_millis(1250),
        }
    }

    #[test]
    fn the_sums_are_told_to_people_and_to_machines() {
        let imported = imported();
        let mut report = Report { file: Path::new("out.csv"), preview: false, imported: &imported };
        let text = report.text();
        assert!(text.starts_with("import 5d2f6f0f3c7e4b1a, out.csv as sendgrid:\n  read "), "{text}");
        assert!(text.contains("went on after line 7") && text.contains("revision 40, after 1.2 s"), "{text}");
        let problems = report.problems().unwrap();
        assert!(problems.contains("out.csv.rejected.ndjson") && problems.contains("cut short"), "{problems}");
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!((&json["read"], &json["kinds"]["bounce"]), (&12.into(), &1.into()), "{json}");
        report.preview = true;
        assert!(report.text().ends_with("nothing was written; as of revision 40, in 1.2 s\n"));
        assert!(report.problems().unwrap().starts_with("line 3: no_identifier"));
    }
}
