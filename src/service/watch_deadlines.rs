//! Deadlines: how many requests are open, which are due soon or overdue, and who is told.
//!
//! A request in review stands in Redis, where every worker sees it; an event in the hands of a worker is known to
//! that worker alone. Each alarm is raised once, however many workers look: Redis remembers who claimed it. One
//! that was claimed and not raised, because the worker ended in between, is raised by another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio::time::interval;

use super::alarms::{Alarm, Alarms};
use super::clock::Clock;
use super::gate::Glance;
use super::health::{Health, Warning};
use super::ports::{Claim, ListFault, Page, Requests, Tally, Urgency};
use crate::domain::calendar::Deadline;
use crate::domain::record::RequestKey;
use crate::metrics::Metrics;

/// Between looks.
const EVERY: Duration = Duration::from_secs(2);

/// Requests read at once.
const PAGE_MAX: usize = 256;

/// A request with a date, as far as an alarm tells of it.
#[derive(Debug, Clone)]
pub struct Due {
    /// Its name.
    pub request_id: String,
    /// The source that opened it.
    pub source: String,
    /// Its dates.
    pub deadline: Deadline,
}

/// The events that this worker is processing. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct InFlight {
    events: Arc<Mutex<(u64, BTreeMap<u64, Due>)>>,
}

/// While it lives, the event is in flight.
#[must_use]
pub struct Flight {
    flights: InFlight,
    number: u64,
}

impl InFlight {
    /// An event that is being processed from now on.
    pub fn enter(&self, due: Due) -> Flight {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.0 += 1;
        let number = events.0;
        events.1.insert(number, due);
        Flight { flights: self.clone(), number }
    }

    fn all(&self) -> Vec<Due> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).1.values().cloned().collect()
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.events.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&self.number);
    }
}

/// Raises the alarms of deadlines. Cheap to clone.
#[derive(Clone)]
pub struct DeadlineAlarms {
    requests: Arc<dyn Requests>,
    alarms: Alarms,
}

impl DeadlineAlarms {
    /// Alarms that these requests remember.
    pub fn new(requests: Arc<dyn Requests>, alarms: Alarms) -> Self {
        Self { requests, alarms }
    }

    /// Raises an alarm unless it was raised before. `false`: somebody else is about to, and may yet fail.
    pub async fn raise(&self, due: &Due, urgency: Urgency) -> Result<bool, ListFault> {
        let request = RequestKey::of(&due.request_id);
        match self.requests.claim(request, urgency).await? {
            Claim::Mine => {}
            Claim::Others => return Ok(false),
            Claim::Raised => return Ok(true),
        }
        let detail = match urgency {
            Urgency::Soon => "a request must be settled soon",
            Urgency::Overdue => "a request was not settled in time",
            Urgency::Late => "a request was settled too late",
        };
        let deadline = &due.deadline;
        let named = [
            ("urgency", Value::from(urgency.as_str())),
            ("request_id", due.request_id.as_str().into()),
            ("source", due.source.as_str().into()),
            ("due_at", deadline.due_at.to_string().into()),
            ("due_strict_at", deadline.due_strict_at.to_string().into()),
            ("calendar", deadline.calendar.as_deref().into()),
        ];
        let named: Map<_, _> = named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.alarms.happened_to(Alarm::Deadline, detail, named).await;
        self.requests.raised(request, urgency).await?;
        Ok(true)
    }
}

/// The requests at one look, for people: counts and times, and nobody's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When that was.
    pub at: Timestamp,
    /// Those in review, which every worker shows.
    pub in_review: u64,
    /// The events in this worker's hands.
    pub in_hand: u64,
    /// Those not settled, by the source that opened them.
    pub sources: BTreeMap<String, u64>,
    /// Those past their strict deadline.
    pub overdue: u64,
    /// When the first of them is due, or was, by its strict deadline.
    pub next_due: Option<Timestamp>,
}

/// Looks at deadlines.
pub struct Watcher {
    /// The requests in review.
    pub requests: Arc<dyn Requests>,
    /// The events in this worker's hands.
    pub in_flight: InFlight,
    /// Who is told.
    pub alarms: DeadlineAlarms,
    /// The gauges.
    pub metrics: Arc<Metrics>,
    /// Where what was seen is shown.
    pub seen: watch::Sender<Option<Seen>>,
    /// The warnings.
    pub health: Health,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// How long before its strict deadline a request is due soon.
    pub soon: Duration,
}

