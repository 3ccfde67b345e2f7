//! Campaigns in parts: each filtered part is written down, and whoever completes a campaign reports it, once.
//!
//! A part's delivery is acknowledged only when the part is written down and, if that completes the campaign, the
//! report is confirmed and marked as out. So whatever breaks in between, a part comes again and finds what is left
//! to do. Two workers never publish the same report side by side: one holds the claim, and a claim whose holder died
//! ends. A worker that dies between publishing and marking, or learns nothing of what it published, leaves a second
//! copy of the report, with the same `message_id`. Deliberately absent: the output, which is out by then and is not
//! published again because Redis is slow.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::sleep;

use super::ports::{Acker, Campaigns, Delivered, ListFault, REPORT_CLAIM, Standing, Taken};
use super::post::Post;
use super::random;
use crate::codec::campaign::{REPORT, report};
use crate::codec::job::{Job, Stamp};
use crate::domain::campaign::{Campaign, FilteredPart, PARTS_MAX};
use crate::domain::filter::Verdicts;
use crate::domain::record::{CampaignKey, JobMark, Nonce};
use crate::fail_points::{FailPoint, die_at};
use crate::metrics::Metrics;

/// Between tries after Redis failed, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Between looks whether another worker has published the report, and between tries after RabbitMQ failed.
const AGAIN: Duration = Duration::from_millis(250);

/// Sums campaigns up.
pub struct CampaignDesk {
    /// What is known of campaigns.
    pub campaigns: Arc<dyn Campaigns>,
    /// Reports.
    pub post: Post,
    /// How long a campaign is known after its last part.
    pub kept: Duration,
    /// The metrics.
    pub metrics: Arc<Metrics>,
}

/// The part of a campaign that a job is, as it was filtered; `None` if it says that it is none.
pub fn part_of(job: &Job<'_>, verdicts: &Verdicts, stamp: Stamp) -> Option<FilteredPart> {
    let part = job.part?;
    Some(FilteredPart {
        campaign: CampaignKey::of(&job.campaign_id),
        name: job.campaign_id.clone().into_owned(),
        job: JobMark::of(&job.job_id),
        index: part.index,
        of: part.of,
        channel: job.channel,
        brand: job.brand.clone(),
        purpose: job.purpose,
        revision: stamp.revision,
        filtered_at: stamp.filtered_at,
        past_send_until: job.send_until.is_some_and(|until| until < stamp.filtered_at),
        regions: FilteredPart::sum(verdicts.tallies()),
    })
}

impl CampaignDesk {
    /// Writes a part down whose output is out, and sees to it that a complete campaign is reported. Returns when
    /// the delivery may be acknowledged, or when that is in vain.
    pub async fn sum_up(&self, part: &FilteredPart, delivery: &dyn Acker) {
        if part.of > PARTS_MAX {
            tracing::warn!(parts_max = PARTS_MAX, "a campaign has too many parts for a report");
            self.metrics.campaign_part(Taken::Uncounted);
            return;
        }
        let holder = random::nonce();
        let mut told = false;
        while let Some((taken, standing)) = self.record(part, holder, delivery).await {
            if !std::mem::replace(&mut told, true) {
                self.count(taken, part);
            }
            let done = match standing {
                Standing::Incomplete | Standing::Reported => true,
                Standing::Others => false,
                Standing::Mine => self.publish(part, holder, delivery).await,
            };
            if done {
                return;
            }
            sleep(AGAIN).await;
        }
    }

    fn count(&self, taken: Taken, part: &FilteredPart) {
        self.metrics.campaign_part(taken);
        if taken == Taken::Conflicting {
            let (campaign, index, of) = (part.campaign, part.index, part.of);
            tracing::warn!(%campaign, index, of, "a part does not fit what its campaign had before: not summed up");
        }
    }

    async fn record(
        &self,
        part: &FilteredPart,
        holder: Nonce,
        delivery: &dyn Acker,
    ) -> Option<(Taken, Standing)> {
        let recorded = insist(delivery, || self.campaigns.record(part, holder, self.kept)).await;
        if recorded.is_some() {
            die_at(FailPoint::DieAfterPart);
        }
        recorded
    }

    /// Publishes the report, once. `false`: it is not known to be out, or somebody else may be about to.
    async fn publish(&self, part: &FilteredPart, holder: Nonce, delivery: &dyn Acker) -> bool {
        let found = insist(delivery, || self.campaigns.campaign(part.campaign)).await.flatten();
        // Redis was emptied since: then this part is the first one again.
        let Some(campaign) = found.filter(Campaign::is_complete) else { return false };
        let name = format!("{REPORT}:{}", part.campaign);
        let message = self.post.telling(REPORT, Some(name), report(&part.name, &campaign));
        let published = tokio::select! {
            published = self.post.once(&message) => published,
            () = self.claim_lost(part, holder) => return false,
        };
        match published {
            // Nobody need listen.
            Ok(Delivered::Confirmed | Delivered::Returned) => {}
            Ok(Delivered::TooLarge) => {
                tracing::error!(campaign = %part.campaign, "RabbitMQ takes no report of this size (max_message_size)");
            }
            Err(fault) => {
                tracing::warn!(%fault, "the report of a campaign is published again");
                return false;
            }
        }
        die_at(FailPoint::DieBeforeReported);
        if insist(delivery, || self.campaigns.reported(part.campaign, self.kept)).await.is_some() {
            self.metrics.campaign_reported();
            tracing::info!(campaign = %part.campaign, parts = part.of, "a campaign is reported");
            die_at(FailPoint::DieAfterReported);
        }
        true
    }

    /// Holds the claim by asking again. Returns once somebody else has it.
    async fn claim_lost(&self, part: &FilteredPart, holder: Nonce) {
        loop {
            sleep(REPORT_CLAIM / 4).await;
            match self.campaigns.record(part, holder, self.kept).await {
                Ok((_, Standing::Mine)) => {}
                Ok(_) => return,
                Err(fault) => tracing::debug!(%fault, "the claim of a report is not renewed yet"),
            }
        }
    }
}

/// Asks Redis until it answers. `None`: the delivery's session is gone, and what it stands for comes again.
async fn insist<T, F>(delivery: &dyn Acker, ask: impl Fn() -> F + Send) -> Option<T>
where
    F: Future<Output = Result<T, ListFault>> + Send,
{
    let (min, max) = BACKOFF;
    let backoff = ExponentialBuilder::default().with_min_delay(min).with_max_delay(max).with_jitter();
    let mut backoff = backoff.without_max_times().build();
    while delivery.alive() {
        match ask().await {
            Ok(answer) => return Some(answer),
            Err(fault) => {
                tracing::warn!(%fault, "a part of a campaign waits to be written down");
                sleep(backoff.next().unwrap_or(max)).await;
            }
        }
    }
    None
}
