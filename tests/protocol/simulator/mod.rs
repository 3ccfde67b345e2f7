//! The simulator: random histories of the real service over the in-memory servers, one seed each.
//!
//! Most histories begin in one of the places where the protocol is nearest to a leak; they go
//! on with a few workers and a choice of everything that may go wrong, and ends with nothing going wrong any more. After
//! every step the law of [`World::check`](crate::world::World::check) holds; at the end everything held is finished,
//! every job came out, no identifier is where it must not be, and every worker and a fresh fold of the ledger have the
//! same list. One seed is one history, to the letter, if tokio is built with `--cfg tokio_unstable`, as `tests/run` and
//! `tests/simulate` do: a failure prints its seed and its steps.
//!
//! `tests/simulate [HISTORIES [FIRST SEED]]` runs as many as one likes. That the simulator is worth its while,
//! [`planted`] shows: bugs that it must find.

mod planted;
mod walk;

use std::ops::Range;

use suppressd::fail_points::{self, FailPoint};
use walk::Walk;

use crate::fakes::redis::Flaw;
use crate::world::World;

/// Histories of each kind in the ordinary tests.
const HISTORIES: u64 = 1000;

/// How many servers a world has.
#[derive(Debug, Clone, Copy)]
struct Servers {
    nodes: usize,
    wait_replicas: usize,
}

const ONE: Servers = Servers { nodes: 1, wait_replicas: 0 };
const TWO: Servers = Servers { nodes: 2, wait_replicas: 1 };
const THREE: Servers = Servers { nodes: 3, wait_replicas: 1 };

/// Which seeds are run: `SIMULATOR_HISTORIES` and `SIMULATOR_FIRST` say it, if they are there.
#[expect(clippy::disallowed_methods, reason = "no setting of the product")]
fn seeds() -> Range<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a whole number"));
    let first = number("SIMULATOR_FIRST").unwrap_or(0);
    first..first + number("SIMULATOR_HISTORIES").unwrap_or(HISTORIES)
}

/// Runs one history. Answers what was seen of it, step by step.
fn run(seed: u64, servers: Servers, bugs: &[FailPoint], flaw: Option<Flaw>) -> Vec<String> {
    let _armed = fail_points::here(bugs, seed);
    // What spreads retries.
    fastrand::seed(seed);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    // Whom tokio wakes first is drawn as well.
    #[cfg(tokio_unstable)]
    runtime.rng_seed(tokio::runtime::RngSeed::from_bytes(&seed.to_le_bytes()));
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let world = World::with_redis(servers.nodes, servers.wait_replicas).with_flaw(flaw);
        let mut walk = Walk::new(seed, world);
        walk.all().await;
        walk.seen()
    })
}

fn run_all(servers: Servers) {
    for seed in seeds() {
        run(seed, servers, &[], None);
    }
}

#[test]
fn with_one_redis_nothing_leaks_and_nothing_is_lost() {
    run_all(ONE);
}

#[test]
fn with_two_redis_servers_nothing_leaks_and_nothing_is_lost() {
    run_all(TWO);
}

#[test]
fn with_three_redis_servers_nothing_leaks_and_nothing_is_lost() {
    run_all(THREE);
}

#[cfg(tokio_unstable)]
#[test]
fn one_seed_is_one_history() {
    for seed in 0..20 {
        for servers in [ONE, THREE] {
            let (first, second) = (run(seed, servers, &[], None), run(seed, servers, &[], None));
            let differs = first.iter().zip(&second).find(|(one, other)| one != other);
            assert!(first == second, "seed {seed} with {servers:?}: {differs:?}");
        }
    }
}
