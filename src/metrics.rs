//! Every metric, in one struct; the comment of a field is its help text.
//!
//! Every series exists from the start, with the value 0, so that no alert looks at something absent. Label
//! values come from closed sets (`metrics/labels.rs`) and are never made from what arrives. Callers hand over
//! the domain's types and never see a label. There is no global state: each instance has its own registry.
//!
//! Absent on purpose: what counts recalls, until those exist.

mod family;
mod figures;
mod labels;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use prometheus::process_collector::ProcessCollector;
use prometheus::{Gauge, Histogram, IntCounter, IntGauge, Registry, TextEncoder};

use self::family::{Family, Maker};
pub use self::figures::{Counts, Flow, Gauges};
pub use self::labels::{
    Alarm, DeadQueue, Dependency, JobOutcome, MailFaultKind, MailOutcome, Queue, SpanFate, Warning,
};
use self::labels::{DEAD, KEPT, Names, UNKNOWN};
use crate::domain::campaign::Taken;
use crate::domain::catalogue::Catalogue;
use crate::domain::filter::Tally;
use crate::domain::fold::FOLD_VERSION;
use crate::domain::words::{Channel, DeadReason, EventKind, IdentifierKind, Removal, Status};

/// The form of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Seconds: a small job takes milliseconds, one of 16 MiB seconds, one that waits for Redis minutes.
const JOB_BUCKETS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// Seconds: usually milliseconds, hours after an outage, and the law's day and two days.
const EFFECT_BUCKETS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0, 60.0, 600.0, 3600.0, 86_400.0, 172_800.0];

