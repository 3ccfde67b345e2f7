//! One mail, from its bytes to its mark.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::memory::{Memory, Mind};
use super::{CRASH_RULE, Ended, MailDesk, Read};
use crate::codec::event_out::{self, EventOut};
use crate::codec::record::hex;
use crate::domain::mail::reading::{Outcome, Reading, Subject};
use crate::domain::mail::rule::Rule;
use crate::domain::record::EventKey;
use crate::domain::words::{EventKind, ReviewMode};
use crate::fail_points::{self, FailPoint};
use crate::metrics::MailOutcome;
use crate::service::alarms::Alarm;
use crate::service::cpu;
use crate::service::health::Warning;
use crate::service::message::{Outgoing, Properties};
use crate::service::ports::{Delivered, Folder, Mail, MailFault, MailFaultKind, Mark};

/// Times that all of a mail is fetched, before only its beginning is.
const WHOLE_FETCHES_MAX: u32 = 3;

/// Times that a mail is fetched at all.
const FETCHES_MAX: u32 = 6;

/// The beginning of a mail: its headers, usually.
const BEGINNING_BYTES: usize = 16 << 10;

/// While no queue takes the events.
const UNROUTABLE_PAUSE: Duration = Duration::from_secs(1);

/// The rule by which a request is not taken at its word because our own server doubts its sender.
const FORGED_RULE: &str = Rule::UnsureAuthentication.as_str();

/// What is done about a mail.
struct Decided {
    outcome: MailOutcome,
    rule: &'static str,
    event_id: String,
    /// Whether a person must read it.
    person: bool,
    /// Whether it is dealt with, so that it may be moved out of the way.
    settled: bool,
}

impl MailDesk {
    /// Handles one mail. Whatever ends this early, the mail is not marked and comes again.
    pub(super) async fn handle(&self, name: &str, folder: &mut dyn Folder, uid: u32) -> Result<(), Ended> {
        let mut memory = self.memory.lock().await;
        let failed = self.minds.of(name, |mind| mind.failed(uid));
        if failed >= FETCHES_MAX {
            return Ok(self.give_up(name, folder, uid).await?);
        }
        let bytes_max = if failed < WHOLE_FETCHES_MAX { self.plan.mail_bytes_max } else { BEGINNING_BYTES };
        let fetched = folder.fetch(uid, bytes_max).await;
        let Some(mail) = fetched.inspect_err(|_| self.minds.of(name, |mind| mind.fail(uid)))? else {
            // Somebody moved or deleted it meanwhile.
            self.minds.of(name, |mind| mind.done(uid));
            return Ok(());
        };
        let arrived = mail.arrived;
        let decided = self.decide(&mut memory, mail).await?;
        if fail_points::armed(FailPoint::DieBeforeMark) && decided.outcome != MailOutcome::Nothing {
            std::process::abort();
        }
        self.put_away(name, folder, uid, &decided).await?;
        self.minds.of(name, |mind| mind.done(uid));
        let Decided { outcome, rule, event_id, .. } = &decided;
        tracing::info!(folder = name, uid, %arrived, event_id, %outcome, rule, "a mail was decided");
        self.parts.metrics.mail(*outcome);
        Ok(())
    }

    /// Reads a mail and publishes its event, if it has one that is not known yet.
    async fn decide(&self, memory: &mut Memory, mail: Mail) -> Result<Decided, Ended> {
        let read = cpu::work(mail.bytes.len(), || self.read(&mail));
        let arrived = mail.arrived;
        drop(mail);
        let reading = &read.reading;
        let event_id = self.event_id(&read.identity);
        let asks = Asks::of(reading);
        let mut decided = Decided {
            outcome: asks.outcome,
            rule: reading.rule,
            person: asks.person || reading.for_a_person || !event_out::fits(asks.subject()),
            settled: asks.event.is_some(),
            event_id,
        };
        if let Some((kind, review)) = asks.event {
            let source = &self.plan.source;
            let key = EventKey::of(source, &decided.event_id);
            if memory.published(key) || self.parts.known.known(key).await? {
                decided.outcome = MailOutcome::Known;
                return Ok(decided);
            }
            let event = event_out::write(&EventOut {
                event_id: &decided.event_id,
                source,
                kind,
                occurred_at: arrived,
                subject: asks.subject(),
                scope: match &reading.outcome {
                    Outcome::OptOut { scope, .. } => Some(scope),
                    _ => None,
                },
                review,
                rule: reading.rule,
            });
            self.publish(&decided.event_id, event).await;
            memory.publish(key);
            self.watch_flood(memory, reading.rule).await;
        }
        Ok(decided)
    }

