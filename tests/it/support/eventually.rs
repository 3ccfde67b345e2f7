//! Waiting for something to become true, with a deadline. The only file of the tests that may sleep, and
//! it sleeps between two looks only.

use std::time::{Duration, Instant};

/// Enough for anything that should happen at once, on a loaded machine.
pub(crate) const SOON: Duration = Duration::from_secs(40);

/// Enough for a server to boot, or for a worker to find its way back after one did.
pub(crate) const LONG: Duration = Duration::from_secs(90);

const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Looks again and again until `look` finds something. Panics with `what` when the deadline passes.
pub(crate) async fn eventually<T>(
    what: &str,
    deadline: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let end = Instant::now() + deadline;
    loop {
        // A look that hangs (a server that is stopped) must not outlive the deadline.
        let left = end.saturating_duration_since(Instant::now());
        if let Ok(Some(found)) = tokio::time::timeout(left.max(BETWEEN_LOOKS), look()).await {
            return found;
        }
        assert!(Instant::now() < end, "not within {deadline:?}: {what}");
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// Lets a fault last this long. Never a way to wait for something: that is [`eventually`].
pub(crate) async fn lasting(length: Duration) {
    tokio::time::sleep(length).await;
}

/// [`eventually`] for code that runs outside a runtime: the boot of a server.
#[expect(clippy::disallowed_methods, reason = "this is the one place that may block between two looks")]
pub(super) fn eventually_blocking<T>(
    what: &str,
    deadline: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> T {
    let end = Instant::now() + deadline;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "not within {deadline:?}: {what}");
        std::thread::sleep(BETWEEN_LOOKS);
    }
}
