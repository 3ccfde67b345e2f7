//! One job, from its delivery to its acknowledgement.
//!
//! Read and hash while nothing is held → a barrier sent after the job came → the mirror at that position or
//! later → every recipient judged on one unchanging view → output, confirmed and not returned → report, and the
//! campaign's sums if the job is a part of one → acknowledge. What could not be handed to the broker soon is judged
//! afresh: it was right when it was filtered, which is not enough. While the list is not proven whole the job simply
//! waits here.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::Instrument;

use super::alarms::{Alarm, Alarms};
use super::campaigns::{CampaignDesk, part_of};
use super::clock::Clock;
use super::cpu;
use super::envelope::{self, Route};
use super::follow_feed::SharedMirror;
use super::gate::{Closed, Gate};
use super::look_up::at_barrier;
use super::message::Outgoing;
use super::ports::{BrokerFault, Delivered, Incoming};
use super::post::Post;
use super::quarantine::{Quarantine, crashed_worker};
use super::traces::{Span, Traces};
use crate::codec::encoding::{self, Encoding};
use crate::codec::fault::Fault;
use crate::codec::job::{self, Job, JobLimits, Names, Stamp};
use crate::domain::catalogue::Catalogue;
use crate::domain::digest::KeyRing;
use crate::domain::filter::{Prepared, Tally, Verdicts, judge, prepare};
use crate::domain::identifier::{Country, canonical};
use crate::domain::words::{DeadReason, IdentifierKind, Purpose};
use crate::fail_points::{FailPoint, armed, die_at};
use crate::metrics::{DeadQueue, JobOutcome, Metrics};
use crate::mirror::Mirror;

/// A barrier this old is not published on any more.
const BARRIER_AGE_MAX: Duration = Duration::from_secs(1);

/// Between tries after RabbitMQ failed.
const FAULT_RETRY: Duration = Duration::from_millis(200);

impl Names for Catalogue {
    fn region(&self, name: &str) -> Option<Arc<str>> {
        self.region_of_job(name).cloned()
    }

    fn brand(&self, name: &str) -> Option<Arc<str>> {
        Self::brand(self, name).cloned()
    }
}

/// Filters jobs.
pub struct JobDesk {
    /// The barrier.
    pub gate: Gate,
    /// The list in memory.
    pub mirror: SharedMirror,
    /// Outputs, reports and dead letters.
    pub post: Post,
    /// Campaigns that come in parts.
    pub campaigns: CampaignDesk,
    /// Alarms.
    pub alarms: Alarms,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The keys.
    pub keys: Arc<KeyRing>,
    /// Regions and brands.
    pub catalogue: Arc<Catalogue>,
    /// The country of numbers without a country code.
    pub country: Country,
    /// Bounds of a job.
    pub limits: JobLimits,
    /// AMQP users whose jobs may have another purpose than marketing.
    pub exempt_publishers: BTreeSet<String>,
    /// Bytes of bodies that are processed at once.
    pub body_budget: Arc<Semaphore>,
    /// Keeps suspects apart.
    pub quarantine: Quarantine,
    /// What each job goes through, for whoever follows its trace.
    pub traces: Traces,
    /// The metrics.
    pub metrics: Arc<Metrics>,
}

/// Where a job came from, which decides where it goes when nobody is bound for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The jobs queue.
    Jobs,
    /// The waiting room.
    Waiting,
}

/// What became of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is out, or dead.
    Settled,
    /// Nobody is bound for it; it is in the waiting room.
    Waiting,
}

impl JobDesk {
    /// Processes one delivery. Returns when it is settled, or when the worker shuts down.
    pub async fn filter(&self, incoming: Incoming, origin: Origin) -> Result<Fate, Closed> {
        let mut span = self.traces.process(&incoming, self.queue(origin));
        let log = span.in_the_log();
        let fate = self.settle(incoming, origin, &mut span).instrument(log).await?;
        if origin == Origin::Waiting && fate == Fate::Waiting {
            // It is tried every few seconds, perhaps for days, and each time looks like the last.
            span.forget();
        }
        Ok(fate)
    }

