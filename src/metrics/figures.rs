//! What was counted, as plain numbers: for people, who cannot read a scrape.
//!
//! Reading is some hundreds of atomic loads and disturbs nobody who counts. The sets that counts are indexed
//! by are closed, so a set of counts has one size for the whole life of a worker. Absent: anything by source,
//! and what only a machine would compare.

use jiff::Timestamp;
use prometheus::Histogram;
use prometheus::core::Collector;

use super::labels::{DeadQueue, Queue};
use super::{EFFECT_BUCKETS, JobOutcome, Metrics};
use crate::domain::words::{Channel, DeadReason, IdentifierKind, Removal};

/// What went through in one region on one channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flow {
    /// Filtered jobs with a segment there.
    pub jobs: u64,
    /// Their recipients there that go out.
    pub kept: u64,
    /// Their recipients there that do not.
    pub removed: u64,
}

impl Flow {
    /// The recipients that came in.
    pub fn received(self) -> u64 {
        self.kept + self.removed
    }

    fn each(&mut self, other: Self, combine: impl Fn(u64, u64) -> u64) {
        self.jobs = combine(self.jobs, other.jobs);
        self.kept = combine(self.kept, other.kept);
        self.removed = combine(self.removed, other.removed);
    }
}

/// What was counted: since the start, or within a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// By region, in the order of the catalogue, and by channel.
    flows: Vec<[Flow; Channel::ALL.len()]>,
    jobs: [u64; Channel::ALL.len()],
    removed: [u64; Removal::ALL.len()],
    dead: [u64; DeadReason::ALL.len()],
    /// Opt-outs by the first bound of [`EFFECT_BUCKETS`] that they are within; those beyond all of them last.
    effect: [u64; EFFECT_BUCKETS.len() + 1],
    late: u64,
}

impl Counts {
    /// Nothing, in this many regions.
    pub fn none(regions: usize) -> Self {
        Self {
            flows: vec![Default::default(); regions],
            jobs: Default::default(),
            removed: Default::default(),
            dead: Default::default(),
            effect: Default::default(),
            late: 0,
        }
    }

    /// What was counted since an earlier moment of the same worker.
    #[must_use]
    pub fn since(mut self, earlier: &Self) -> Self {
        self.each(earlier, u64::saturating_sub);
        self
    }

    /// Counts what another counted too.
    pub fn add(&mut self, other: &Self) {
        self.each(other, u64::saturating_add);
    }

    fn each(&mut self, other: &Self, combine: impl Fn(u64, u64) -> u64 + Copy) {
        debug_assert_eq!(self.flows.len(), other.flows.len(), "the catalogue does not change");
        for (flows, others) in self.flows.iter_mut().zip(&other.flows) {
            for (flow, other) in flows.iter_mut().zip(others) {
                flow.each(*other, combine);
            }
        }
        let numbers =
            self.jobs.iter_mut().chain(&mut self.removed).chain(&mut self.dead).chain(&mut self.effect);
        let others = other.jobs.iter().chain(&other.removed).chain(&other.dead).chain(&other.effect);
        for (number, other) in numbers.zip(others) {
            *number = combine(*number, *other);
        }
        self.late = combine(self.late, other.late);
    }

    /// In one region, by its place in the catalogue, on one channel.
    pub fn flow(&self, region: usize, channel: Channel) -> Flow {
        self.flows.get(region).map_or_else(Flow::default, |flows| flows[channel as usize])
    }

    /// On one channel. A job counts once, however many regions it is for.
    pub fn channel(&self, channel: Channel) -> Flow {
        let mut sum = Flow::default();
        for flows in &self.flows {
            sum.each(flows[channel as usize], u64::saturating_add);
        }
        Flow { jobs: self.jobs[channel as usize], ..sum }
    }

    /// In all.
    pub fn all(&self) -> Flow {
        let mut sum = Flow::default();
        for channel in Channel::ALL {
            sum.each(self.channel(*channel), u64::saturating_add);
        }
        sum
    }

    /// Recipients that were removed for this reason.
    pub fn removed(&self, reason: Removal) -> u64 {
        self.removed[reason as usize]
    }

    /// Messages that this worker moved to the dead queue for this reason.
    pub fn dead(&self, reason: DeadReason) -> u64 {
        self.dead[reason as usize]
    }

