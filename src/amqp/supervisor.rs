//! Keeps one link alive: opens a session, waits for its end, opens the next, for as long as the program runs.
//!
//! There is never a half-repaired session: whatever goes wrong, the whole of it is thrown away. The
//! pause between tries grows while sessions do not last, and is spread so that a fleet of workers does
//! not come back in one moment.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::fault::Fault;
use super::state::LinkState;

const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(4);
/// A session that held so long was a good one: the next pause is short again.
const LASTING: Duration = Duration::from_secs(10);

/// What is rebuilt as a whole.
pub(super) trait Session: Send + Sync + Sized + 'static {
    /// Waits until it is of no more use.
    fn ended(&self) -> impl Future<Output = Fault> + Send;

    /// Gives everything up. All later calls on it fail.
    fn close(&self) -> impl Future<Output = ()> + Send;
}

/// Where the users of a link find its session.
pub(super) struct Link<S>(watch::Sender<Option<Arc<S>>>);

impl<S: Session> Link<S> {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    /// The present session, or the next one if there is none.
    pub(super) async fn session(&self) -> Arc<S> {
        let mut sessions = self.0.subscribe();
        loop {
            if let Some(session) = sessions.borrow_and_update().clone() {
                return session;
            }
            // The sender is `self`: it cannot be gone.
            let _ = sessions.changed().await;
        }
    }

    /// Runs sessions until told to stop. `open` gets the number of the session.
    pub(super) async fn supervise<F>(
        &self,
        open: impl Fn(u64) -> F,
        report: impl Fn(LinkState),
        stop: &CancellationToken,
    ) where
        F: Future<Output = Result<Arc<S>, Fault>>,
    {
        let mut pauses = pauses();
        let mut epoch = 0;
        loop {
            let Some(opened) = stop.run_until_cancelled(open(epoch + 1)).await else { return };
            let fault = match opened {
                Ok(session) => {
                    epoch += 1;
                    let since = Instant::now();
                    report(LinkState::Up { epoch });
                    let Some(fault) = self.serve(session, stop).await else { return };
                    // An unreadable message ends a session as soon as it is delivered, and goes away
                    // only by being delivered often: no reason to keep the others waiting.
                    if since.elapsed() > LASTING || fault == Fault::Unreadable {
                        pauses = self::pauses();
                    }
                    fault
                }
                Err(fault) => fault,
            };
            tracing::warn!(%fault, "no RabbitMQ session; trying again");
            report(LinkState::Down(Some(fault)));
            let pause = pauses.next().unwrap_or(PAUSE_MAX);
            if stop.run_until_cancelled(sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    /// Offers a session to its users until it ends. `None`: we were told to stop.
    async fn serve(&self, session: Arc<S>, stop: &CancellationToken) -> Option<Fault> {
        self.0.send_replace(Some(Arc::clone(&session)));
        let fault = stop.run_until_cancelled(session.ended()).await;
        self.0.send_replace(None);
        session.close().await;
        fault
    }
}

fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(PAUSE_MIN)
        .with_max_delay(PAUSE_MAX)
        .with_factor(2.0)
        .without_max_times()
        .with_jitter()
        .build()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    struct Short(u64);

    impl Session for Short {
        async fn ended(&self) -> Fault {
            if self.0 < 3 {
                return Fault::Lost("short".into());
            }
            std::future::pending().await
        }

        async fn close(&self) {}
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_goes_on_through_failed_starts_and_short_sessions() {
        let link = Link::<Short>::new();
        let stop = CancellationToken::new();
        let tries = AtomicU64::new(0);
        let open = |epoch| {
            let failing = tries.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
            async move { if failing { Err(Fault::Unreadable) } else { Ok(Arc::new(Short(epoch))) } }
        };
        let user = async {
            while link.session().await.0 < 3 {
                tokio::task::yield_now().await;
            }
            stop.cancel();
        };
        tokio::join!(link.supervise(open, |_| {}, &stop), user);
        assert_eq!(tries.load(Ordering::Relaxed), 6);
    }

    #[test]
    fn pauses_stay_within_their_bounds() {
        for pause in pauses().take(100) {
            assert!(pause >= PAUSE_MIN && pause <= 2 * PAUSE_MAX, "{pause:?}");
        }
    }
}
