//! How much of the broker's own speed is left when recipients are filtered, beside what most would write.
//!
//! One run on private servers: contenders empty the same queue in turn, interleaved, each as a process of its own;
//! what the list costs is measured on the same lists. Prints a table, writes it and a plot. A part that fails is
//! told and left out; the rest is measured all the same.
//!
//! `benches/run [--quick]`
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table and its progress are what it is for")]
#![allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
#![allow(clippy::disallowed_methods, reason = "a benchmark stands outside: its clock is the machine's")]

mod contenders;
mod direct;
mod findings;
mod in_force;
mod limit;
mod lists;
mod machine;
mod partitions;
#[path = "../shared/people.rs"]
mod people;
mod plan;
mod plot;
mod process;
mod report;
mod rounds;
mod scene;
mod stats;
#[path = "../../tests/it/support/mod.rs"]
mod support;

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use futures_util::FutureExt;

use contenders::Contender;
use findings::Findings;
use plan::Plan;
use rounds::{Bench, Speeds};

#[tokio::main]
async fn main() -> ExitCode {
    // Cargo adds a flag of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["limit", amqp] => return limit::run(amqp).await,
        ["peer-direct", amqp, redis, list] => return direct::run(amqp, redis, list).await,
        _ => {}
    }
    let plan = match Plan::from_arguments(&words) {
        Ok(plan) => plan,
        Err(mistake) => {
            eprintln!("{mistake}");
            return ExitCode::from(64);
        }
    };
    support::contract::waive();
    let mut findings = Findings::new(machine::describe(&plan));
    measure(&plan, &mut findings).await;
    let table = report::markdown(&plan, &findings);
    println!("{table}");
    let written = write(&plan.out, &table, &plot::svg(&findings));
    if let Err(error) = written {
        eprintln!("the results cannot be written to {}: {error}", plan.out.display());
        return ExitCode::FAILURE;
    }
    if findings.troubles.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(70) }
}

/// Everything, in an order in which what came before helps what follows.
async fn measure(plan: &Plan, findings: &mut Findings) {
    if let Some(core) = &plan.core {
        let ran = attempt("the core benchmark", Duration::from_mins(3), machine::core(core, plan)).await;
        findings.core = findings.note(ran);
    }
    let made = attempt("starting the servers", Duration::from_mins(5), Bench::start(plan)).await;
    let Some(mut bench) = findings.note(made) else { return };
    for scene in &bench.scenes {
        let what = format!("making the list of {} identifiers", scene.list);
        let made = attempt(&what, plan.list_time, lists::make(scene)).await;
        let Some(costs) = findings.note(made) else { return };
        findings.lists.push(costs);
    }
    let filled = attempt("filling the peers' sets", plan.list_time, lists::fill_sets(&bench)).await;
    bench.peers_work = findings.note(filled).is_some();
    let mut speeds = Speeds::new();
    rounds::measure(plan, &bench, 0..1, &mut speeds, findings).await;
    let (large, cell) = (bench.large(), plan.main_cell());
    let speed = rounds::expected(&speeds, Contender::Suppressd, cell);
    let effects = in_force::measure(plan, large, speed);
    let effects = attempt("opt-outs at full speed", Duration::from_mins(2), effects).await;
    findings.in_force = findings.note(effects);
    let parted =
        attempt("two workers", Duration::from_mins(4), partitions::measure(plan, large, speed)).await;
    findings.partitions = findings.note(parted);
    rounds::measure(plan, &bench, 1..plan.rounds, &mut speeds, findings).await;
    // Last: it makes that list longer.
    let added =
        attempt("importing addresses", Duration::from_mins(2), lists::add_addresses(bench.large())).await;
    findings.addresses = findings.note(added);
}

/// Does a part within its time; says what went wrong if it does not succeed.
pub(crate) async fn attempt<T>(
    what: &str,
    within: Duration,
    part: impl Future<Output = T>,
) -> Result<T, String> {
    let ended = tokio::time::timeout(within, AssertUnwindSafe(part).catch_unwind()).await;
    match ended {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
            Err(format!("{what}: {}", text.lines().next().unwrap_or_default()))
        }
        Err(_) => Err(format!("{what}: not done within {within:?}")),
    }
}

fn write(directory: &Path, table: &str, plot: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    std::fs::write(directory.join("results.md"), table)?;
    std::fs::write(directory.join("results.svg"), plot)
}
