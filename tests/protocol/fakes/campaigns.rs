//! One worker's connections to Redis: the port `Campaigns` by the rule itself, with the real script's claims.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use suppressd::domain::campaign::{Campaign, FilteredPart};
use suppressd::domain::record::{CampaignKey, Nonce};
use suppressd::service::clock::Clock;
use suppressd::service::ports::{Campaigns, ListFault, REPORT_CLAIM, Standing, Taken};
use tokio::time::Instant;

use super::redis_link::{RedisLink, Use};
use super::steps::Call;

/// A campaign, and who publishes its report until when.
#[derive(Clone)]
pub(crate) struct Known {
    pub campaign: Campaign,
    claim: Option<(Nonce, Instant)>,
}

impl Known {
    fn standing(&mut self, holder: Nonce) -> Standing {
        let now = Instant::now();
        if self.campaign.head.reported_at.is_some() {
            return Standing::Reported;
        }
        if !self.campaign.is_complete() {
            return Standing::Incomplete;
        }
        if self.claim.is_some_and(|(other, until)| other != holder && until > now) {
            return Standing::Others;
        }
        self.claim = Some((holder, now + REPORT_CLAIM));
        Standing::Mine
    }
}

#[async_trait]
impl Campaigns for RedisLink {
    async fn record(
        &self,
        part: &FilteredPart,
        holder: Nonce,
        _: Duration,
    ) -> Result<(Taken, Standing), ListFault> {
        let now = self.clock.now();
        self.write(Call::Part, |data| {
            let mut taken = Taken::Counted;
            let known = data
                .campaigns
                .entry(part.campaign)
                .and_modify(|known| taken = known.campaign.add(part, now))
                .or_insert_with(|| Known { campaign: Campaign::begin(part, now), claim: None });
            let fits = taken != Taken::Conflicting;
            (taken, if fits { known.standing(holder) } else { Standing::Incomplete })
        })
        .await
    }

    async fn reported(&self, campaign: CampaignKey, _: Duration) -> Result<(), ListFault> {
        let now = self.clock.now();
        self.write(Call::Reported, |data| {
            if let Some(known) = data.campaigns.get_mut(&campaign) {
                known.campaign.head.reported_at.get_or_insert(now);
            }
        })
        .await
    }

    async fn campaign(&self, campaign: CampaignKey) -> Result<Option<Campaign>, ListFault> {
        let read = |node: &mut super::redis::Node| {
            node.data.campaigns.get(&campaign).map(|known| known.campaign.clone())
        };
        Ok(self.call(Use::Work, Call::Campaign, false, read).await?.0)
    }

    async fn incomplete(&self) -> Result<(u64, Option<Timestamp>), ListFault> {
        let read = |node: &mut super::redis::Node| {
            let heads = node.data.campaigns.values().map(|known| &known.campaign.head);
            let waiting: Vec<_> =
                heads.filter(|head| head.reported_at.is_none()).map(|head| head.began_at).collect();
            (waiting.len() as u64, waiting.iter().min().copied())
        };
        Ok(self.call(Use::Work, Call::Campaign, false, read).await?.0)
    }
}