    /// A mail that our own code cannot read is nobody's fault but ours: a person looks.
    fn read(&self, mail: &Mail) -> Read {
        let read = catch_unwind(AssertUnwindSafe(|| (self.parts.reader)(mail)));
        read.unwrap_or_else(|_| Read {
            identity: mail.bytes.clone(),
            reading: Reading {
                outcome: Outcome::Unsure { subject: Subject::default() },
                rule: CRASH_RULE,
                for_a_person: true,
            },
        })
    }

    /// The same mail has the same one in every folder, and nobody without the key can tell which mail it is.
    fn event_id(&self, identity: &[u8]) -> String {
        hex(&self.parts.key.content_hash(&[b"mail", identity].concat()))
    }

    /// Publishes until a queue has it.
    async fn publish(&self, event_id: &str, body: Vec<u8>) {
        let properties = Properties {
            content_type: Some("application/json".into()),
            delivery_mode: Some(2),
            message_id: Some(event_id.to_owned()),
            user_id: self.plan.user.clone(),
            ..Properties::default()
        };
        let exchange = self.parts.post.addresses().opt_outs.clone();
        let message = Outgoing { exchange, routing_key: self.plan.source.clone(), properties, body };
        while self.parts.post.insist(&message).await != Delivered::Confirmed {
            tracing::error!("no queue takes the mailbox's events; its mails wait");
            sleep(UNROUTABLE_PAUSE).await;
        }
    }

    async fn watch_flood(&self, memory: &mut Memory, rule: &str) {
        let now = Instant::now();
        if rule == FORGED_RULE {
            memory.forged.add(now);
            self.parts.metrics.mail_forged();
        }
        let rises = memory.forged.rises(now).then(|| {
            let most = self.plan.forged_per_hour_max;
            format!("more than {most} mails in an hour ask for something and are not from whom they say")
        });
        self.parts.alarms.is(Alarm::MailboxFlood, rises.as_deref()).await;
    }

    /// Marks a mail, or moves it where it shall go.
    async fn put_away(
        &self,
        name: &str,
        folder: &mut dyn Folder,
        uid: u32,
        decided: &Decided,
    ) -> Result<(), MailFault> {
        let person = decided.person;
        let to = match (person, decided.settled) {
            (true, _) => self.plan.review_to.as_deref(),
            (false, true) => self.plan.move_to.as_deref(),
            (false, false) => None,
        };
        let Some(to) = to else { return self.mark(name, folder, uid, Mark { done: true, person }).await };
        if folder.about().moves {
            // Not yet marked as done: what ends this between the two, it is read, found known, and moved.
            if person {
                self.mark(name, folder, uid, Mark { done: false, person }).await?;
            }
            match folder.move_to(uid, to).await {
                Ok(()) => {
                    self.minds.of(name, |mind| mind.moves_lost = None);
                    return Ok(());
                }
                Err(fault) if fault.kind == MailFaultKind::Mark => {
                    self.lost(name, fault, |mind| &mut mind.moves_lost);
                }
                Err(fault) => return Err(fault),
            }
        } else {
            let why = MailFault::new(MailFaultKind::Mark, "the server cannot move mails (no MOVE)");
            self.lost(name, why, |mind| &mut mind.moves_lost);
        }
        self.mark(name, folder, uid, Mark { done: true, person }).await
    }