    /// Events that settled a request after its strict deadline.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Opt-outs that came into force.
    pub fn effects(&self) -> u64 {
        self.effect.iter().sum()
    }

    /// Seconds within which this share of the opt-outs was in force, as far as the buckets tell; infinite beyond the
    /// last of them. `None` if there was no opt-out.
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    pub fn effect_s(&self, share: f64) -> Option<f64> {
        let rank = self.effects() as f64 * share;
        let (mut below, mut from) = (0.0, 0.0);
        for (count, to) in self.effect.iter().zip(EFFECT_BUCKETS.iter().copied().chain([f64::INFINITY])) {
            let count = *count as f64;
            if count > 0.0 && below + count >= rank {
                return Some(from + (to - from) * ((rank - below) / count));
            }
            (below, from) = (below + count, to);
        }
        None
    }
}

/// What is so at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauges {
    /// The list's revision when this worker last looked; 0 until it has.
    pub revision: u64,
    /// That of the list in memory; 0 until it is loaded.
    pub mirror_revision: u64,
    /// Identifiers on the list, in the order of [`IdentifierKind::ALL`].
    pub identifiers: [u64; IdentifierKind::ALL.len()],
    /// Jobs that wait for a binding.
    pub unroutable_jobs: u64,
    /// Messages in the dead queue.
    pub dead_waiting: u64,
    /// Campaigns that wait for parts.
    pub campaigns_incomplete: u64,
    /// Since when the first of them does.
    pub campaigns_since: Option<Timestamp>,
}

impl Metrics {
    /// Everything that this worker counted since its start.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::none(self.regions.words().len());
        for channel in Channel::ALL.iter().map(|channel| *channel as usize) {
            counts.jobs[channel] = self.jobs.at([channel, JobOutcome::Filtered as usize]).get();
            for (region, flows) in counts.flows.iter_mut().enumerate() {
                let verdict = |place| self.recipients.at([channel, region, place]).get();
                let removed = (1..=Removal::ALL.len()).map(verdict);
                for (sum, count) in counts.removed.iter_mut().zip(removed.clone()) {
                    *sum += count;
                }
                let jobs = self.segments.at([channel, region]).get();
                flows[channel] = Flow { jobs, kept: verdict(0), removed: removed.sum() };
            }
        }
        for reason in DeadReason::ALL.iter().map(|reason| *reason as usize) {
            let of = |queue: &DeadQueue| self.dead_letters.at([*queue as usize, reason]).get();
            counts.dead[reason] = DeadQueue::ALL.iter().map(of).sum();
        }
        for source in 0..self.sources.words().len() {
            add_buckets(&mut counts.effect, self.opt_out_effect.at([source]));
            counts.late += self.late_requests.at([source]).get();
        }
        counts
    }

    /// Everything as it is now, as far as this worker knows.
    pub fn gauges(&self) -> Gauges {
        let since = self.campaigns_incomplete_since.get();
        let identifiers = |kind: &IdentifierKind| count(self.identifiers.at([*kind as usize]).get());
        let mut gauges = Gauges {
            revision: count(self.revision.get()),
            mirror_revision: count(self.mirror_revision.get()),
            identifiers: Default::default(),
            unroutable_jobs: count(self.unroutable_jobs.get()),
            dead_waiting: count(self.queue_messages.at([Queue::Dead as usize]).get()),
            campaigns_incomplete: count(self.campaigns_incomplete.get()),
            campaigns_since: (since > 0).then(|| Timestamp::from_second(since).ok()).flatten(),
        };
        for (place, kind) in gauges.identifiers.iter_mut().zip(IdentifierKind::ALL) {
            *place = identifiers(kind);
        }
        gauges
    }
}

/// Adds what a histogram observed, bucket by bucket: it counts each bucket with all below it.
fn add_buckets(sums: &mut [u64], histogram: &Histogram) {
    for family in histogram.collect() {
        for metric in family.get_metric() {
            let observed = metric.get_histogram();
            let within = observed.get_bucket().iter().map(prometheus::proto::Bucket::cumulative_count);
            let mut below = 0;
            for (sum, within) in sums.iter_mut().zip(within.chain([observed.get_sample_count()])) {
                *sum += within.saturating_sub(below);
                below = within;
            }
        }
    }
}

/// A gauge holds signed numbers; those read here are counts.
fn count(gauge: i64) -> u64 {
    u64::try_from(gauge).unwrap_or_default()
}