impl Watcher {
    /// Looks every so often, while the list is proven.
    pub async fn run(self, mut glance: watch::Receiver<Glance>) {
        let mut raised = BTreeSet::new();
        let mut ticks = interval(EVERY);
        while glance.wait_for(|glance| glance.open).await.is_ok() {
            ticks.tick().await;
            if let Err(fault) = self.look(&mut raised).await {
                tracing::warn!(%fault, "deadlines are looked at again");
            }
        }
    }

    /// Looks once. `raised` is what this worker need not ask for again.
    pub async fn look(&self, raised: &mut BTreeSet<(RequestKey, Urgency)>) -> Result<(), ListFault> {
        let now = self.clock.now();
        let in_flight = self.in_flight.all();
        let tally = self.requests.tally(now).await?;
        let in_review = tally.sources.values().sum();
        let tally = with_flights(tally, &in_flight, now);
        self.seen.send_replace(Some(Seen {
            at: now,
            in_review,
            in_hand: in_flight.len() as u64,
            sources: tally.sources.clone(),
            overdue: tally.overdue,
            next_due: tally.next_due,
        }));
        self.metrics.set_requests(
            tally.sources.iter().map(|(source, count)| (source.as_str(), *count)),
            tally.overdue,
            tally.next_due.map(|due| due.duration_since(now).as_secs_f64()),
        );
        let mut urgent = self.urgent(in_flight, now).await?;
        self.warn(&tally, urgent.len());
        let still: BTreeSet<_> = urgent.iter().map(|(due, _)| RequestKey::of(&due.request_id)).collect();
        raised.retain(|(request, _)| still.contains(request));
        urgent.retain(|(due, urgency)| !raised.contains(&(RequestKey::of(&due.request_id), *urgency)));
        for (due, urgency) in urgent {
            if self.alarms.raise(&due, urgency).await? {
                raised.insert((RequestKey::of(&due.request_id), urgency));
            }
        }
        Ok(())
    }

    /// What is due soon, or overdue.
    async fn urgent(&self, in_flight: Vec<Due>, now: Timestamp) -> Result<Vec<(Due, Urgency)>, ListFault> {
        let soon = SignedDuration::try_from(self.soon).unwrap_or(SignedDuration::MAX);
        let until = now.checked_add(soon).unwrap_or(Timestamp::MAX);
        let mut urgent: Vec<Due> =
            in_flight.into_iter().filter(|due| due.deadline.due_strict_at <= until).collect();
        let mut skip = 0;
        loop {
            let page = self.requests.in_review(Page { until: Some(until), skip, max: PAGE_MAX }).await?;
            let read = page.len();
            urgent.extend(page.into_iter().map(|open| Due {
                request_id: open.request,
                source: open.source,
                deadline: open.deadline,
            }));
            skip += read;
            if read < PAGE_MAX {
                break;
            }
        }
        let urgency = |due: &Due| {
            if due.deadline.due_strict_at < now { Urgency::Overdue } else { Urgency::Soon }
        };
        Ok(urgent.into_iter().map(|due| (urgency(&due), due)).map(|(urgency, due)| (due, urgency)).collect())
    }

    fn warn(&self, tally: &Tally, urgent: usize) {
        let overdue = usize::try_from(tally.overdue).unwrap_or(usize::MAX);
        let soon = urgent.saturating_sub(overdue);
        let what = |count: usize, what: &str| {
            let plural = if count == 1 { "request is" } else { "requests are" };
            (count > 0).then(|| format!("{count} {plural} {what}: settle them with `suppressd requests`"))
        };
        self.health.warn(Warning::RequestsOverdue, what(overdue, "past their strict deadline"));
        self.health.warn(Warning::RequestsDueSoon, what(soon, "due soon"));
    }
}

fn with_flights(mut tally: Tally, in_flight: &[Due], now: Timestamp) -> Tally {
    for due in in_flight {
        let strict = due.deadline.due_strict_at;
        *tally.sources.entry(due.source.clone()).or_default() += 1;
        tally.overdue += u64::from(strict < now);
        tally.next_due = Some(tally.next_due.map_or(strict, |next| next.min(strict)));
    }
    tally
}
