//! Where a test interferes: right before a call takes effect, or right after, before its answer.
//!
//! A call that fails *before* did nothing; one that fails *after* is the answer that never came: it is done,
//! and the caller does not know. Every interference counts once and is used up in the order it was planned.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::world::soon;

/// What a worker asks of the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// The barrier's script. *After*: between it and `WAIT`.
    Barrier,
    /// Reading the list's head.
    Head,
    /// Creating an empty list.
    Create,
    /// Reading what a fold misses.
    Read,
    /// Writing a batch.
    Apply,
    /// Asking for the lease.
    Lease,
    /// Reading a slice.
    Slice(u32),
    /// Reading the feed.
    Follow,
    /// Appending to the ledger.
    Append,
    /// Publishing.
    Publish,
    /// Reading requests in review.
    Requests,
    /// Writing down a part of a campaign.
    Part,
    /// Saying that a campaign's report is out.
    Reported,
    /// Reading a campaign.
    Campaign,
    /// Claiming an alarm, or saying that it was raised.
    Alarm,
}

/// A place in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The request is on its way, nothing is done yet.
    Before(Call),
    /// It is done, the answer is on its way.
    After(Call),
    /// The answer is here, and the worker is slow to go on. (Of calls to Redis alone; it cannot fail.)
    Answered(Call),
}

/// What one worker's calls come upon.
#[derive(Clone, Default)]
pub(crate) struct Steps(Arc<Mutex<Vec<(Step, Plan)>>>);

enum Plan {
    Fail,
    Hold { reached: watch::Sender<bool>, ended: watch::Receiver<Option<bool>> },
}

impl Steps {
    /// The next call that comes to this step stays there until the answer is [let go](Held::go) or dropped.
    pub(crate) fn hold(&self, step: Step) -> Held {
        let (reached, seen) = watch::channel(false);
        let (end, ended) = watch::channel(None);
        self.plan(step, Plan::Hold { reached, ended });
        Held { step, seen, end }
    }

    /// The next call that comes to this step fails there.
    pub(crate) fn fail(&self, step: Step) {
        self.plan(step, Plan::Fail);
    }

    /// Forgets what was planned and did not come.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    fn plan(&self, step: Step, plan: Plan) {
        self.0.lock().unwrap().push((step, plan));
    }

    /// For the fakes: a call is at this step. `false`: it fails here.
    pub(crate) async fn at(&self, step: Step) -> bool {
        let plan = {
            let mut plans = self.0.lock().unwrap();
            let next = plans.iter().position(|(planned, _)| *planned == step);
            next.map(|at| plans.remove(at).1)
        };
        match plan {
            None => true,
            Some(Plan::Fail) => false,
            Some(Plan::Hold { reached, mut ended }) => {
                reached.send_replace(true);
                // An error: the test dropped its end, which lets go too.
                ended.wait_for(Option::is_some).await.map_or(true, |end| end.unwrap_or(true))
            }
        }
    }
}

/// A call that is held, or will be.
#[must_use = "dropped, it holds nothing"]
pub(crate) struct Held {
    step: Step,
    seen: watch::Receiver<bool>,
    end: watch::Sender<Option<bool>>,
}

impl Held {
    /// Waits until a call is there.
    pub(crate) async fn reached(&mut self) {
        let step = self.step;
        soon(&format!("a call comes to {step:?}"), async {
            self.seen.wait_for(|seen| *seen).await.expect("the worker lives");
        })
        .await;
    }

    /// Lets it go on.
    pub(crate) fn go(self) {
        self.end.send_replace(Some(true));
    }

    /// Lets it fail.
    pub(crate) fn fail(self) {
        self.end.send_replace(Some(false));
    }
}
