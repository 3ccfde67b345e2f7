//! `suppressd campaign`: what Redis knows of campaigns that come in parts.

use std::time::Duration;

use jiff::Timestamp;

use super::Stop;
use super::core::{configuration, redis_config};
use crate::domain::campaign::{Campaign, CampaignHead};
use crate::domain::record::CampaignKey;
use crate::service::ports::Campaigns;
use crate::settings::Settings;
use crate::store::{Listed, RedisList};

/// Campaigns that are asked for at once.
const PAGE_MAX: usize = 256;

/// Campaigns that are listed at most.
const LISTED_MAX: usize = 10_000;

/// A reported campaign is listed for so long.
const RECENTLY: Duration = Duration::from_hours(24);

/// Campaigns that wait for parts, the one that began first in front, then those that were reported recently.
#[derive(Debug)]
pub struct CampaignListing {
    /// The first of them.
    pub campaigns: Vec<CampaignHead>,
    /// Whether there are more.
    pub more: bool,
}

/// Lists them.
pub async fn campaigns(settings: &Settings, now: Timestamp) -> Result<CampaignListing, Stop> {
    let list = connected(settings)?;
    let recent = Listed::KnownFor(settings.limits.campaign_kept.saturating_sub(RECENTLY));
    let mut found = CampaignListing { campaigns: Vec::new(), more: false };
    for which in [Listed::Incomplete, recent] {
        let mut skip = 0;
        loop {
            let page = list.campaigns(which, now, skip, PAGE_MAX).await?;
            let last = page.len() < PAGE_MAX;
            skip += PAGE_MAX;
            // One that is completed meanwhile may be passed over by the first index, and is in the second then.
            found.campaigns.extend(page.into_iter().filter(|head| match which {
                Listed::Incomplete => head.reported_at.is_none(),
                Listed::KnownFor(_) => head.reported_at.is_some(),
            }));
            if found.campaigns.len() >= LISTED_MAX {
                found.more = !last;
                return Ok(found);
            }
            if last {
                break;
            }
        }
    }
    Ok(found)
}

/// All that is known of one.
pub async fn campaign(settings: &Settings, name: &str) -> Result<Option<Campaign>, Stop> {
    Ok(connected(settings)?.campaign(CampaignKey::of(name)).await?)
}

/// Forgets one. `false`: it was not known.
pub async fn forget_campaign(settings: &Settings, name: &str) -> Result<bool, Stop> {
    Ok(connected(settings)?.forget_campaign(CampaignKey::of(name)).await?)
}

fn connected(settings: &Settings) -> Result<RedisList, Stop> {
    RedisList::new(&redis_config(settings)).map_err(configuration)
}
