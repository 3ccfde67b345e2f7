//! How often a corpus is taken for what it is: precision and recall by outcome and language.

use std::collections::BTreeSet;
use std::fmt;

use crate::corpus::Case;
use crate::support::name;

const OUTCOMES: [&str; 7] = ["opt_out", "hold", "unsure", "review", "complaint", "bounce", "nothing"];

/// The figures of one corpus.
pub(crate) struct Report<'c> {
    part: &'c str,
    cases: &'c [Case],
}

/// What was labelled so, what was found so, and what was both.
#[derive(Default)]
struct Count {
    labelled: usize,
    found: usize,
    right: usize,
}

impl<'c> Report<'c> {
    /// Counts.
    pub(crate) fn of(part: &'c str, cases: &'c [Case]) -> Self {
        Self { part, cases }
    }

    /// A mail whose other acceptable outcome was found counts for that outcome.
    fn count(&self, outcome: &str, language: Option<&str>) -> Count {
        let mut count = Count::default();
        for case in self.cases.iter().filter(|case| language.is_none_or(|language| case.language == language))
        {
            let found = name(&case.reading);
            let labelled = if case.label.accepts(found) { found } else { &case.label.outcome };
            count.labelled += usize::from(labelled == outcome);
            count.found += usize::from(found == outcome);
            count.right += usize::from(labelled == outcome && found == outcome);
        }
        count
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let languages: BTreeSet<&str> = self.cases.iter().map(|case| case.language.as_str()).collect();
        writeln!(f, "{}: {} mails", self.part, self.cases.len())?;
        writeln!(
            f,
            "{:10} {:10} {:>6} {:>6} {:>10} {:>7}",
            "language", "outcome", "mails", "found", "precision", "recall"
        )?;
        let rows = languages.into_iter().map(Some).chain([None]);
        for language in rows {
            for outcome in OUTCOMES {
                let count = self.count(outcome, language);
                if count.labelled + count.found > 0 {
                    let (precision, recall) =
                        (share(count.right, count.found), share(count.right, count.labelled));
                    let language = language.unwrap_or("all");
                    writeln!(
                        f,
                        "{language:10} {outcome:10} {:>6} {:>6} {precision:>10} {recall:>7}",
                        count.labelled, count.found
                    )?;
                }
            }
        }
        let explicit = || self.cases.iter().filter(|case| case.label.explicit);
        let applied = explicit().filter(|case| name(&case.reading) == "opt_out").count();
        let to_apply = explicit().filter(|case| case.label.outcome == "opt_out").count();
        let missed = explicit().filter(|case| ["nothing", "review"].contains(&name(&case.reading))).count();
        write!(f, "explicit requests: {}, to apply without a person: {to_apply}, ", explicit().count())?;
        write!(f, "so applied: {applied}, missed: {missed}")
    }
}

fn share(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    #[allow(clippy::cast_precision_loss, reason = "a corpus has few mails")]
    let percent = part as f64 * 100.0 / whole as f64;
    format!("{percent:.1} %")
}
