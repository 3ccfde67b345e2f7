//! One folder on its connection: looked at when it opens, when there is news, and now and then as a whole.
//!
//! A notification only says "look": what is not marked is found again by the next look at the whole.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::{Ended, MailDesk};
use crate::service::health::Warning;
use crate::service::ports::Folder;

impl MailDesk {
    /// Reads a folder until its connection fails.
    pub(super) async fn tend(&self, name: &str, mut folder: Box<dyn Folder>) -> Ended {
        loop {
            if let Err(ended) = self.look(name, &mut *folder, true).await {
                return ended;
            }
            self.looked(name);
            let whole_at = Instant::now() + self.plan.poll;
            while let Some(left) = left_until(whole_at) {
                if let Err(fault) = folder.news(left).await {
                    return Ended::Fault(fault);
                }
                if let Err(ended) = self.look(name, &mut *folder, false).await {
                    return ended;
                }
            }
        }
    }

    /// Handles what is not marked: in the whole folder, or beyond what was handled already.
    async fn look(&self, name: &str, folder: &mut dyn Folder, whole: bool) -> Result<(), Ended> {
        let about = folder.about();
        let mut from = self.minds.of(name, |mind| mind.begin(about, whole));
        self.warn_of_marks(name, about.keeps_marks);
        loop {
            let uids = folder.unhandled(from).await?;
            let Some(last) = uids.last().copied() else { return Ok(()) };
            for uid in uids {
                self.handle(name, folder, uid).await?;
            }
            let Some(next) = last.checked_add(1) else { return Ok(()) };
            from = next;
        }
    }

    /// The whole folder was looked at: the gauge says when that was last so of all.
    fn looked(&self, name: &str) {
        self.looked.store(true, Ordering::Relaxed);
        let now = self.parts.clock.now();
        self.minds.of(name, |mind| mind.looked_at = Some(now));
        let all = self.minds.all(|_, mind| mind.looked_at);
        if let Some(oldest) = all.into_iter().min() {
            self.parts.metrics.set_mailbox_looked_at(oldest);
        }
    }

    fn warn_of_marks(&self, name: &str, keeps_marks: bool) {
        if !keeps_marks {
            let why = "it takes no keywords; what is done is known until this worker restarts".to_owned();
            self.minds.of(name, |mind| mind.marks_lost.get_or_insert(why).len());
        }
        self.warn_of(Warning::MailboxMarks, |mind| mind.marks_lost.clone());
        self.warn_of(Warning::MailboxMoves, |mind| mind.moves_lost.clone());
    }
}

/// How long it is until then; `None`: it is past.
fn left_until(then: Instant) -> Option<Duration> {
    then.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
}
