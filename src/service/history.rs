//! The last hour, minute by minute: what the totals grew by, for the plots of the status page.
//!
//! It is fed with totals and never touched by whoever counts. It has one size from the first hour on: sixty
//! minutes of closed sets. It counts minutes since the worker's start, so that a clock that is set moves nothing.

use std::collections::VecDeque;
use std::time::Duration;

use crate::metrics::Counts;

/// Minutes that are kept, the running one included.
pub const MINUTES: usize = 60;

/// Seconds of a minute.
const MINUTE_S: u64 = 60;

/// What each minute added.
#[derive(Debug)]
pub struct History {
    /// Which minute since the start is running.
    minute: u64,
    /// The running one last.
    minutes: VecDeque<Counts>,
    /// What was counted in all when it was last recorded.
    totals: Counts,
    age: Duration,
}

/// The last hour at one moment.
#[derive(Debug, Clone)]
pub struct Hour {
    /// The running minute last; fewer than [`MINUTES`] in a worker's first hour.
    pub minutes: Vec<Counts>,
    /// All of them together.
    pub sum: Counts,
    /// How much of the last minute is over.
    pub running: Duration,
}

impl History {
    /// Begins with what was counted before, usually nothing.
    pub fn new(totals: Counts) -> Self {
        let none = totals.clone().since(&totals);
        Self { minute: 0, minutes: VecDeque::from([none]), totals, age: Duration::ZERO }
    }

    /// Records what was counted in all by now, `age` after the start.
    pub fn record(&mut self, age: Duration, totals: Counts) {
        let none = totals.clone().since(&totals);
        let minute = age.as_secs() / MINUTE_S;
        // Minutes that nobody recorded are empty; of more than an hour of them none is left.
        for _ in 0..minute.saturating_sub(self.minute).min(MINUTES as u64) {
            if self.minutes.len() == MINUTES {
                self.minutes.pop_front();
            }
            self.minutes.push_back(none.clone());
        }
        self.minute = self.minute.max(minute);
        if let Some(running) = self.minutes.back_mut() {
            running.add(&totals.clone().since(&self.totals));
        }
        (self.totals, self.age) = (totals, age);
    }

    /// The last hour as it was last recorded.
    pub fn hour(&self) -> Hour {
        let mut sum = self.totals.clone().since(&self.totals);
        self.minutes.iter().for_each(|minute| sum.add(minute));
        let began = Duration::from_secs(self.minute * MINUTE_S);
        Hour { minutes: self.minutes.iter().cloned().collect(), sum, running: self.age.saturating_sub(began) }
    }

    /// What was counted in all when it was last recorded.
    pub fn totals(&self) -> &Counts {
        &self.totals
    }
}

impl Hour {
    /// What is counted a minute at present: of the last whole minute and the running one. A worker's first minute
    /// counts as a whole one, so that its first job is no flood.
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown with three digits")]
    pub fn a_minute(&self, of: impl Fn(&Counts) -> u64) -> f64 {
        let counted: u64 = self.minutes.iter().rev().take(2).map(of).sum();
        let whole = if self.minutes.len() > 1 { 1.0 } else { 0.0 };
        let minutes = whole + self.running.as_secs_f64() / MINUTE_S as f64;
        counted as f64 / minutes.max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::{Catalogue, Region};
    use crate::domain::words::{Channel, DeadReason};
    use crate::metrics::{DeadQueue, Metrics};

    fn metrics() -> Metrics {
        let region = Region { code: "KZ-79".into(), name: "Шымкент".into(), aliases: vec![] };
        Metrics::new(&Catalogue::new(vec![region], vec![]), ["email"])
    }

    fn dead(counts: &Counts) -> u64 {
        counts.dead(DeadReason::BadJson)
    }

    /// After each of these seconds one dead letter was counted, and recorded.
    fn after(seconds: &[u64]) -> History {
        let metrics = metrics();
        let mut history = History::new(metrics.counts());
        for second in seconds {
            metrics.dead_letter(DeadQueue::Jobs, DeadReason::BadJson);
            history.record(Duration::from_secs(*second), metrics.counts());
        }
        history
    }

    fn minutes(history: &History) -> Vec<u64> {
        history.hour().minutes.iter().map(dead).collect()
    }

    #[test]
    fn what_is_counted_belongs_to_the_minute_that_runs() {
        assert_eq!(minutes(&after(&[])), [0]);
        assert_eq!(minutes(&after(&[1, 59])), [2]);
        assert_eq!(minutes(&after(&[1, 61, 62])), [1, 2]);
        assert_eq!(minutes(&after(&[1, 241])), [1, 0, 0, 0, 1], "nobody recorded for a while");
    }

    #[test]
    fn what_was_counted_before_it_began_is_in_no_minute() {
        let metrics = metrics();
        metrics.dead_letter(DeadQueue::OptOuts, DeadReason::BadJson);
        let history = History::new(metrics.counts());
        assert_eq!((minutes(&history), dead(history.totals())), (vec![0], 1));
    }

    #[test]
    fn an_hour_is_kept_and_no_more() {
        let every_minute: Vec<u64> = (0..200).map(|minute| minute * 60).collect();
        assert_eq!(minutes(&after(&every_minute)), [1; MINUTES]);
        assert_eq!(dead(&after(&every_minute).hour().sum), MINUTES as u64);
        let mut after_a_pause = [0; MINUTES];
        after_a_pause[MINUTES - 1] = 1;
        assert_eq!(minutes(&after(&[1, 1_000_000])), after_a_pause);
    }

    #[test]
    fn a_rate_is_that_of_the_last_minutes_and_never_that_of_seconds() {
        let rate = |history: &History| history.hour().a_minute(dead);
        assert!((rate(&after(&[1, 2])) - 2.0).abs() < 1e-9, "two jobs in two seconds are no sixty a minute");
        assert!((rate(&after(&[1, 2, 90])) - 2.0).abs() < 1e-9, "three in a minute and a half");
        assert!(rate(&after(&[1, 2, 90, 240])) < 1.1, "what is over is over");
    }

    #[test]
    fn a_job_counts_once_on_its_channel_and_once_in_each_of_its_regions() {
        let counts = metrics().counts();
        assert_eq!(counts.channel(Channel::Sms), counts.flow(0, Channel::Sms));
        let metrics = metrics();
        metrics.job(Some(Channel::Sms), crate::metrics::JobOutcome::Filtered);
        metrics.job(Some(Channel::Sms), crate::metrics::JobOutcome::Unroutable);
        assert_eq!(metrics.counts().channel(Channel::Sms).jobs, 1);
        assert_eq!(metrics.counts().all().jobs, 1);
    }
}
