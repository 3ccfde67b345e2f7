//! One event, from its delivery to its acknowledgement.
//!
//! Decide → append to the ledger, confirmed → wait until the fold's outcome is in Redis, seen through a
//! barrier on a proven list → receipt → acknowledge. "It is there already" is no short cut: a message that
//! comes again after a crash finishes every step again.

mod outcome;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use self::outcome::{Own, conflict, receipt_of, tell_outcome};
use super::alarms::{Alarm, Alarms};
use super::apply_ledger::LedgerState;
use super::clock::Clock;
use super::follow_feed::SharedMirror;
use super::gate::{Closed, Gate, Glance, clock_is_off};
use super::ports::{Incoming, Ledger, Urgency};
use super::post::Post;
use super::quarantine::{Quarantine, crashed_worker};
use super::random;
use super::traces::{Span, Traces};
use super::watch_deadlines::{DeadlineAlarms, Due, InFlight};
use crate::codec::encoding::{self, Encoding};
use crate::codec::event::Body;
use crate::codec::fault::Fault;
use crate::codec::receipt::{self, Receipt, Refusal};
use crate::codec::record;
use crate::codec::review::{self, Opened};
use crate::domain::calendar::Calendar;
use crate::domain::catalogue::Catalogue;
use crate::domain::digest::{HashKey, KeyCheck, KeyRing};
use crate::domain::event::{self, Event, Policy, Refused, SourcePolicy, Taken};
use crate::domain::fold::{Decision, Outcome};
use crate::domain::identifier::{Country, canonical};
use crate::domain::record::{Entry, EventKey, EventRecord, Record, RecordId, Remarks};
use crate::domain::words::{DeadReason, EventKind, Status};
use crate::fail_points::{FailPoint, armed, die_at};
use crate::metrics::{DeadQueue, Metrics};

/// Between looks for the outcome, if nothing moves.
const OUTCOME_POLL: Duration = Duration::from_millis(100);

/// A record that is not applied by then is looked for with a new reader of the ledger.
const RECORD_BACK: Duration = Duration::from_secs(10);

/// Between tries to append.
const APPEND_RETRY: Duration = Duration::from_millis(250);

/// What the desk is told.
pub struct Rules {
    /// The sources.
    pub sources: BTreeMap<String, SourcePolicy>,
    /// Regions and brands.
    pub catalogue: Arc<Catalogue>,
    /// Working days.
    pub calendar: Arc<Calendar>,
    /// The country of numbers without a country code.
    pub country: Country,
    /// Bytes of an unpacked event.
    pub event_bytes_max: usize,
    /// How far ahead of our clock an event may be dated.
    pub future_max: Duration,
    /// How far our clock may be from Redis's.
    pub clock_skew_max: Duration,
}

/// Takes events.
pub struct EventDesk {
    /// The barrier.
    pub gate: Gate,
    /// Moves when something was applied.
    pub mirror: SharedMirror,
    /// The ledger.
    pub ledger: Arc<dyn Ledger>,
    /// Whether it may be appended to.
    pub ledger_state: watch::Receiver<LedgerState>,
    /// Tells the applier that a record does not come back.
    pub nudge: Arc<Notify>,
    /// Receipts and dead letters.
    pub post: Post,
    /// Alarms.
    pub alarms: Alarms,
    /// Alarms of what is late.
    pub late: DeadlineAlarms,
    /// Who is being processed, with the dates.
    pub in_flight: InFlight,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The keys.
    pub keys: Arc<KeyRing>,
    /// What may come in.
    pub rules: Rules,
    /// Keeps suspects apart.
    pub quarantine: Quarantine,
    /// What each event goes through, for whoever follows its trace.
    pub traces: Traces,
    /// The metrics.
    pub metrics: Arc<Metrics>,
}

impl EventDesk {
    /// Processes one delivery. Returns when it is settled, or when the worker shuts down.
    pub async fn accept(&self, incoming: Incoming) -> Result<(), Closed> {
        let mut span = self.traces.process(&incoming, &self.post.addresses().opt_outs);
        let log = span.in_the_log();
        self.settle(incoming, &mut span).instrument(log).await
    }

