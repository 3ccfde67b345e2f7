//! The waiting room: jobs whose output nobody was bound to, tried again from there.
//!
//! A pass takes each job that waits once, filters it afresh and publishes it; what still has no reader goes
//! to the end of the queue as a confirmed copy. Within one pass a routing key that came back once is not
//! tried again, so that a thousand jobs for a sender who is not there yet cost a thousand moves and one try.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::alarms::{Alarm, Alarms};
use super::filter_job::{Fate, JobDesk, Origin};
use super::gate::Closed;
use super::health::{Health, Warning};
use super::ports::WaitingRoom;
use crate::metrics::Metrics;

/// Between passes at first; doubled after each in which nothing went out, up to [`PAUSE_MAX`]. A job goes out
/// well within ten seconds of its binding.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// Between passes at most.
const PAUSE_MAX: Duration = Duration::from_secs(4);

/// Goes through the waiting room for ever.
pub async fn run(
    room: Arc<dyn WaitingRoom>,
    desk: Arc<JobDesk>,
    alarms: Alarms,
    metrics: Arc<Metrics>,
    health: Health,
) -> Result<(), Closed> {
    let mut pause = PAUSE_MIN;
    loop {
        match room.count().await {
            Ok(waiting) => {
                metrics.set_unroutable_jobs(waiting);
                if waiting == 0 {
                    alarms.is(Alarm::Unroutable, None).await;
                }
                let (settled, left) = pass(&*room, &desk, waiting).await?;
                metrics.set_unroutable_jobs(left);
                health.warn(Warning::UnroutableJobs, (left > 0).then(|| unroutable(left)));
                pause = if settled > 0 || waiting == 0 { PAUSE_MIN } else { (pause * 2).min(PAUSE_MAX) };
            }
            Err(fault) => tracing::debug!(%fault, "the waiting room cannot be looked at"),
        }
        tokio::time::sleep(pause).await;
    }
}

/// For whoever watches.
fn unroutable(jobs: u64) -> String {
    format!(
        "{jobs} jobs wait until somebody is bound to the exchange of filtered jobs for their routing keys"
    )
}

/// Tries each of this many jobs once. Answers how many went out, and how many wait on.
async fn pass(room: &dyn WaitingRoom, desk: &JobDesk, waiting: u64) -> Result<(u64, u64), Closed> {
    let mut unbound: BTreeSet<String> = BTreeSet::new();
    let (mut settled, mut left) = (0, 0);
    for _ in 0..waiting {
        let job = match room.take().await {
            Ok(Some(job)) => job,
            Ok(None) => break,
            Err(fault) => {
                tracing::debug!(%fault, "a waiting job cannot be taken");
                break;
            }
        };
        let key = job.routing_key.clone();
        if unbound.contains(&key) {
            desk.put_back(job).await;
            left += 1;
        } else if desk.filter(job, Origin::Waiting).await? == Fate::Waiting {
            unbound.insert(key);
            left += 1;
        } else {
            settled += 1;
        }
    }
    Ok((settled, left))
}
