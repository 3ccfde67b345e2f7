//! `suppressd doctor`: the diagnosis in words and for machines, and the exit code that scripts act on.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use super::console::Console;
use super::exit::{Exit, Failure};
use super::table::plain;
use super::{runtime, start_log};
use crate::daemon::{self, Check, Stop, Verdict};
use crate::service::clock::Clock;
use crate::settings::{self, Settings};

/// Look at everything that a worker needs, and say what to do. Nothing is changed
#[derive(Debug, Clone, clap::Args)]
pub(super) struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Looks, tells, and says by the exit code whether somebody must act.
pub(super) fn run(
    args: &DoctorArgs,
    config: &[PathBuf],
    environment: impl Iterator<Item = (String, String)>,
    clock: &dyn Clock,
    console: &mut Console<'_>,
) -> Exit {
    let checks = match settings::load(config, environment) {
        Ok(settings) => match look(&settings, clock) {
            Ok(checks) => checks,
            Err(stop) => return Failure::new(super::exit_of(&stop), stop.to_string()).told(console),
        },
        Err(mistakes) => daemon::misconfigured(&mistakes),
    };
    let text = if args.json { json(&checks) } else { text(&checks) };
    let printed = console.out.write_all(text.as_bytes()).and_then(|()| console.out.flush());
    match printed {
        Ok(()) => exit(&checks),
        Err(fault) => {
            let why = format!("the diagnosis cannot be printed: {fault}");
            Failure::new(Exit::Internal, why).told(console)
        }
    }
}

fn look(settings: &Settings, clock: &dyn Clock) -> Result<Vec<Check>, Stop> {
    start_log(settings)?;
    Ok(runtime()?.block_on(daemon::doctor(settings, clock)))
}

/// What must be mended counts for more than what may come back by itself.
fn exit(checks: &[Check]) -> Exit {
    let any = |verdict| checks.iter().any(|check| check.verdict == verdict);
    if any(Verdict::Fault) {
        Exit::Configuration
    } else if any(Verdict::Unavailable) {
        Exit::Unavailable
    } else {
        Exit::Fine
    }
}

/// A line for each check, and below it what to do.
fn text(checks: &[Check]) -> String {
    let widest = |width: fn(&Check) -> usize| checks.iter().map(width).max().unwrap_or_default();
    let verdict = widest(|check| check.verdict.as_str().len());
    let name = widest(|check| check.name.chars().count());
    let mut text = String::new();
    let mut line = |verdict_word: &str, named: &str, said: &str| {
        writeln!(text, "{verdict_word:verdict$}  {named:name$}  {said}").expect("a String takes text");
    };
    for check in checks {
        line(check.verdict.as_str(), &check.name, &plain(&check.found));
        if let Some(to_do) = &check.to_do {
            line("", "", &format!("→ {}", plain(to_do)));
        }
    }
    let counted =
        Verdict::ALL.iter().map(|verdict| format!("{} {}", count(checks, *verdict), verdict.as_str()));
    text + "\n" + &counted.collect::<Vec<_>>().join(", ") + "\n"
}

fn count(checks: &[Check], verdict: Verdict) -> usize {
    checks.iter().filter(|check| check.verdict == verdict).count()
}

#[derive(Serialize)]
struct Report<'a> {
    checks: Vec<Row<'a>>,
    ok: usize,
    warning: usize,
    fault: usize,
    unavailable: usize,
    skipped: usize,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    state: &'static str,
    found: &'a str,
    #[serde(rename = "do")]
    to_do: Option<&'a str>,
}

fn json(checks: &[Check]) -> String {
    let rows = checks.iter().map(|check| Row {
        name: &check.name,
        state: check.verdict.as_str(),
        found: &check.found,
        to_do: check.to_do.as_deref(),
    });
    let count = |verdict| count(checks, verdict);
    let report = Report {
        checks: rows.collect(),
        ok: count(Verdict::Ok),
        warning: count(Verdict::Warning),
        fault: count(Verdict::Fault),
        unavailable: count(Verdict::Unavailable),
        skipped: count(Verdict::Skipped),
    };
    serde_json::to_string(&report).expect("texts and numbers are JSON") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(verdict: Verdict, to_do: Option<&str>) -> Check {
        let name = format!("a {}", verdict.as_str());
        Check { name, verdict, found: "\u{1b}[2Jfound".into(), to_do: to_do.map(ToOwned::to_owned) }
    }

    #[test]
    fn what_must_be_mended_decides_the_exit_code() {
        for (verdicts, code) in [
            (&[][..], Exit::Fine),
            (&[Verdict::Ok, Verdict::Warning, Verdict::Skipped], Exit::Fine),
            (&[Verdict::Ok, Verdict::Unavailable], Exit::Unavailable),
            (&[Verdict::Unavailable, Verdict::Fault], Exit::Configuration),
        ] {
            let checks: Vec<_> = verdicts.iter().map(|verdict| check(*verdict, None)).collect();
            assert_eq!(exit(&checks), code);
        }
    }

    #[test]
    fn every_check_has_its_line_what_to_do_its_own_and_none_steers_the_terminal() {
        let told = text(&[check(Verdict::Ok, None), check(Verdict::Warning, Some("mend it"))]);
        let expected = "ok       a ok       \\u{1b}[2Jfound\nwarning  a warning  \\u{1b}[2Jfound\n                    \
                        → mend it\n\n1 ok, 1 warning, 0 fault, 0 unavailable, 0 skipped\n";
        assert_eq!(told, expected);
    }

    #[test]
    fn machines_get_every_check_and_the_sums() {
        let told = json(&[check(Verdict::Fault, Some("mend it"))]);
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let row = serde_json::json!({"name": "a fault", "state": "fault", "found": "\u{1b}[2Jfound", "do": "mend it"});
        assert_eq!((&told["checks"][0], &told["fault"], &told["ok"]), (&row, &1.into(), &0.into()));
    }
}