    async fn settle(&self, mut incoming: Incoming, span: &mut Span) -> Result<(), Closed> {
        self.clock_in_step().await?;
        let received_at = self.clock.now();
        let started = Instant::now();
        let Some(read) = self.quarantine.run(&incoming, || self.unpack(&incoming)).await else {
            let fault = crashed_worker();
            self.quarantine.buried(&incoming).await;
            return self.bury(incoming, &fault, None, span).await;
        };
        let body = match read {
            Ok(body) => body,
            Err(fault) => return self.bury(incoming, &fault, None, span).await,
        };
        let event = match body.event() {
            Ok(event) => event,
            Err(fault) => return self.bury(incoming, &fault, None, span).await,
        };
        self.describe(span, &event);
        let record = match self.decide(&event, &body, &incoming, received_at) {
            Ok(record) => record,
            Err(refused) => return self.refuse(incoming, &event, received_at, &refused, span).await,
        };
        let own = Own::of(&record);
        let due = record.deadline.clone().map(|deadline| {
            let (request_id, source) = (record.request.clone(), record.source.clone());
            self.in_flight.enter(Due { request_id, source, deadline })
        });
        if armed(FailPoint::SettleUnapplied) {
            self.append(&Record::Event(Box::new(record)), &mut vec![]).await?;
            incoming.acker.ack().await;
            return Ok(());
        }
        let (outcome, written) = self.write(record, span).await?;
        if conflict(&own.content, &outcome.content) {
            let rule = "/event_id: was used before with other content; the first one counts";
            self.alarms.happened(Alarm::EventIdConflict, rule).await;
            let fault = Fault::whole(DeadReason::EventIdConflict, rule);
            return self.bury(incoming, &fault, Some(&event), span).await;
        }
        // A message that comes again after a crash gets the receipt of its first processing.
        let ours = written.contains(&outcome.record);
        let first = ours || incoming.redelivered && !armed(FailPoint::AlwaysDuplicate);
        if first && outcome.decision == Decision::Review {
            self.open_review(&event, &own, &outcome, &mut incoming, span).await;
        }
        let effective_at = if ours { self.clock.now() } else { outcome.decided_at };
        let receipt = receipt_of(&event, &own.request, &outcome, first, effective_at);
        let body = receipt::write(&receipt);
        die_at(FailPoint::DieBeforeReceipt);
        if ours || !armed(FailPoint::ForgetReceipt) {
            let routing_key = format!("receipt.{}", event.source);
            self.post.answer(routing_key, &incoming.properties, body, span).await;
        }
        tell_outcome(span, &receipt);
        die_at(FailPoint::DieBeforeEventAck);
        drop(due);
        self.metrics.event(event.source, event.kind, receipt.status);
        if first && receipt.status == Status::Applied && event.kind == EventKind::OptOut {
            self.metrics.opt_out_effect(event.source, started.elapsed());
        }
        if first && receipt.is_late() && outcome.decision != Decision::Review {
            self.settled_late(&receipt).await;
        }
        incoming.acker.ack().await;
        Ok(())
    }

    /// Notes what an event is: of its words only those that are configured, or of the contract.
    fn describe(&self, span: &mut Span, event: &Event<'_>) {
        if span.is_recorded() {
            if let Some((source, _)) = self.rules.sources.get_key_value(event.source) {
                span.note("suppressd.source", source.clone());
            }
            span.note("suppressd.kind", event.kind.as_str());
        }
    }

    /// Tells that a person must decide; the event is kept if it names nobody.
    async fn open_review(
        &self,
        event: &Event<'_>,
        own: &Own,
        outcome: &Outcome,
        incoming: &mut Incoming,
        span: &mut Span,
    ) {
        if own.names_nobody {
            let rule = "/subject: no identifier can be parsed; its request is in review";
            self.dead(incoming, &Fault::whole(DeadReason::NoIdentifier, rule), span).await;
        }
        let opened = Opened {
            request_id: &own.request,
            event_id: event.event_id,
            source: event.source,
            kind: event.kind,
            rule: event.rule,
            received_at: outcome.received_at,
            deadline: outcome.deadline.as_ref(),
            hold: outcome.held,
        };
        let body = review::write(&opened);
        self.post.tell_of("review.opened".to_owned(), body, &incoming.properties, span).await;
    }

    /// Counts and alarms what was settled after its strict deadline.
    async fn settled_late(&self, receipt: &Receipt<'_>) {
        self.metrics.late_request(receipt.source);
        let Some(deadline) = receipt.deadline.clone() else { return };
        let (request_id, source) = (receipt.request_id.to_owned(), receipt.source.to_owned());
        let due = Due { request_id, source, deadline };
        // The receipt says it too, and it is counted: an alarm that cannot be claimed is not waited for.
        if let Err(fault) = self.late.raise(&due, Urgency::Late).await {
            tracing::warn!(%fault, "a late request was not alarmed");
        }
    }

    /// Events are dated by our clock: while it is off, none is taken.
    async fn clock_in_step(&self) -> Result<(), Closed> {
        let skew_max = self.rules.clock_skew_max;
        let mut glance = self.gate.glance();
        let in_step = |glance: &Glance| !clock_is_off(glance, skew_max) || armed(FailPoint::AnyClock);
        let in_step = glance.wait_for(|glance| glance.reachable && in_step(glance)).await;
        in_step.map(|_| ()).map_err(|_| Closed)
    }

    fn unpack(&self, incoming: &Incoming) -> Result<Body, Fault> {
        let packed = Encoding::parse(incoming.properties.content_encoding.as_deref())?;
        let bytes = encoding::unpack(&incoming.body, packed, self.rules.event_bytes_max)?;
        Body::parse(&bytes)
    }