/// Declares [`Metrics`] and makes it: the comment of a field goes to its series as their help text.
macro_rules! metrics {
    (
        |$maker:ident, $regions:ident, $sources:ident|
        $($(#[doc = $help:literal])+ $field:ident: $type:ty = $made:expr,)+
    ) => {
        /// Everything that is measured.
        #[derive(Debug)]
        pub struct Metrics {
            registry: Registry,
            regions: Names,
            sources: Names,
            $($(#[doc = $help])+ $field: $type,)+
        }

        impl Metrics {
            fn make(registry: Registry, regions: Names, sources: Names) -> Self {
                let ($regions, $sources) = (&regions, &sources);
                $(let $field = {
                    let $maker = Maker { registry: &registry, help: concat!($($help),+).trim_ascii() };
                    $made
                };)+
                Self { $($field,)+ registry, regions, sources }
            }
        }
    };
}

metrics! { |make, regions, sources|
    /// Campaign jobs by what became of them. A dead letter whose channel cannot be read has the channel
    /// "unknown". A job is unroutable when it is moved to wait for a binding, and filtered when it goes out.
    jobs: Family<IntCounter, 2> = make.counters(
        "suppressd_jobs_total",
        [("channel", with(labels::channels(), [UNKNOWN])), ("outcome", labels::outcomes())],
    ),

    /// Recipients of filtered jobs by the verdict on them, by the region's configured code.
    recipients: Family<IntCounter, 3> = make.counters(
        "suppressd_recipients_total",
        [
            ("channel", labels::channels()),
            ("region", regions.words()),
            ("verdict", with(vec![KEPT], labels::removals())),
        ],
    ),

    /// Segments of filtered jobs, by the region's configured code.
    segments: Family<IntCounter, 2> = make.counters(
        "suppressd_segments_total",
        [("channel", labels::channels()), ("region", regions.words())],
    ),

    /// Seconds from the delivery of a filtered job to its acknowledgement.
    job_duration: Family<Histogram, 1> =
        make.histograms("suppressd_job_duration_seconds", JOB_BUCKETS, [("channel", labels::channels())]),

    /// Events by their receipt's status; "dead" are those without a receipt, which are only in the dead queue.
    /// A source that is not configured, or a kind that cannot be read, is "unknown".
    events: Family<IntCounter, 3> = make.counters(
        "suppressd_events_total",
        [
            ("source", sources.words()),
            ("kind", with(labels::kinds(), [UNKNOWN])),
            ("status", with(labels::statuses(), [DEAD])),
        ],
    ),

    /// Seconds from the receipt of an opt-out to the moment it was in force.
    opt_out_effect: Family<Histogram, 1> =
        make.histograms("suppressd_opt_out_effect_seconds", EFFECT_BUCKETS, [("source", sources.words())]),

    /// Requests that are not settled: those in review, which every worker shows, and the events in the hands of
    /// this worker, by the source that opened them.
    requests_open: Family<IntGauge, 1> =
        make.gauges("suppressd_requests_open", [("source", sources.words())]),

    /// Those of them that are past their strict deadline.
    requests_overdue: IntGauge = make.gauge("suppressd_requests_overdue"),

    /// Seconds until the first of them is due, by its strict deadline: negative once it is overdue, +Inf if there
    /// is none.
    next_due: Gauge = make.real_gauge("suppressd_next_due_seconds"),

    /// Events that settled a request after its strict deadline.
    late_requests: Family<IntCounter, 1> =
        make.counters("suppressd_late_requests_total", [("source", sources.words())]),

    /// Identifiers on the suppression list.
    identifiers: Family<IntGauge, 1> =
        make.gauges("suppressd_identifiers", [("type", labels::identifiers())]),

    /// The list's revision in Redis when this worker last looked; 0 until it has.
    revision: IntGauge = make.gauge("suppressd_revision"),

    /// The revision of this worker's copy of the list in memory; 0 until it is loaded.
    mirror_revision: IntGauge = make.gauge("suppressd_mirror_revision"),

    /// Messages that went to the dead queue, by the queue that they came from and the reason.
    dead_letters: Family<IntCounter, 2> = make.counters(
        "suppressd_dead_letters_total",
        [("queue", labels::queues()), ("reason", labels::reasons())],
    ),

    /// Jobs that wait because nobody is bound to their output.
    unroutable_jobs: IntGauge = make.gauge("suppressd_unroutable_jobs"),

    /// Messages that wait in a queue of ours and are in nobody's hands, as this worker last saw it; every worker
    /// shows the same.
    queue_messages: Family<IntGauge, 1> =
        make.gauges("suppressd_queue_messages", [("queue", labels::all_queues())]),

    /// Parts of campaigns whose jobs were filtered, by whether the campaign's sums count them.
    campaign_parts: Family<IntCounter, 1> =
        make.counters("suppressd_campaign_parts_total", [("outcome", labels::parts())]),

    /// Campaigns that this worker has reported, all parts being in.
    campaigns_reported: IntCounter = make.counter("suppressd_campaigns_reported_total"),

    /// Campaigns that are not reported because parts are missing; every worker shows the same.
    campaigns_incomplete: IntGauge = make.gauge("suppressd_campaigns_incomplete"),

    /// Seconds since 1970 when the first of them began; 0 if there is none.
    campaigns_incomplete_since: IntGauge = make.gauge("suppressd_campaigns_incomplete_since_seconds"),

    /// Identifiers of recipients that could not be parsed and were ignored, because they are not the address
    /// that the channel delivers to.
    ignored_identifiers: Family<IntCounter, 1> =
        make.counters("suppressd_ignored_identifiers_total", [("type", labels::identifiers())]),

    /// Mails that this worker decided about, by what became of them.
    mails: Family<IntCounter, 1> =
        make.counters("suppressd_mails_total", [("outcome", labels::mail_outcomes())]),

    /// Mails that asked for something and failed our own server's check of their sender.
    mails_forged: IntCounter = make.counter("suppressd_mails_forged_total"),

    /// What kept this worker from reading the mailbox, or from marking what it had read.
    mailbox_faults: Family<IntCounter, 1> =
        make.counters("suppressd_mailbox_faults_total", [("fault", labels::mail_faults())]),

    /// Seconds since 1970 when this worker had last looked at every folder of the mailbox; 0 if it never has.
    mailbox_looked_at: IntGauge = make.gauge("suppressd_mailbox_looked_at_seconds"),

    /// Spans of traces by what became of them; all at 0 while nothing is exported.
    spans: Family<IntCounter, 1> =
        make.counters("suppressd_spans_total", [("outcome", labels::span_fates())]),

    /// Seconds since 1970 when this worker last raised the alarm; 0 if it never has.
    alarm_raised_at: Family<IntGauge, 1> =
        make.gauges("suppressd_alarm_raised_at_seconds", [("alarm", labels::alarms())]),

    /// 1 while a state lasts that this worker has raised the alarm for, else 0; always 0 for what is no state.
    alarm_active: Family<IntGauge, 1> =
        make.gauges("suppressd_alarm_active", [("alarm", labels::alarms())]),

    /// 1 while /ready shows the warning, else 0; /ready says why.
    warning: Family<IntGauge, 1> = make.gauges("suppressd_warning", [("name", labels::warnings())]),

    /// 1 if the dependency is ready, else 0; /ready says why.
    ready: Family<IntGauge, 1> =
        make.gauges("suppressd_ready", [("dependency", labels::dependencies())]),

    /// Tasks of the runtime that are alive: bounded by what is in hand, whatever happens outside.
    tasks: IntGauge = make.gauge("suppressd_tasks"),

    /// Always 1; the labels say what runs: its version, and the version of the fold that makes the list.
    build_info: Family<IntGauge, 2> = make.gauges(
        "suppressd_build_info",
        [("version", vec![env!("CARGO_PKG_VERSION")]), ("fold", vec![FOLD_VERSION.to_string().as_str()])],
    ),
}

/// The values of one set, then those of another.
fn with<'a>(mut words: Vec<&'a str>, more: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    words.extend(more);
    words
}

/// The place of [`UNKNOWN`] among the channels of jobs.
const CHANNEL_UNKNOWN: usize = Channel::ALL.len();

/// The place of [`UNKNOWN`] among the kinds of events.
const KIND_UNKNOWN: usize = EventKind::ALL.len();

/// The place of [`DEAD`] among the statuses of events.
const STATUS_DEAD: usize = Status::ALL.len();

impl Metrics {
    /// Every series, at 0, for these regions and sources.
    pub fn new(catalogue: &Catalogue, sources: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let registry = Registry::new();
        let regions = Names::new(catalogue.regions().iter().map(|region| &*region.code));
        let sources: Vec<_> = sources.into_iter().collect();
        let sources = Names::new(sources.iter().map(AsRef::as_ref).chain([UNKNOWN]));
        let metrics = Self::make(registry, regions, sources);
        metrics.build_info.at([0, 0]).set(1);
        metrics.next_due.set(f64::INFINITY);
        let process = Box::new(ProcessCollector::for_self());
        metrics.registry.register(process).expect("no name of ours begins with process_");
        metrics
    }

    /// Everything as it is now, in the form of [`CONTENT_TYPE`]. Blocks: it reads `/proc`.
    pub fn encode(&self) -> String {
        let encoded = TextEncoder::new().encode_to_string(&self.registry.gather());
        encoded.expect("text is written to memory, and every family has a name and series")
    }

    /// A job is done with. The channel is `None` if it could not be read.
    pub fn job(&self, channel: Option<Channel>, outcome: JobOutcome) {
        let channel = channel.map_or(CHANNEL_UNKNOWN, |channel| channel as usize);
        self.jobs.at([channel, outcome as usize]).inc();
    }

    /// A filtered job was acknowledged this long after its delivery.
    pub fn job_duration(&self, channel: Channel, duration: Duration) {
        self.job_duration.at([channel as usize]).observe(duration.as_secs_f64());
    }

    /// What became of the recipients of one segment.
    pub fn recipients(&self, channel: Channel, tally: &Tally) {
        let Some(region) = self.regions.find(&tally.region) else {
            debug_assert!(false, "a tally's region is a code of the catalogue");
            return;
        };
        self.segments.at([channel as usize, region]).inc();
        let verdict = |place| self.recipients.at([channel as usize, region, place]);
        verdict(0).inc_by(tally.kept);
        for (place, reason) in (1..).zip(Removal::ALL) {
            verdict(place).inc_by(tally.removed(*reason));
        }
    }

    /// Identifiers of a job that could not be parsed, none of them the channel's own address.
    pub fn ignored_identifiers(&self, kind: IdentifierKind, count: u64) {
        self.ignored_identifiers.at([kind as usize]).inc_by(count);
    }

    /// An event was answered with a receipt.
    pub fn event(&self, source: &str, kind: EventKind, status: Status) {
        self.events.at([self.source(Some(source)), kind as usize, status as usize]).inc();
    }

    /// An event went to the dead queue without a receipt; `None` is what could not be read.
    pub fn event_dead(&self, source: Option<&str>, kind: Option<EventKind>) {
        let kind = kind.map_or(KIND_UNKNOWN, |kind| kind as usize);
        self.events.at([self.source(source), kind, STATUS_DEAD]).inc();
    }

    /// An opt-out was in force this long after its receipt.
    pub fn opt_out_effect(&self, source: &str, duration: Duration) {
        self.opt_out_effect.at([self.source(Some(source))]).observe(duration.as_secs_f64());
    }

    /// The requests that are not settled, by their source; those overdue; and the seconds until the first is due.
    pub fn set_requests<'a>(
        &self,
        sources: impl Iterator<Item = (&'a str, u64)>,
        overdue: u64,
        next_due_s: Option<f64>,
    ) {
        let mut counts = vec![0; self.sources.words().len()];
        for (source, count) in sources {
            counts[self.source(Some(source))] += count;
        }
        for (place, count) in counts.into_iter().enumerate() {
            self.requests_open.at([place]).set(whole(count));
        }
        self.requests_overdue.set(whole(overdue));
        self.next_due.set(next_due_s.unwrap_or(f64::INFINITY));
    }

    /// An event of this source settled a request after its strict deadline.
    pub fn late_request(&self, source: &str) {
        self.late_requests.at([self.source(Some(source))]).inc();
    }

    /// A message went to the dead queue.
    pub fn dead_letter(&self, queue: DeadQueue, reason: DeadReason) {
        self.dead_letters.at([queue as usize, reason as usize]).inc();
    }

    /// So many identifiers of a kind are on the list.
    pub fn set_identifiers(&self, kind: IdentifierKind, count: u64) {
        self.identifiers.at([kind as usize]).set(whole(count));
    }

    /// The list is at this revision.
    pub fn set_revision(&self, revision: u64) {
        self.revision.set(whole(revision));
    }

    /// The mirror is at this revision.
    pub fn set_mirror_revision(&self, revision: u64) {
        self.mirror_revision.set(whole(revision));
    }

    /// So many jobs wait for a binding.
    pub fn set_unroutable_jobs(&self, count: u64) {
        self.unroutable_jobs.set(whole(count));
    }

    /// So many messages wait in a queue.
    pub fn set_queue_messages(&self, queue: Queue, count: u64) {
        self.queue_messages.at([queue as usize]).set(whole(count));
    }

    /// This became of a part of a campaign.
    pub fn campaign_part(&self, taken: Taken) {
        self.campaign_parts.at([taken as usize]).inc();
    }

    /// A campaign was reported.
    pub fn campaign_reported(&self) {
        self.campaigns_reported.inc();
    }

    /// So many campaigns wait for parts, the first of them since then.
    pub fn set_campaigns_incomplete(&self, count: u64, since: Option<Timestamp>) {
        self.campaigns_incomplete.set(whole(count));
        self.campaigns_incomplete_since.set(since.map_or(0, Timestamp::as_second));
    }

    /// A mail was decided about.
    pub fn mail(&self, outcome: MailOutcome) {
        self.mails.at([outcome as usize]).inc();
    }

    /// A mail asked for something and is not from whom it says.
    pub fn mail_forged(&self) {
        self.mails_forged.inc();
    }

    /// The mailbox could not be read, or a mail in it not marked.
    pub fn mailbox_fault(&self, kind: MailFaultKind) {
        self.mailbox_faults.at([kind as usize]).inc();
    }

    /// Every folder of the mailbox was looked at by this moment.
    pub fn set_mailbox_looked_at(&self, at: Timestamp) {
        self.mailbox_looked_at.set(at.as_second());
    }

    /// This became of so many spans.
    pub fn spans(&self, fate: SpanFate, count: usize) {
        self.spans.at([fate as usize]).inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// An alarm was raised at this moment.
    pub fn alarm_raised(&self, alarm: Alarm, at: Timestamp) {
        self.alarm_raised_at.at([alarm as usize]).set(at.as_second());
    }

    /// A state that is alarmed lasts, or is over.
    pub fn set_alarm_active(&self, alarm: Alarm, active: bool) {
        self.alarm_active.at([alarm as usize]).set(i64::from(active));
    }

    /// `/ready` shows a warning, or does not.
    pub fn set_warning(&self, warning: Warning, shown: bool) {
        self.warning.at([warning as usize]).set(i64::from(shown));
    }

    /// A dependency is ready, or is not.
    pub fn set_ready(&self, dependency: Dependency, ready: bool) {
        self.ready.at([dependency as usize]).set(i64::from(ready));
    }

    /// So many tasks are alive.
    pub fn set_tasks(&self, alive: usize) {
        self.tasks.set(i64::try_from(alive).unwrap_or(i64::MAX));
    }

    /// The place of a source; of "unknown" if it is not configured.
    fn source(&self, name: Option<&str>) -> usize {
        let known = name.and_then(|name| self.sources.find(name));
        known.or_else(|| self.sources.find(UNKNOWN)).unwrap_or_default()
    }
}

/// A gauge holds signed numbers.
fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
