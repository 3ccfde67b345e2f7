//! What is measured, and how long it may take.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use suppressd::domain::words::Channel;

/// A pass.
pub(crate) struct Plan {
    /// How many identifiers each list has, the smallest first. Peers run on the last two.
    pub(crate) lists: Vec<u64>,
    /// What jobs look like.
    pub(crate) cells: Vec<Cell>,
    /// Of one measurement, its warm-up left out.
    pub(crate) length: Duration,
    /// Interleaved repetitions, if there is time.
    pub(crate) rounds: usize,
    /// No further round is begun that would not be over by then.
    pub(crate) until: Instant,
    /// How long making one list may take.
    pub(crate) list_time: Duration,
    /// The core benchmark's program.
    pub(crate) core: Option<PathBuf>,
    /// What runs the peer in Python; without it that peer is left out.
    pub(crate) python: Option<PathBuf>,
    /// Where the results go.
    pub(crate) out: PathBuf,
    /// How it was called, for the results.
    pub(crate) called: String,
}

/// Jobs of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Cell {
    /// Recipients a message.
    pub(crate) recipients: u64,
    /// How people are reached.
    pub(crate) channel: Channel,
}

const HELP: &str = "benches/run [--quick] [--lists N,N,…] [--recipients N,N,…] [--seconds N] [--rounds N] \
    [--minutes N] [--out DIRECTORY] [--core PROGRAM] [--python PROGRAM]";

/// How the script was called: the programs that it hands on are its own business.
fn called(words: &[&str]) -> String {
    let mut called = String::from("benches/run");
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if ["--core", "--python"].contains(word) {
            let _its_value = words.next();
        } else {
            called.push(' ');
            called.push_str(word);
        }
    }
    called
}

impl Plan {
    /// The plan that the command line asks for, or what is wrong with it.
    pub(crate) fn from_arguments(words: &[&str]) -> Result<Self, String> {
        let quick = words.contains(&"--quick");
        let cell = |channel| move |recipients| Cell { recipients, channel };
        let sizes: &[u64] = if quick { &[1_000] } else { &[100, 1_000, 10_000] };
        let mut plan = Self {
            lists: if quick { vec![100_000, 1_000_000] } else { vec![100_000, 1_000_000, 10_000_000] },
            cells: vec![],
            length: Duration::from_millis(if quick { 2_000 } else { 3_000 }),
            rounds: if quick { 2 } else { 9 },
            until: Instant::now() + Duration::from_mins(if quick { 4 } else { 23 }),
            list_time: Duration::from_mins(if quick { 2 } else { 8 }),
            core: None,
            python: None,
            out: PathBuf::from("benches"),
            called: called(words),
        };
        let mut sizes = sizes.to_vec();
        let mut words = words.iter().filter(|word| **word != "--quick");
        while let Some(name) = words.next() {
            let value = *words.next().ok_or_else(|| format!("{name} takes a value: {HELP}"))?;
            match *name {
                "--lists" => plan.lists = numbers(value)?,
                "--recipients" => sizes = numbers(value)?,
                "--seconds" => plan.length = Duration::from_secs(numbers(value)?[0]),
                "--rounds" => plan.rounds = usize::try_from(numbers(value)?[0]).map_err(|e| e.to_string())?,
                "--minutes" => plan.until = Instant::now() + Duration::from_mins(numbers(value)?[0]),
                "--out" => plan.out = value.into(),
                "--core" => plan.core = Some(value.into()),
                "--python" => plan.python = Some(value.into()),
                _ => return Err(format!("{name} is not known: {HELP}")),
            }
        }
        plan.cells = sizes.iter().copied().map(cell(Channel::Sms)).collect();
        if !quick {
            plan.cells.push(cell(Channel::Email)(plan.main_cell().recipients));
        }
        // What is compared first is measured first.
        let main = plan.main_cell();
        plan.cells.sort_by_key(|cell| *cell != main);
        Ok(plan)
    }

    /// What is compared first: 1,000 recipients a message, SMS.
    pub(crate) fn main_cell(&self) -> Cell {
        let main = self.cells.iter().find(|cell| cell.recipients == 1_000);
        *main.unwrap_or(&self.cells[0])
    }
}

fn numbers(value: &str) -> Result<Vec<u64>, String> {
    let parsed = value.split(',').map(str::parse::<u64>).collect::<Result<Vec<_>, _>>();
    parsed.ok().filter(|all| !all.contains(&0)).ok_or_else(|| format!("{value}: whole numbers are wanted"))
}
