//! Counts what happened within the last hour, and no more of it than decides.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

const HOUR: Duration = Duration::from_hours(1);

/// The last moments, at most one more than are allowed in an hour.
pub(super) struct Flood {
    allowed: usize,
    moments: VecDeque<Instant>,
}

impl Flood {
    pub(super) fn new(allowed: usize) -> Self {
        Self { allowed, moments: VecDeque::new() }
    }

    /// It happened.
    pub(super) fn add(&mut self, now: Instant) {
        self.moments.push_back(now);
        if self.moments.len() > self.allowed + 1 {
            self.moments.pop_front();
        }
    }

    /// Whether it happened more often within the hour before now than is allowed.
    pub(super) fn rises(&mut self, now: Instant) -> bool {
        while self.moments.front().is_some_and(|at| now.duration_since(*at) >= HOUR) {
            self.moments.pop_front();
        }
        self.moments.len() > self.allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn more_than_allowed_in_an_hour_is_a_flood_and_ends() {
        let mut flood = Flood::new(2);
        for expected in [false, false, true, true] {
            flood.add(Instant::now());
            assert_eq!(flood.rises(Instant::now()), expected);
        }
        tokio::time::advance(HOUR).await;
        assert!(!flood.rises(Instant::now()));
    }
}
