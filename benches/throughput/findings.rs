//! What a run has found so far: printed at the end, whatever is missing by then.

use suppressd::domain::words::Channel;

use crate::contenders::{Contender, Sample};
use crate::in_force::Effects;
use crate::lists::Costs;
use crate::partitions::Partitions;
use crate::plan::Cell;
use crate::rounds::Took;
use crate::stats::Spread;

/// Everything that was measured.
pub(crate) struct Findings {
    /// Lines about the machine.
    pub(crate) machine: Vec<(String, String)>,
    /// Side by side.
    pub(crate) samples: Vec<Sample>,
    /// What each list costs, in the order of the lists.
    pub(crate) lists: Vec<Costs>,
    /// Lines a second of an import of addresses.
    pub(crate) addresses: Option<f64>,
    /// Opt-outs while jobs run.
    pub(crate) in_force: Option<Effects>,
    /// Two workers beside one.
    pub(crate) partitions: Option<Partitions>,
    /// What the core benchmark printed last, in million recipients a second.
    pub(crate) core: Option<f64>,
    /// What went wrong.
    pub(crate) troubles: Vec<String>,
    /// How long rounds take.
    pub(crate) took: Took,
}

impl Findings {
    /// Nothing yet.
    pub(crate) fn new(machine: Vec<(String, String)>) -> Self {
        Self {
            machine,
            samples: vec![],
            lists: vec![],
            addresses: None,
            in_force: None,
            partitions: None,
            core: None,
            troubles: vec![],
            took: Took::default(),
        }
    }

    /// Keeps what went wrong.
    pub(crate) fn note<T>(&mut self, result: Result<T, String>) -> Option<T> {
        result
            .map_err(|trouble| {
                eprintln!("{trouble}");
                self.troubles.push(trouble);
            })
            .ok()
    }

    /// Speeds of one contender, each with its round. The limit knows no list.
    pub(crate) fn speeds(&self, cell: Cell, contender: Contender, list: u64) -> Vec<(usize, f64)> {
        self.of(cell, contender, list).map(|sample| (sample.round, sample.speed)).collect()
    }

    /// The measurements of one contender.
    pub(crate) fn of(&self, cell: Cell, contender: Contender, list: u64) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |sample| {
            sample.cell == cell
                && sample.contender == contender
                && (sample.list == list || contender == Contender::Limit)
        })
    }

    /// The middle speed of one contender.
    pub(crate) fn speed(&self, cell: Cell, contender: Contender, list: u64) -> Option<Spread> {
        Spread::of(self.speeds(cell, contender, list).into_iter().map(|(_, speed)| speed))
    }

    /// One divided by another: of the medians, and the spread of the pairs of one round.
    pub(crate) fn ratio(
        &self,
        cell: Cell,
        one: (Contender, u64),
        other: (Contender, u64),
    ) -> Option<(f64, Spread)> {
        let medians = self.speed(cell, one.0, one.1)?.median / self.speed(cell, other.0, other.1)?.median;
        let others = self.speeds(cell, other.0, other.1);
        let pairs = self.speeds(cell, one.0, one.1).into_iter().filter_map(|(round, speed)| {
            let other = others.iter().find(|(same, _)| *same == round)?;
            Some(speed / other.1)
        });
        Some((medians, Spread::of(pairs)?))
    }

    /// Every cell that was measured, SMS first, small jobs first.
    pub(crate) fn cells(&self) -> Vec<Cell> {
        let mut cells: Vec<Cell> = self.samples.iter().map(|sample| sample.cell).collect();
        cells.sort_by_key(|cell| (cell.channel != Channel::Sms, cell.recipients));
        cells.dedup();
        cells
    }

    /// The lists that a contender other than the limit ran on in this cell, the shortest first.
    pub(crate) fn lists_of(&self, cell: Cell) -> Vec<u64> {
        let ran = self.samples.iter().filter(|s| s.cell == cell && s.contender != Contender::Limit);
        let mut lists: Vec<u64> = ran.map(|sample| sample.list).collect();
        lists.sort_unstable();
        lists.dedup();
        lists
    }
}
