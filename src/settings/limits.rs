//! `[limits]`: how much of everything, and how far clocks may be apart.

use std::time::Duration;

use super::section::Section;
use super::values::{days, seconds, whole};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The bounds on messages, memory and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The size of a job, unpacked.
    pub job_bytes_max: usize,
    /// The recipients of a job, all segments together.
    pub job_recipients_max: usize,
    /// The segments of a job.
    pub job_segments_max: usize,
    /// The size of an event, unpacked.
    pub event_bytes_max: usize,
    /// How long a delivery is held while it cannot be settled, before the consumer gives it back.
    pub hold_max: Duration,
    /// The bodies being processed at once, all together.
    pub body_budget_bytes: usize,
    /// How far this worker's clock may be from that of Redis.
    pub clock_skew_max: Duration,
    /// How far ahead an event may be dated.
    pub future_max: Duration,
    /// How long a campaign in parts is known after its last part.
    pub campaign_kept: Duration,
}

impl Limits {
    pub(super) fn take(section: &mut Section<'_>) -> Self {
        let limits = Self {
            job_bytes_max: section.or("job_bytes_max", 16 * MIB, whole(KIB..=256 * MIB)),
            job_recipients_max: section.or("job_recipients_max", 200_000_usize, whole(1..=5_000_000)),
            job_segments_max: section.or("job_segments_max", 64_usize, whole(1..=10_000)),
            event_bytes_max: section.or("event_bytes_max", 256 * KIB, whole(KIB..=16 * MIB)),
            hold_max: section.or("hold_max_s", Duration::from_mins(15), seconds(1..=86_400)),
            body_budget_bytes: section.or("body_budget_bytes", 64 * MIB, whole(MIB..=16 * KIB * MIB)),
            clock_skew_max: section.or("clock_skew_max_s", Duration::from_mins(1), seconds(1..=3600)),
            future_max: section.or("future_max_s", Duration::from_mins(5), seconds(0..=86_400)),
            campaign_kept: section.or("campaign_kept_d", Duration::from_hours(30 * 24), days(1..=400)),
        };
        if limits.body_budget_bytes < limits.job_bytes_max.max(limits.event_bytes_max) {
            let problem = "must be at least job_bytes_max and event_bytes_max, or the largest never fits";
            section.refuse(&["body_budget_bytes"], "", problem);
        }
        limits
    }
}