    async fn settle(&self, mut incoming: Incoming, origin: Origin, span: &mut Span) -> Result<Fate, Closed> {
        let started = Instant::now();
        let waits = span.step("wait for memory");
        let budget = self.weigh(&incoming).await?;
        drop(waits);
        let fault = match self.attempt(&incoming, origin, started, span).await? {
            Ok(fate) => {
                incoming.acker.ack().await;
                return Ok(fate);
            }
            Err(fault) => fault,
        };
        drop(budget);
        self.post.bury(&mut incoming, &self.post.addresses().jobs, &fault, span).await;
        self.metrics.dead_letter(DeadQueue::Jobs, fault.reason);
        self.metrics.job(None, JobOutcome::DeadLettered);
        span.note("suppressd.outcome", JobOutcome::DeadLettered.as_str());
        incoming.acker.ack().await;
        Ok(Fate::Settled)
    }

    fn queue(&self, origin: Origin) -> &str {
        match origin {
            Origin::Jobs => &self.post.addresses().jobs,
            Origin::Waiting => &self.post.addresses().waiting,
        }
    }

    /// Back to the end of the waiting room, without a try.
    pub async fn put_back(&self, incoming: Incoming) {
        self.wait_for_a_binding(&incoming, Origin::Waiting, &Span::none()).await;
        incoming.acker.ack().await;
    }

    /// Room for this body among those that are processed. A body as large as all the room waits for all.
    async fn weigh(&self, incoming: &Incoming) -> Result<tokio::sync::OwnedSemaphorePermit, Closed> {
        let packed = incoming.properties.content_encoding.as_deref().is_some_and(|packed| !packed.is_empty());
        let bytes = if packed { self.limits.unpacked_bytes_max } else { incoming.body.len() };
        let bytes = u32::try_from(bytes.min(self.limits.unpacked_bytes_max)).unwrap_or(u32::MAX);
        Arc::clone(&self.body_budget).acquire_many_owned(bytes).await.map_err(|_| Closed)
    }

    /// Everything but settling.
    async fn attempt(
        &self,
        incoming: &Incoming,
        origin: Origin,
        started: Instant,
        span: &mut Span,
    ) -> Result<Result<Fate, Fault>, Closed> {
        if envelope::is_oversized(&incoming.properties) {
            let rule = "the properties and headers leave no room for ours in one AMQP frame";
            return Ok(Err(Fault::whole(DeadReason::TooLarge, rule)));
        }
        let packing = match Encoding::parse(incoming.properties.content_encoding.as_deref()) {
            Ok(packing) => packing,
            Err(fault) => return Ok(Err(fault)),
        };
        let reads = span.step("read");
        let unpack = || encoding::unpack(&incoming.body, packing, self.limits.unpacked_bytes_max);
        let text = match self.quarantine.run(incoming, unpack).await {
            Some(Ok(text)) => text,
            Some(Err(fault)) => return Ok(Err(fault)),
            None => return Ok(Err(self.crashed(incoming).await)),
        };
        let (job, prepared) = match self.quarantine.run(incoming, || self.read(&text, incoming)).await {
            Some(Ok(both)) => both,
            Some(Err(fault)) => return Ok(Err(fault)),
            None => return Ok(Err(self.crashed(incoming).await)),
        };
        drop(reads);
        describe(span, &job);
        loop {
            let (verdicts, stamp, sent_at) = self.judge(&job, &prepared, span).await?;
            let mut output = {
                let _writes = span.step("write");
                cpu::work(text.len(), || self.output(&job, &verdicts, stamp, packing, incoming))
            };
            if sent_at.elapsed() > BARRIER_AGE_MAX && !armed(FailPoint::PublishOld) {
                continue;
            }
            die_at(FailPoint::DieBeforeOutput);
            match self.hand_over(&mut output, incoming, span).await {
                Ok(Delivered::Confirmed) => {
                    die_at(FailPoint::DieBeforeJobAck);
                    self.tell(&job, &verdicts, stamp, incoming, span).await;
                    tell_verdicts(span, &verdicts, stamp);
                    self.count(&job, &prepared, &verdicts, started);
                    return Ok(Ok(Fate::Settled));
                }
                Ok(Delivered::Returned) => {
                    self.wait_for_a_binding(incoming, origin, span).await;
                    span.note("suppressd.outcome", JobOutcome::Unroutable.as_str());
                    if origin == Origin::Jobs {
                        self.metrics.job(Some(job.channel), JobOutcome::Unroutable);
                    }
                    return Ok(Ok(Fate::Waiting));
                }
                Ok(Delivered::TooLarge) => {
                    let rule = "RabbitMQ takes no message of the output's size (max_message_size)";
                    return Ok(Err(Fault::whole(DeadReason::TooLarge, rule)));
                }
                Err(fault) => {
                    tracing::warn!(%fault, "a job is filtered afresh");
                    tokio::time::sleep(FAULT_RETRY).await;
                }
            }
        }
    }

