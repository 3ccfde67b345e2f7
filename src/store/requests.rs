//! Requests in review, read in the order in which they are due, and who raised which alarm of them.
//!
//! Nothing of a request is written here: the fold does that. What is written are the marks of alarms. They
//! belong to no list, so that a list that is built anew raises none again.

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use redis::{Script, pipe};

use super::list::RedisList;
use super::meta;
use crate::codec::value;
use crate::domain::record::RequestKey;
use crate::domain::request::InReview;
use crate::service::ports::{Claim, ListFault, Page, Requests, Tally, Urgency};

/// Who claimed an alarm raises it within this, or another may.
const CLAIM: Duration = Duration::from_mins(1);

/// A request that is still in review after so long is alarmed once more: about thirteen months.
const REMEMBERED: Duration = Duration::from_hours(400 * 24);

static IN_REVIEW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/in_review.lua")));
static TALLY: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/tally.lua")));

/// The mark of an alarm that somebody is about to raise.
const CLAIMED: &str = "claimed";

/// The mark of one that is out.
const RAISED: &str = "raised";

#[async_trait]
impl Requests for RedisList {
    async fn tally(&self, now: Timestamp) -> Result<Tally, ListFault> {
        let mut script = TALLY.prepare_invoke();
        script.key(&self.meta).arg(self.keys.tag()).arg(now.as_microsecond());
        let mut connection = self.work.get().await?;
        let result = script.invoke_async(&mut connection).await;
        let (sources, overdue, first): (String, u64, Option<String>) = self.work.checked(result).await?;
        let read = || {
            // Scores are doubles: exact for microseconds of this and the next two centuries.
            let next_due = first.map(|score| score.parse::<f64>().ok().and_then(instant));
            let next_due = next_due.map_or(Some(None), |next| next.map(Some))?;
            Some(Tally { sources: meta::read_reviews(&sources)?, overdue, next_due })
        };
        read().ok_or(ListFault::Unreadable("the requests in review"))
    }

    async fn in_review(&self, page: Page) -> Result<Vec<InReview>, ListFault> {
        let until = page.until.map_or_else(|| "+inf".into(), |until| until.as_microsecond().to_string());
        let mut script = IN_REVIEW.prepare_invoke();
        script.key(&self.meta).arg(self.keys.tag()).arg(until).arg(page.skip).arg(page.max);
        let mut connection = self.work.get().await?;
        let result = script.invoke_async(&mut connection).await;
        let found: Vec<Vec<u8>> = self.work.checked(result).await?;
        let read = found.iter().map(|bytes| value::read_review(bytes)).collect::<Option<_>>();
        read.ok_or(ListFault::Unreadable("a request in review"))
    }

    async fn claim(&self, request: RequestKey, alarm: Urgency) -> Result<Claim, ListFault> {
        let key = self.keys.alarmed(request, alarm);
        let mut marks = pipe();
        marks.cmd("SET").arg(&key).arg(CLAIMED).arg("PX").arg(millis(CLAIM)).arg("NX");
        marks.cmd("GET").arg(&key);
        let (set, mark): (Option<String>, Option<String>) = self.query(&self.work, &marks).await?;
        Ok(match mark.as_deref() {
            _ if set.is_some() => Claim::Mine,
            Some(RAISED) => Claim::Raised,
            // It may have ended between the two: then nobody has it, and who asks again gets it.
            _ => Claim::Others,
        })
    }

    async fn raised(&self, request: RequestKey, alarm: Urgency) -> Result<(), ListFault> {
        let key = self.keys.alarmed(request, alarm);
        let mut mark = pipe();
        mark.cmd("SET").arg(key).arg(RAISED).arg("PX").arg(millis(REMEMBERED)).ignore();
        self.query(&self.work, &mark).await
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_possible_truncation, reason = "scores are whole microseconds of a timestamp")]
fn instant(score: f64) -> Option<Timestamp> {
    Timestamp::from_microsecond(score as i64).ok()
}
