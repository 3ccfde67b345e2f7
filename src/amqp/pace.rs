//! How carefully a session starts to take messages after one that could not be read.
//!
//! Such a message ends the whole connection each time it is delivered, and everything else that is out
//! at that moment counts as delivered in vain, too: a hundred times, until the delivery limit moves it
//! away, its neighbours with it. So a session after such an end takes one message at a time from one
//! input; if it lives, from the other as well; if it still lives, it takes what it may.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::service::ports::Input;

/// How long a session must live with what it takes before it takes more.
const PROBATION: Duration = Duration::from_secs(1);

/// How much of one input a session takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Nothing yet.
    Shut,
    /// One message at a time: only that one can be what ends the session.
    Single,
    /// As many as the settings allow.
    Full,
}

/// The pace of both inputs in one session.
pub(super) struct Paces {
    jobs: watch::Sender<Pace>,
    opt_outs: watch::Sender<Pace>,
}

impl Paces {
    pub(super) fn new(pace: Pace) -> Self {
        Self { jobs: watch::Sender::new(pace), opt_outs: watch::Sender::new(pace) }
    }

    pub(super) fn watch(&self, input: Input) -> watch::Receiver<Pace> {
        self.of(input).subscribe()
    }

    /// Opens both inputs step by step. Cancelled by the end of the session.
    pub(super) async fn widen(&self, suspect: &Suspect) {
        let first = suspect.get();
        let second = other(first);
        self.of(first).send_replace(Pace::Single);
        sleep(PROBATION).await;
        // Whatever happens from here on is the second's doing, most likely.
        suspect.set(second);
        self.of(second).send_replace(Pace::Single);
        sleep(PROBATION).await;
        for input in [first, second] {
            self.of(input).send_replace(Pace::Full);
        }
    }

    fn of(&self, input: Input) -> &watch::Sender<Pace> {
        match input {
            Input::Jobs => &self.jobs,
            Input::OptOuts => &self.opt_outs,
        }
    }
}

/// The input that the unreadable message is thought to come from, over all sessions.
pub(super) struct Suspect(Mutex<Input>);

impl Suspect {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Input::OptOuts))
    }

    fn get(&self) -> Input {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, input: Input) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = input;
    }
}

fn other(input: Input) -> Input {
    match input {
        Input::Jobs => Input::OptOuts,
        Input::OptOuts => Input::Jobs,
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn inputs_open_one_after_the_other_and_the_last_one_opened_is_the_suspect() {
        let suspect = Suspect::new();
        let after = async |milliseconds| {
            let paces = Paces::new(Pace::Shut);
            let _ = timeout(Duration::from_millis(milliseconds), paces.widen(&suspect)).await;
            (*paces.watch(Input::OptOuts).borrow(), *paces.watch(Input::Jobs).borrow())
        };
        assert_eq!(after(500).await, (Pace::Single, Pace::Shut));
        assert_eq!(after(1_500).await, (Pace::Single, Pace::Single));
        assert_eq!(after(500).await, (Pace::Shut, Pace::Single), "the session ended with the jobs");
        assert_eq!(after(2_500).await, (Pace::Full, Pace::Full));
    }
}