    /// Publishes an output once: what could not be handed over is judged afresh.
    async fn hand_over(
        &self,
        output: &mut Outgoing,
        incoming: &Incoming,
        span: &Span,
    ) -> Result<Delivered, BrokerFault> {
        let mut publish = span.publish(&output.exchange);
        publish.hand_on(&incoming.properties, &mut output.properties);
        let handed = self.post.once(output).await;
        match &handed {
            Ok(Delivered::Confirmed) => {}
            Ok(Delivered::Returned) => publish.fail("returned"),
            Ok(Delivered::TooLarge) => publish.fail("too_large"),
            Err(_) => publish.fail("unconfirmed"),
        }
        match handed {
            Err(_) if armed(FailPoint::AckUnconfirmed) => Ok(Delivered::Confirmed),
            Err(_) if armed(FailPoint::PublishStale) => Ok(self.post.insist(output).await),
            Ok(Delivered::Returned) if armed(FailPoint::ReturnedIsDelivered) => Ok(Delivered::Confirmed),
            handed => handed,
        }
    }

    /// Says what became of a job whose output is out, and sums its campaign up. Neither waits for the other.
    async fn tell(&self, job: &Job<'_>, verdicts: &Verdicts, stamp: Stamp, incoming: &Incoming, span: &Span) {
        let report = job::report(job, verdicts, stamp);
        let report = self.post.tell_of("report.job".into(), report, &incoming.properties, span);
        let Some(part) = part_of(job, verdicts, stamp) else { return report.await };
        die_at(FailPoint::DieBeforePart);
        let sum_up = async {
            let _sums = span.step("sum up campaign");
            self.campaigns.sum_up(&part, &*incoming.acker).await;
        };
        tokio::join!(report, sum_up);
    }

    async fn crashed(&self, incoming: &Incoming) -> Fault {
        self.quarantine.buried(incoming).await;
        crashed_worker()
    }

