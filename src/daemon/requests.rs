//! `suppressd requests`: what the list keeps for somebody to decide.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Stop;
use super::core::{configuration, redis_config};
use crate::domain::request::InReview;
use crate::service::ports::{List, Page, Requests};
use crate::settings::Settings;
use crate::store::RedisList;

/// Requests that are asked for at once.
const PAGE_MAX: usize = 256;

/// Requests that are listed at most: nobody reads more.
const LISTED_MAX: usize = 10_000;

/// The requests in review, the one that is due first in front.
#[derive(Debug)]
pub struct Listing {
    /// The first of them.
    pub requests: Vec<InReview>,
    /// Whether there are more.
    pub more: bool,
}

/// Lists them; with `until` only those whose strict deadline is no later.
pub async fn requests(settings: &Settings, until: Option<Timestamp>) -> Result<Listing, Stop> {
    let list = RedisList::new(&redis_config(settings)).map_err(configuration)?;
    if list.head().await?.is_none() {
        let why = "Redis has no list: a running worker fills it from the ledger";
        return Err(Stop::Unavailable(why.into()));
    }
    let mut found = Listing { requests: Vec::new(), more: false };
    // What is settled meanwhile moves the later ones up: one may be passed over, none is listed twice.
    let mut seen = BTreeSet::new();
    loop {
        let page = Page { until, skip: seen.len(), max: PAGE_MAX };
        let requests = list.in_review(page).await?;
        let last = requests.len() < PAGE_MAX;
        let before = seen.len();
        found.requests.extend(requests.into_iter().filter(|request| seen.insert(request.key())));
        if last || seen.len() == before {
            return Ok(found);
        }
        if seen.len() >= LISTED_MAX {
            found.more = true;
            return Ok(found);
        }
    }
}
