//! Ways to break a worker on purpose, so that the tests can show that they would notice a broken one.
//!
//! They exist only with the cargo feature `fail-points`, which nothing that ships has: without it every answer
//! is a constant `false`, and the compiler removes the branch. With it, `SUPPRESSD_FAIL_POINTS` names those
//! that are armed, and the program says so in its version and, as an error, at every start.

/// A place where a worker can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailPoint {
    /// Jobs are filtered by the mirror as it is, without a barrier: `skip-barrier`.
    SkipBarrier,
    /// The worker dies after an event is in the ledger, before it asks what became of it: `die-after-append`.
    DieAfterAppend,
    /// The worker dies after an event is in force, before it publishes the receipt: `die-before-receipt`.
    DieBeforeReceipt,
    /// The worker dies after the receipt is out, before it acknowledges the event: `die-before-event-ack`.
    DieBeforeEventAck,
    /// The worker dies after it has judged a job, before it publishes the output: `die-before-output`.
    DieBeforeOutput,
    /// The worker dies after it has handed an output over, before that is confirmed: `die-before-confirm`.
    DieBeforeConfirm,
    /// The worker dies after an output is confirmed, before it acknowledges the job: `die-before-job-ack`.
    DieBeforeJobAck,
    /// The worker dies after it has published a mail's event, before it marks the mail: `die-before-mark`.
    DieBeforeMark,
    /// The worker dies after a job's output is out, before it writes down the part of a campaign that the job is:
    /// `die-before-part`.
    DieBeforePart,
    /// The worker dies after it has written a part down, before it publishes a report: `die-after-part`.
    DieAfterPart,
    /// The worker dies after it has published a campaign's report, before it says so: `die-before-reported`.
    DieBeforeReported,
    /// The worker dies after it has said so, before it acknowledges the job: `die-after-reported`.
    DieAfterReported,
}

/// Ends the process, as a kill would, if this place is to fail.
pub fn die_at(point: FailPoint) {
    if armed(point) {
        std::process::abort();
    }
}

/// What `--version` says.
#[cfg(not(feature = "fail-points"))]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What `--version` says.
#[cfg(feature = "fail-points")]
pub const VERSION: &str =
    concat!(env!("CARGO_PKG_VERSION"), " WITH FAIL POINTS: FOR TESTS ONLY, NEVER FOR REAL RECIPIENTS");

/// What is logged at the start of a program that can be broken on purpose.
pub const WARNING: Option<&str> = if cfg!(feature = "fail-points") {
    Some("this program was built with fail points: for tests only, never for real recipients")
} else {
    None
};

/// Whether this place is to fail.
#[cfg(not(feature = "fail-points"))]
pub const fn armed(_: FailPoint) -> bool {
    false
}

/// The places that are to fail.
#[cfg(not(feature = "fail-points"))]
pub const fn all_armed() -> &'static [FailPoint] {
    &[]
}

#[cfg(feature = "fail-points")]
pub use with_fail_points::{all_armed, armed};

#[cfg(feature = "fail-points")]
mod with_fail_points {
    use std::sync::LazyLock;

    use super::FailPoint;

    /// Read once: a worker does not change sides while it runs.
    static ARMED: LazyLock<Vec<FailPoint>> = LazyLock::new(|| {
        #[expect(clippy::disallowed_methods, reason = "no setting: what ships must not know of it")]
        let names = std::env::var("SUPPRESSD_FAIL_POINTS").unwrap_or_default();
        names.split(',').filter(|name| !name.is_empty()).map(parse).collect()
    });

    /// Whether this place is to fail.
    pub fn armed(point: FailPoint) -> bool {
        ARMED.contains(&point)
    }

    /// The places that are to fail.
    pub fn all_armed() -> &'static [FailPoint] {
        &ARMED
    }

    /// A test that misspells a name must not pass for it.
    fn parse(name: &str) -> FailPoint {
        match name {
            "skip-barrier" => FailPoint::SkipBarrier,
            "die-after-append" => FailPoint::DieAfterAppend,
            "die-before-receipt" => FailPoint::DieBeforeReceipt,
            "die-before-event-ack" => FailPoint::DieBeforeEventAck,
            "die-before-output" => FailPoint::DieBeforeOutput,
            "die-before-confirm" => FailPoint::DieBeforeConfirm,
            "die-before-job-ack" => FailPoint::DieBeforeJobAck,
            "die-before-mark" => FailPoint::DieBeforeMark,
            "die-before-part" => FailPoint::DieBeforePart,
            "die-after-part" => FailPoint::DieAfterPart,
            "die-before-reported" => FailPoint::DieBeforeReported,
            "die-after-reported" => FailPoint::DieAfterReported,
            _ => panic!("SUPPRESSD_FAIL_POINTS: src/fail_points.rs has the names that there are"),
        }
    }
}