    /// Reads the job and hashes its recipients.
    fn read<'a>(&self, text: &'a [u8], incoming: &Incoming) -> Result<(Job<'a>, Prepared), Fault> {
        let job = job::decode(text, &self.limits, &*self.catalogue)?;
        if job.purpose != Purpose::Marketing {
            let user = incoming.properties.user_id.as_deref();
            if !user.is_some_and(|user| self.exempt_publishers.contains(user)) {
                let rule = "/purpose: the message's user_id is not listed in policy.exempt_publishers";
                return Err(Fault::whole(DeadReason::PurposeNotAllowed, rule));
            }
        }
        let prepared = prepare(job.channel, job.segments(), &self.keys, |kind, text, buffer| {
            canonical(kind, text, &self.country, buffer).ok()
        });
        Ok((job, prepared))
    }

    /// Judges every recipient at one position, at or after a barrier that is sent now.
    async fn judge(
        &self,
        job: &Job<'_>,
        prepared: &Prepared,
        span: &Span,
    ) -> Result<(Verdicts, Stamp, Instant), Closed> {
        let barrier = span.step("barrier");
        let judged = at_barrier(&self.gate, &self.mirror, job.text_len(), |mirror| {
            let _filters = barrier.step("filter");
            (judge(prepared, job.purpose, &job.brand, mirror), mirror.revision())
        });
        let ((verdicts, mut revision), sent_at) = judged.await?;
        if armed(FailPoint::MixedView) {
            (revision, _) = at_barrier(&self.gate, &self.mirror, 0, Mirror::revision).await?;
        }
        let stamp = Stamp { revision, filtered_at: whole_seconds(self.clock.now()) };
        Ok((verdicts, stamp, sent_at))
    }

    fn output(
        &self,
        job: &Job<'_>,
        verdicts: &Verdicts,
        stamp: Stamp,
        packing: Encoding,
        incoming: &Incoming,
    ) -> Outgoing {
        let kept = verdicts.tallies().iter().map(|tally| tally.kept).sum();
        let removed = verdicts.tallies().iter().map(Tally::removed_in_all).sum();
        let marks = envelope::Stamp { revision: stamp.revision, kept, removed };
        Outgoing {
            exchange: self.post.addresses().filtered.clone(),
            routing_key: incoming.routing_key.clone(),
            properties: envelope::filtered(&incoming.properties, &job.job_id, marks),
            body: encoding::pack(job::filtered(job, verdicts, stamp), packing),
        }
    }

    /// Moves the job to the end of the waiting room, confirmed, so that it blocks nobody.
    async fn wait_for_a_binding(&self, incoming: &Incoming, origin: Origin, span: &Span) {
        let route = Route { exchange: incoming.exchange.clone(), routing_key: incoming.routing_key.clone() };
        let mut waiting = Outgoing {
            exchange: String::new(),
            routing_key: self.post.addresses().waiting.clone(),
            properties: envelope::enter_waiting(&incoming.properties, &route),
            body: incoming.body.clone(),
        };
        let publish = span.publish("");
        publish.hand_on_to_a_copy(&incoming.properties, &mut waiting.properties);
        while self.post.insist(&waiting).await != Delivered::Confirmed {
            tokio::time::sleep(FAULT_RETRY).await;
        }
        // Only now: a pass that finds nothing there ends the alarm.
        if origin == Origin::Jobs {
            tracing::warn!("nobody is bound for a job's output: it waits in {}", waiting.routing_key);
            let detail = "nobody is bound to the exchange of filtered jobs for a job's routing key";
            self.alarms.is(Alarm::Unroutable, Some(detail)).await;
        }
    }

    fn count(&self, job: &Job<'_>, prepared: &Prepared, verdicts: &Verdicts, started: Instant) {
        self.metrics.job(Some(job.channel), JobOutcome::Filtered);
        self.metrics.job_duration(job.channel, started.elapsed());
        for tally in verdicts.tallies() {
            self.metrics.recipients(job.channel, tally);
        }
        for kind in IdentifierKind::ALL {
            self.metrics.ignored_identifiers(*kind, prepared.ignored(*kind));
        }
    }
}

/// Notes what a job is: of its words only those that are configured, or of the contract.
fn describe(span: &mut Span, job: &Job<'_>) {
    if span.is_recorded() {
        let regions: BTreeSet<Arc<str>> = job.segments().map(|(region, _)| region).collect();
        span.note("suppressd.channel", job.channel.as_str());
        span.note("suppressd.brand", vec![job.brand.clone()]);
        span.note("suppressd.purpose", job.purpose.as_str());
        span.note("suppressd.regions", regions.into_iter().collect::<Vec<_>>());
        span.note("suppressd.recipients.received", job.recipients_len());
    }
}

/// Notes what became of it.
fn tell_verdicts(span: &mut Span, verdicts: &Verdicts, stamp: Stamp) {
    if span.is_recorded() {
        let tallies = || verdicts.tallies().iter();
        span.note("suppressd.recipients.kept", tallies().map(|tally| tally.kept).sum::<u64>());
        span.note("suppressd.recipients.removed", tallies().map(Tally::removed_in_all).sum::<u64>());
        span.note("suppressd.revision", stamp.revision);
        span.note("suppressd.outcome", JobOutcome::Filtered.as_str());
    }
}

fn whole_seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
