//! The histories that lose an opt-out, each told step by step to real workers over in-memory servers.
//!
//! Gatekeeper, applier, follower and both desks are the real ones; Redis, the ledger and the outbox are
//! [`fakes`] that can be stopped and broken at every step. Time is tokio's paused clock, so a wait of ten seconds
//! costs nothing and the order of things is the test's. A history's number is the one by which the protocol's
//! description knows it. Where the rule that closes a history could be left out, the test shows first that at that
//! moment nothing but the rule stands between the worker and the leak.
#![allow(clippy::unwrap_used, reason = "a test's helpers may panic as its body may")]

mod fakes;
mod histories;
#[cfg(feature = "fail-points")]
mod simulator;
mod world;
