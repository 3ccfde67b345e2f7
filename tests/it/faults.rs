//! The promise under load and under every fault that an operator can expect: nobody who was acknowledged
//! is in an output, nothing is lost, and no worker has to be restarted by hand.
//!
//! Everything runs on real servers with the program that ships, broken by signals and commands from outside.

mod backlog;
mod bodies;
mod flow;
mod interleavings;
mod kills;
mod ledger;
mod machine;
mod memory;
mod network;
mod outputs;
mod rabbitmq;
mod races;
pub(crate) mod random;
mod redis;
mod scene;
mod sentinels;
mod signals;
mod soak;

/// Figures for whoever reads the run.
#[expect(clippy::print_stdout, reason = "the test runner shows it on demand")]
fn say(figures: std::fmt::Arguments<'_>) {
    println!("{figures}");
}
