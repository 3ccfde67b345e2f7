//! One worker's connections to Redis: the port `Requests` with the contract of the real scripts.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use suppressd::domain::record::RequestKey;
use suppressd::domain::request::{InReview, Request};
use suppressd::service::ports::{Claim, ListFault, Page, Requests, Tally, Urgency};
use tokio::time::Instant;

use super::redis::{Data, Node};
use super::redis_link::{RedisLink, Use};
use super::steps::Call;

/// How long a claim lasts.
pub(crate) const CLAIM: Duration = Duration::from_mins(1);

/// How long it is known that an alarm was raised.
const REMEMBERED: Duration = Duration::from_hours(400 * 24);

impl RedisLink {
    /// The requests in review of its list, the one that is due first in front.
    fn reviews(&self, data: &Data) -> Vec<InReview> {
        let list = self.head_of(data).and_then(|head| data.lists.get(&head.list));
        let mut open: Vec<InReview> = list
            .into_iter()
            .flat_map(|list| list.requests.values())
            .filter_map(|request| match request {
                Request::Review(open) => Some((**open).clone()),
                Request::Applied | Request::Dismissed => None,
            })
            .collect();
        open.sort_by_key(|open| (open.deadline.due_strict_at, open.key()));
        open
    }
}

#[async_trait]
impl Requests for RedisLink {
    async fn tally(&self, now: Timestamp) -> Result<Tally, ListFault> {
        let read = |node: &mut Node| {
            let open = self.reviews(&node.data);
            Tally {
                sources: self.head_of(&node.data).map(|head| head.reviews.clone()).unwrap_or_default(),
                overdue: open.iter().filter(|open| open.deadline.due_strict_at < now).count() as u64,
                next_due: open.first().map(|open| open.deadline.due_strict_at),
            }
        };
        Ok(self.call(Use::Work, Call::Requests, false, read).await?.0)
    }

    async fn in_review(&self, page: Page) -> Result<Vec<InReview>, ListFault> {
        let read = |node: &mut Node| {
            let open = self.reviews(&node.data).into_iter();
            let due = |open: &InReview| page.until.is_none_or(|until| open.deadline.due_strict_at <= until);
            open.filter(due).skip(page.skip).take(page.max).collect()
        };
        Ok(self.call(Use::Work, Call::Requests, false, read).await?.0)
    }

    async fn claim(&self, request: RequestKey, alarm: Urgency) -> Result<Claim, ListFault> {
        let now = Instant::now();
        self.write(Call::Alarm, |data| match data.alarmed.get(&(request, alarm)) {
            Some((_, until)) if *until <= now => claim(data, request, alarm),
            Some((true, _)) => Claim::Raised,
            Some((false, _)) => Claim::Others,
            None => claim(data, request, alarm),
        })
        .await
    }

    async fn raised(&self, request: RequestKey, alarm: Urgency) -> Result<(), ListFault> {
        let until = Instant::now() + REMEMBERED;
        self.write(Call::Alarm, |data| {
            data.alarmed.insert((request, alarm), (true, until));
        })
        .await
    }
}

fn claim(data: &mut Data, request: RequestKey, alarm: Urgency) -> Claim {
    data.alarmed.insert((request, alarm), (false, Instant::now() + CLAIM));
    Claim::Mine
}