    /// Marks a mail. A server that does not keep the mark is warned of, and remembered for it.
    async fn mark(&self, name: &str, folder: &mut dyn Folder, uid: u32, mark: Mark) -> Result<(), MailFault> {
        match folder.mark(uid, mark).await {
            Ok(()) if folder.about().keeps_marks => {
                self.minds.of(name, |mind| mind.marks_lost = None);
                Ok(())
            }
            Ok(()) => Ok(()),
            Err(fault) if fault.kind == MailFaultKind::Mark => {
                self.lost(name, fault, |mind| &mut mind.marks_lost);
                Ok(())
            }
            Err(fault) => Err(fault),
        }
    }

    fn lost(&self, name: &str, fault: MailFault, place: impl FnOnce(&mut Mind) -> &mut Option<String>) {
        self.parts.metrics.mailbox_fault(fault.kind);
        self.minds.of(name, |mind| *place(mind) = Some(fault.what));
        self.warn_of(Warning::MailboxMarks, |mind| mind.marks_lost.clone());
        self.warn_of(Warning::MailboxMoves, |mind| mind.moves_lost.clone());
    }

    /// Shows what folders have to say under one name.
    pub(super) fn warn_of(&self, warning: Warning, why: impl Fn(&Mind) -> Option<String>) {
        let all = self.minds.all(|name, mind| why(mind).map(|why| format!("{name}: {why}")));
        self.parts.health.warn(warning, (!all.is_empty()).then(|| all.join("; ")));
    }

    /// The server does not hand a mail out: it must not keep all others waiting.
    async fn give_up(&self, name: &str, folder: &mut dyn Folder, uid: u32) -> Result<(), MailFault> {
        tracing::error!(folder = name, uid, "a mail cannot be fetched: a person must read it");
        self.parts.metrics.mail(MailOutcome::Unreadable);
        self.mark(name, folder, uid, Mark { done: true, person: true }).await?;
        self.minds.of(name, |mind| mind.done(uid));
        Ok(())
    }
}

/// What follows from a reading.
struct Asks<'a> {
    outcome: MailOutcome,
    subject: Option<&'a Subject>,
    event: Option<(EventKind, Option<ReviewMode>)>,
    person: bool,
}

impl<'a> Asks<'a> {
    fn of(reading: &'a Reading) -> Self {
        let (outcome, subject, kind, review) = match &reading.outcome {
            Outcome::OptOut { subject, .. } => (MailOutcome::OptOut, subject, EventKind::OptOut, None),
            Outcome::Hold { subject } => {
                (MailOutcome::Hold, subject, EventKind::Hold, Some(ReviewMode::Hold))
            }
            Outcome::Unsure { subject } => {
                (MailOutcome::Unsure, subject, EventKind::OptOut, Some(ReviewMode::Hold))
            }
            Outcome::Review { subject } => {
                (MailOutcome::Review, subject, EventKind::OptOut, Some(ReviewMode::Ask))
            }
            Outcome::Complaint { subject } => (MailOutcome::Complaint, subject, EventKind::Complaint, None),
            Outcome::Bounce { subject } => (MailOutcome::Bounce, subject, EventKind::Bounce, None),
            Outcome::Nothing => return Self::nothing(MailOutcome::Nothing, false),
        };
        let nobody = subject.emails.is_empty() && subject.phones.is_empty();
        if nobody && matches!(kind, EventKind::Complaint | EventKind::Bounce) {
            // A report about nobody asks for nothing; a complaint is for a person to read all the same.
            return Self::nothing(outcome, kind == EventKind::Complaint);
        }
        Self {
            outcome,
            subject: Some(subject),
            event: Some((kind, review)),
            person: review.is_some() || nobody,
        }
    }

    fn nothing(outcome: MailOutcome, person: bool) -> Self {
        Self { outcome, subject: None, event: None, person }
    }

    fn subject(&self) -> &'a Subject {
        static NOBODY: Subject = Subject { emails: Vec::new(), phones: Vec::new() };
        self.subject.unwrap_or(&NOBODY)
    }
}
