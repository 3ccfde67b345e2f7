//! Ways to break a worker on purpose, so that the tests can show that they would notice a broken one.
//!
//! They exist only with the cargo feature `fail-points`, which nothing that ships has: without it every answer
//! is a constant `false`, and the compiler removes the branch. With it, `SUPPRESSD_FAIL_POINTS` names those
//! that are armed, and the program says so in its version and, as an error, at every start.

/// A place where a worker can be broken. Those that end it are for tests on real servers; the others are mistakes
/// that somebody could make in the code, which the simulator must find.
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
    /// A publish without a confirm counts as delivered: `ack-unconfirmed`.
    AckUnconfirmed,
    /// A message that came back counts as delivered: `returned-is-delivered`.
    ReturnedIsDelivered,
    /// An event that was seen before gets no receipt: `forget-receipt`.
    ForgetReceipt,
    /// An event is settled when the ledger has it, before the list does: `settle-unapplied`.
    SettleUnapplied,
    /// What could not be published is published later as it was: `publish-stale`.
    PublishStale,
    /// Who comes while a barrier is on its way is served by it: `barrier-under-way`.
    BarrierUnderWay,
    /// Every list is believed at once: `no-fence`.
    NoFence,
    /// A fence proves whatever identity it is found on: `any-fence`.
    AnyFence,
    /// The mirror is taken to be where the list was when it had been read: `load-late`.
    LoadLate,
    /// The mirror goes on beyond entries that were trimmed: `ignore-gaps`.
    IgnoreGaps,
    /// An event whose append has no confirm is given up: `append-once`.
    AppendOnce,
    /// What is told is published once, whatever the broker answers: `tell-once`.
    TellOnce,
    /// An event that another record decided is a duplicate, even if it is redelivered: `always-duplicate`.
    AlwaysDuplicate,
    /// Slices of different lists make one mirror: `load-across`.
    LoadAcross,
    /// The mirror stays with the list that it was loaded from, whichever serves: `keep-mirror`.
    KeepMirror,
    /// A feed that stays silent is waited for, however far the list is: `never-reload`.
    NeverReload,
    /// An output is stamped with the revision of a later view than it was judged on: `mixed-view`.
    MixedView,
    /// An output is published however old its barrier is: `publish-old`.
    PublishOld,
    /// A barrier's answer is compared with what the mirror has by then: `lost-late`.
    LostLate,
    /// A reader of the ledger that hears nothing is kept: `no-new-reader`.
    NoNewReader,
    /// Whatever ledger is there, and however short, is applied: `any-ledger`.
    AnyLedger,
    /// Events are dated by the worker's clock, however far it is off: `any-clock`.
    AnyClock,
    /// A worker that lacks a key goes on: `any-key`.
    AnyKey,
    /// A list that another version of the fold keeps is applied to: `any-version`.
    AnyVersion,
    /// The program dies after it has published a dead letter's original, before it takes the letter out of the dead
    /// queue: `die-after-redrive`.
    DieAfterRedrive,
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

/// The next bytes of a simulation's seed.
#[cfg(not(feature = "fail-points"))]
pub const fn seeded() -> Option<[u8; 16]> {
    None
}

/// The places that are to fail.
#[cfg(not(feature = "fail-points"))]
pub const fn all_armed() -> &'static [FailPoint] {
    &[]
}

#[cfg(feature = "fail-points")]
pub use with_fail_points::{Here, all_armed, armed, here, seeded};

#[cfg(feature = "fail-points")]
mod with_fail_points {
    use std::cell::{Cell, RefCell};
    use std::sync::LazyLock;

    use super::FailPoint;

    /// Read once: a worker does not change sides while it runs.
    static ARMED: LazyLock<Vec<FailPoint>> = LazyLock::new(|| {
        #[expect(clippy::disallowed_methods, reason = "no setting: what ships must not know of it")]
        let names = std::env::var("SUPPRESSD_FAIL_POINTS").unwrap_or_default();
        names.split(',').filter(|name| !name.is_empty()).map(parse).collect()
    });

    thread_local! {
        static HERE: RefCell<Vec<FailPoint>> = const { RefCell::new(Vec::new()) };
        static SEED: Cell<Option<u64>> = const { Cell::new(None) };
    }

    /// For as long as it lives, this thread's workers are broken in these places, and every random name on this
    /// thread follows from the seed: a simulation has one thread, and goes the same way twice.
    #[must_use = "dropped, nothing is armed"]
    pub struct Here(());

    /// Breaks this thread's workers.
    pub fn here(points: &[FailPoint], seed: u64) -> Here {
        HERE.set(points.to_vec());
        SEED.set(Some(seed));
        Here(())
    }

    impl Drop for Here {
        fn drop(&mut self) {
            HERE.take();
            SEED.set(None);
        }
    }

    /// The next bytes of this thread's seed, if it has one.
    pub fn seeded() -> Option<[u8; 16]> {
        let next = || {
            // SplitMix64.
            let state = SEED.get()?.wrapping_add(0x9e37_79b9_7f4a_7c15);
            SEED.set(Some(state));
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            Some((mixed ^ (mixed >> 31)).to_le_bytes())
        };
        let halves = [next()?, next()?];
        halves.concat().try_into().ok()
    }

    /// Whether this place is to fail.
    pub fn armed(point: FailPoint) -> bool {
        ARMED.contains(&point) || HERE.with_borrow(|here| here.contains(&point))
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
            "ack-unconfirmed" => FailPoint::AckUnconfirmed,
            "returned-is-delivered" => FailPoint::ReturnedIsDelivered,
            "forget-receipt" => FailPoint::ForgetReceipt,
            "settle-unapplied" => FailPoint::SettleUnapplied,
            "publish-stale" => FailPoint::PublishStale,
            "barrier-under-way" => FailPoint::BarrierUnderWay,
            "no-fence" => FailPoint::NoFence,
            "any-fence" => FailPoint::AnyFence,
            "load-late" => FailPoint::LoadLate,
            "ignore-gaps" => FailPoint::IgnoreGaps,
            "append-once" => FailPoint::AppendOnce,
            "tell-once" => FailPoint::TellOnce,
            "always-duplicate" => FailPoint::AlwaysDuplicate,
            "load-across" => FailPoint::LoadAcross,
            "keep-mirror" => FailPoint::KeepMirror,
            "never-reload" => FailPoint::NeverReload,
            "mixed-view" => FailPoint::MixedView,
            "publish-old" => FailPoint::PublishOld,
            "lost-late" => FailPoint::LostLate,
            "no-new-reader" => FailPoint::NoNewReader,
            "any-ledger" => FailPoint::AnyLedger,
            "any-clock" => FailPoint::AnyClock,
            "any-key" => FailPoint::AnyKey,
            "any-version" => FailPoint::AnyVersion,
            "die-after-redrive" => FailPoint::DieAfterRedrive,
            _ => panic!("SUPPRESSD_FAIL_POINTS: src/fail_points.rs has the names that there are"),
        }
    }
}
