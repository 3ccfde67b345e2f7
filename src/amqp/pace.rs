//! How carefully a session starts to take messages after one that could not be read.
//!
//! Such a message ends the whole connection each time it is delivered, and everything else that is out
//! at that moment counts as delivered in vain, too: a hundred times, until the delivery limit moves it
//! away, its neighbours with it. So a session after such an end takes one message at a time; if it lives, it takes
//! what it may. The other input has connections of its own and does not notice.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

/// How long a session must live with one message at a time before it takes more.
const PROBATION: Duration = Duration::from_secs(1);

/// How much of its input a session takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// One message at a time: only that one can be what ends the session.
    Single,
    /// As many as the settings allow.
    Full,
}

/// Goes from one message at a time to as many as allowed. Cancelled by the end of the session.
pub(super) async fn widen(pace: &watch::Sender<Pace>) {
    sleep(PROBATION).await;
    pace.send_replace(Pace::Full);
}