    fn decide(
        &self,
        event: &Event<'_>,
        body: &Body,
        incoming: &Incoming,
        received_at: Timestamp,
    ) -> Result<EventRecord, Refused> {
        let policy = Policy {
            sources: &self.rules.sources,
            catalogue: &self.rules.catalogue,
            calendar: &self.rules.calendar,
            future_max: SignedDuration::try_from(self.rules.future_max).unwrap_or(SignedDuration::MAX),
        };
        event::permit(event, incoming.properties.user_id.as_deref(), &policy)?;
        let canonical_body = body.canonical();
        let keys: Vec<KeyCheck> = self.keys.keys().iter().map(HashKey::check).collect();
        let content = self.keys.keys().iter().map(|key| key.content_hash(&canonical_body)).collect();
        let mut buffer = String::new();
        let mut record =
            event::decide(event, Taken { received_at, keys: &keys, content }, &policy, |kind, text| {
                let form = canonical(kind, text, &self.rules.country, &mut buffer).ok()?;
                Some(self.keys.digests(kind, form).collect())
            })?;
        record.decided_at = self.clock.now();
        Ok(record)
    }

    /// Writes the record to the ledger and waits for the outcome of its event. Answers the names of all records
    /// that were written: the outcome names the one that counted, and it may be one whose append timed out.
    async fn write(&self, record: EventRecord, span: &Span) -> Result<(Outcome, Vec<RecordId>), Closed> {
        let key = record.key;
        let record = Record::Event(Box::new(record));
        let mut own = Vec::with_capacity(1);
        loop {
            let appends = span.step("append to ledger");
            self.append(&record, &mut own).await?;
            drop(appends);
            die_at(FailPoint::DieAfterAppend);
            let waits = span.step("wait until in force");
            let outcome = self.outcome(key).await?;
            drop(waits);
            if let Some(outcome) = outcome {
                return Ok((outcome, own));
            }
            // It does not come back: another reader, another record. A second one of an event is harmless.
            self.nudge.notify_one();
        }
    }

    /// Appends until it is confirmed.
    async fn append(&self, record: &Record, own: &mut Vec<RecordId>) -> Result<(), Closed> {
        let mut state = self.ledger_state.clone();
        loop {
            state.wait_for(|state| state.whole).await.map_err(|_| Closed)?;
            let entry = Entry { id: random::record_id(), record: record.clone() };
            own.push(entry.id);
            match self.ledger.append(record::write(&entry)).await {
                Ok(()) => return Ok(()),
                Err(_) if armed(FailPoint::AppendOnce) => return Err(Closed),
                Err(fault) => {
                    tracing::warn!(%fault, "an event is appended again");
                    tokio::time::sleep(APPEND_RETRY).await;
                }
            }
        }
    }

    /// The outcome of the event, seen through a barrier that came after it was applied. `None`: it does not come.
    async fn outcome(&self, key: EventKey) -> Result<Option<Outcome>, Closed> {
        let mut moved = self.mirror.shown();
        let asked = Instant::now();
        loop {
            // A notification only says "look"; looking in vain is harmless.
            let _ = timeout(OUTCOME_POLL, moved.changed()).await;
            if let Some(outcome) = self.gate.pass_with(key).await?.outcome {
                return Ok(Some(outcome));
            }
            if asked.elapsed() > RECORD_BACK {
                return Ok(None);
            }
        }
    }

    /// A refusal that the source may hear of, and the dead queue always.
    async fn refuse(
        &self,
        incoming: Incoming,
        event: &Event<'_>,
        received_at: Timestamp,
        refused: &Refused,
        span: &mut Span,
    ) -> Result<(), Closed> {
        if refused.receipt {
            let request = event::request_name(event);
            let body = receipt::write(&Receipt {
                event_id: event.event_id,
                source: event.source,
                kind: event.kind,
                request_id: &request,
                status: Status::Rejected,
                revision: None,
                received_at,
                effective_at: None,
                deadline: None,
                remarks: Remarks::default(),
                reason: Some(Refusal::Dead(refused.reason)),
            });
            let routing_key = format!("receipt.{}", event.source);
            self.post.answer(routing_key, &incoming.properties, body, span).await;
            span.note("suppressd.status", Status::Rejected.as_str());
            self.metrics.event(event.source, event.kind, Status::Rejected);
            let mut incoming = incoming;
            self.dead(&mut incoming, &Fault::whole(refused.reason, refused.detail), span).await;
            incoming.acker.ack().await;
            return Ok(());
        }
        self.bury(incoming, &Fault::whole(refused.reason, refused.detail), Some(event), span).await
    }

    /// To the dead queue, confirmed, then acknowledged.
    async fn bury(
        &self,
        mut incoming: Incoming,
        fault: &Fault,
        event: Option<&Event<'_>>,
        span: &mut Span,
    ) -> Result<(), Closed> {
        self.dead(&mut incoming, fault, span).await;
        self.metrics.event_dead(event.map(|event| event.source), event.map(|event| event.kind));
        incoming.acker.ack().await;
        Ok(())
    }

    async fn dead(&self, incoming: &mut Incoming, fault: &Fault, span: &mut Span) {
        self.post.bury(incoming, &self.post.addresses().opt_outs, fault, span).await;
        self.metrics.dead_letter(DeadQueue::OptOuts, fault.reason);
    }
}
