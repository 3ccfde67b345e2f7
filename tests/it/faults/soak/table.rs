//! The sums of a run, as the table of the guide.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use super::breakage::Breakage;
use super::usage::Usage;
use crate::checker::Verdict;
use crate::faults::flow::Flow;

/// What came of one kind of fault.
#[derive(Default)]
struct Row {
    recoveries: Vec<Duration>,
    messages: usize,
    duplicates: usize,
    leaked: usize,
}

/// What came of all of them.
pub(super) struct Table {
    started: Instant,
    before: Usage,
    start: Verdict,
    rows: BTreeMap<Breakage, Row>,
}

impl Table {
    pub(super) fn new(flow: &Flow, before: Usage) -> Self {
        Self { started: Instant::now(), before, start: flow.verdict(), rows: BTreeMap::new() }
    }

    /// One fault: how long after its end the load went on, and how everything stood before and after.
    pub(super) fn add(&mut self, kind: Breakage, recovery: Duration, before: &Verdict, after: &Verdict) {
        let row = self.rows.entry(kind).or_default();
        row.recoveries.push(recovery);
        row.messages += messages(after) - messages(before);
        row.duplicates += duplicates(after) - duplicates(before);
        row.leaked += after.leaked - before.leaked;
    }

    /// The longest recovery of all.
    pub(super) fn slowest(&self) -> Duration {
        self.rows.values().flat_map(|row| &row.recoveries).max().copied().unwrap_or_default()
    }

    /// In Markdown. Only at the end is it known what is lost, and then for all kinds together.
    pub(super) fn show(&self, end: &Verdict, after: Usage, peak: Usage) -> String {
        let mut text = String::from(
            "\n| fault | runs | messages | lost | leaked | duplicates | longest recovery |\n\
             |---|---|---|---|---|---|---|\n",
        );
        let lost = end.jobs.lost + end.opt_outs.lost;
        let lost_here = if lost == 0 { "0" } else { "?" };
        for (kind, row) in &self.rows {
            let runs = row.recoveries.len();
            let longest = seconds(row.recoveries.iter().max().copied().unwrap_or_default());
            let Row { messages, duplicates, leaked, .. } = row;
            let name = kind.name();
            writeln!(
                text,
                "| {name} | {runs} | {messages} | {lost_here} | {leaked} | {duplicates} | {longest} |"
            )
            .expect("a String takes text");
        }
        let runs: usize = self.rows.values().map(|row| row.recoveries.len()).sum();
        let all = messages(end) - messages(&self.start);
        let longest = seconds(self.slowest());
        writeln!(
            text,
            "| all, with what lay between | {runs} | {all} | {lost} | {} | {} | {longest} |",
            end.leaked,
            duplicates(end)
        )
        .expect("a String takes text");
        self.show_usage(&mut text, end, after, peak);
        text
    }

    fn show_usage(&self, text: &mut String, end: &Verdict, after: Usage, peak: Usage) {
        let mib = |usage: Usage| usage.memory >> 20;
        let minutes = self.started.elapsed().as_secs() / 60;
        writeln!(
            text,
            "\n{minutes} min, {} jobs with {} recipients, {} opt-outs, {} unexpected\n\n\
             | of a worker | before | peak | after |\n|---|---|---|---|\n\
             | memory, MiB | {} | {} | {} |\n| open files | {} | {} | {} |\n| threads | {} | {} | {} |\n\
             | tasks | {} | {} | {} |",
            end.jobs.attempted,
            end.recipients,
            end.opt_outs.attempted,
            end.unexpected,
            mib(self.before),
            mib(peak),
            mib(after),
            self.before.files,
            peak.files,
            after.files,
            self.before.threads,
            peak.threads,
            after.threads,
            self.before.tasks,
            peak.tasks,
            after.tasks,
        )
        .expect("a String takes text");
    }
}

fn messages(verdict: &Verdict) -> usize {
    verdict.jobs.attempted + verdict.opt_outs.attempted
}

fn duplicates(verdict: &Verdict) -> usize {
    verdict.jobs.duplicated + verdict.opt_outs.duplicated
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
