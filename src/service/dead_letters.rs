//! Looking at dead letters, and moving them: each goes back to where it came from, or away for good.
//!
//! What must stay true: a letter leaves the dead queue only after its original is confirmed in the queue that it goes
//! to, or after somebody has been told that it is dropped. Whatever breaks in between leaves a second copy, and
//! workers expect those. Nothing here reads a body, beyond hashing it for a name; at most [`HELD_MAX`] letters and one
//! body are held at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::envelope::grave::{self, Cause, Grave, Home};
use super::message::Outgoing;
use super::ports::{Acker, BrokerFault, Buried, DeadFault, DeadQueue, Delivered, Outbox};
use super::post::Addresses;
use crate::codec::record::{hex, unhex};
use crate::domain::digest::HashKey;
use crate::domain::words::DeadReason;
use crate::fail_points::{FailPoint, die_at};

/// Letters that are passed over, or about to be dropped, at once: they are kept from everybody else.
pub const HELD_MAX: usize = 10_000;

/// How long one message is published again and again.
const PUBLISH_PATIENCE: Duration = Duration::from_secs(30);

/// Between tries of it.
const PUBLISH_RETRY: Duration = Duration::from_millis(500);

/// What is told of a letter that no worker could read.
const NOT_UTF_8: &str = "a property, a header's name or the routing key is not UTF-8";

/// Acknowledgements that RabbitMQ may have before it. Beyond 32 it puts them by, and forgets them with the channel.
const ACKS_AT_ONCE: usize = 16;

/// A letter's name: a keyed hash of what it is, so that it says nothing about anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LetterId([u8; 8]);

impl LetterId {
    /// Sixteen hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        unhex(text).map(Self)
    }

    /// Two letters with one name are copies, buried at one moment.
    fn of(letter: &Buried, grave: &Grave, key: &HashKey) -> Self {
        let body = key.content_hash(&letter.body);
        let at = grave.at.map(|at| at.to_string()).unwrap_or_default();
        let message_id = letter.properties.message_id.as_deref().unwrap_or_default();
        let parts = [at.as_bytes(), grave.cause.as_str().as_bytes(), message_id.as_bytes()];
        let mut content = body.to_vec();
        for part in parts.into_iter().chain([letter.routing_key.as_bytes()]) {
            content.extend((part.len() as u64).to_be_bytes());
            content.extend(part);
        }
        let mut name = [0; 8];
        name.copy_from_slice(&key.content_hash(&content)[..8]);
        Self(name)
    }
}

impl std::fmt::Display for LetterId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// What may be told of a letter: nothing that its publisher wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its name.
    pub id: LetterId,
    /// Why it is dead.
    pub cause: Cause,
    /// The queue that it died in.
    pub queue: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// A place in it and the rule broken, never a value.
    pub detail: Option<String>,
    /// The size of its body.
    pub bytes: usize,
}

/// Which letters somebody means.
#[derive(Debug, Clone)]
pub struct Selection {
    /// These; all if there are none.
    pub ids: BTreeSet<LetterId>,
    /// Those that died of this.
    pub cause: Option<Cause>,
    /// At most so many.
    pub max: usize,
}

impl Selection {
    fn takes(&self, letter: &Letter) -> bool {
        (self.ids.is_empty() || self.ids.contains(&letter.id)) && self.takes_cause(letter)
    }

    fn takes_cause(&self, letter: &Letter) -> bool {
        self.cause.is_none_or(|cause| cause == letter.cause)
    }
}

/// How far a pass over the queue came.
#[derive(Debug, Default)]
pub struct Pass {
    /// How many lay there.
    pub of: u64,
    /// How many of them were looked at.
    pub looked: u64,
    /// Why it ended before its end.
    pub stopped: Option<DeadFault>,
    /// Names that were given and not met.
    pub missing: BTreeSet<LetterId>,
}

/// What lies in the queue.
#[derive(Debug, Default)]
pub struct Looked {
    /// The first of those selected, the one that died first in front.
    pub letters: Vec<Letter>,
    /// How many were selected, by cause.
    pub causes: BTreeMap<Cause, u64>,
    /// How far it came.
    pub pass: Pass,
}

/// What was put back to where it came from.
#[derive(Debug, Default)]
pub struct Redriven {
    /// These.
    pub moved: Vec<Letter>,
    /// What stayed, and why.
    pub stayed: Vec<(Letter, &'static str)>,
    /// How far it came.
    pub pass: Pass,
}

/// Letters that are about to be dropped. Let go of, they go back.
#[derive(Default)]
pub struct Taken {
    /// What is told of them.
    pub letters: Vec<Letter>,
    /// How far it came.
    pub pass: Pass,
    ackers: Vec<Box<dyn Acker>>,
}

/// Works at the dead queue, from its front.
pub struct DeadDesk<'a> {
    queue: &'a mut dyn DeadQueue,
    key: &'a HashKey,
    addresses: &'a Addresses,
    heard: &'a dyn Fn(u64, u64),
    looked: u64,
    held: usize,
}

impl<'a> DeadDesk<'a> {
    /// `key` names letters; `heard` is told how many were looked at, of how many.
    pub fn new(
        queue: &'a mut dyn DeadQueue,
        key: &'a HashKey,
        addresses: &'a Addresses,
        heard: &'a dyn Fn(u64, u64),
    ) -> Self {
        Self { queue, key, addresses, heard, looked: 0, held: 0 }
    }

    /// Looks at all of them.
    pub async fn look(&mut self, selection: &Selection) -> Looked {
        let mut looked = Looked::default();
        let stopped = loop {
            match self.next().await {
                Ok(Some((letter, ..))) => {
                    if selection.takes_cause(&letter) {
                        *looked.causes.entry(letter.cause).or_default() += 1;
                        looked.letters.push(letter);
                    }
                }
                Ok(None) => break None,
                Err(fault) => break Some(fault),
            }
        };
        // RabbitMQ puts back what was looked at in an order of its own.
        looked.letters.sort_by_key(|letter| (letter.at, letter.id));
        looked.letters.truncate(selection.max);
        looked.pass = self.pass(stopped, BTreeSet::new());
        looked
    }

    /// Looks for one.
    pub async fn find(&mut self, id: LetterId) -> Result<Option<(Letter, Grave, Buried)>, DeadFault> {
        while let Some(found) = self.next().await? {
            if found.0.id == id {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Publishes originals to where they came from, and takes each letter out when its original is confirmed.
    pub async fn redrive(&mut self, selection: &Selection, outbox: &dyn Outbox, own_user: &str) -> Redriven {
        let mut done = Redriven::default();
        let mut missing = selection.ids.clone();
        let stopped = loop {
            if done.moved.len() >= selection.max || all_met(selection, &missing) {
                break self.queue.settled().await.err();
            }
            let (letter, grave, buried) = match self.next().await {
                Ok(Some(next)) => next,
                Ok(None) => break self.queue.settled().await.err(),
                Err(fault) => break Some(fault),
            };
            if !selection.takes(&letter) {
                continue;
            }
            missing.remove(&letter.id);
            match self.put_back(&grave, buried, outbox, own_user).await {
                Ok(None) => {
                    done.moved.push(letter);
                    self.held -= 1;
                }
                Ok(Some(why)) => done.stayed.push((letter, why)),
                Err(fault) => break Some(fault.into()),
            }
        };
        done.pass = self.pass(stopped, missing);
        done
    }

    /// Takes letters that are to be dropped, and holds them until somebody has been told.
    pub async fn take(&mut self, selection: &Selection) -> Taken {
        let mut taken = Taken::default();
        let mut missing = selection.ids.clone();
        let stopped = loop {
            if taken.letters.len() >= selection.max || all_met(selection, &missing) {
                break None;
            }
            match self.next().await {
                Ok(Some((letter, _, buried))) if selection.takes(&letter) => {
                    missing.remove(&letter.id);
                    taken.letters.push(letter);
                    taken.ackers.push(buried.acker);
                }
                Ok(Some(_)) => {}
                Ok(None) => break None,
                Err(fault) => break Some(fault),
            }
        };
        taken.pass = self.pass(stopped, missing);
        taken
    }

    /// Drops what was taken.
    pub async fn drop_for_good(&mut self, taken: Taken) -> Result<(), DeadFault> {
        let mut ackers = taken.ackers.into_iter();
        while ackers.len() > 0 {
            for acker in ackers.by_ref().take(ACKS_AT_ONCE) {
                acknowledged(acker.ack().await)?;
            }
            self.queue.settled().await?;
        }
        Ok(())
    }

    /// The next letter, if one more may be held.
    async fn next(&mut self) -> Result<Option<(Letter, Grave, Buried)>, DeadFault> {
        if self.held >= HELD_MAX {
            return Ok(None);
        }
        let Some(buried) = self.queue.next().await? else { return Ok(None) };
        self.looked += 1;
        self.held += 1;
        (self.heard)(self.looked, self.queue.count());
        let grave = grave::read(&buried.properties, |queue| self.addresses.home(queue));
        let letter = Letter {
            id: LetterId::of(&buried, &grave, self.key),
            cause: grave.cause,
            queue: grave.home.map(|home| self.addresses.of_home(home).to_owned()),
            at: grave.at,
            detail: grave.detail.clone().or_else(|| (!buried.as_published).then(|| NOT_UTF_8.to_owned())),
            bytes: buried.body.len(),
        };
        Ok(Some((letter, grave, buried)))
    }

    /// Publishes one original, confirmed, then takes its letter out. Answers why it has to stay, if it has.
    async fn put_back(
        &self,
        grave: &Grave,
        buried: Buried,
        outbox: &dyn Outbox,
        own_user: &str,
    ) -> Result<Option<&'static str>, BrokerFault> {
        let Some(home) = grave.home else {
            return Ok(Some("nothing says for certain which queue it came from: publish it again yourself"));
        };
        if grave.cause == Cause::Fault(DeadReason::NoIdentifier) {
            // Its request is in review, and a worker would take it for a duplicate: the body would be gone.
            return Ok(Some("it is all that is known of the person: publish a new event, then drop it"));
        }
        if !buried.as_published {
            return Ok(Some("its properties are not UTF-8: its publisher must send it again, then drop it"));
        }
        let exchange = match home {
            Home::Jobs | Home::Waiting => &self.addresses.jobs,
            Home::OptOuts => &self.addresses.opt_outs,
        };
        let Buried { routing_key, properties, body, acker, .. } = buried;
        let (routing_key, properties) = grave::leave_dead(properties, routing_key, grave, own_user);
        let original = Outgoing { exchange: exchange.clone(), routing_key, properties, body };
        if publish(outbox, &original).await? == Delivered::TooLarge {
            return Ok(Some("RabbitMQ takes no message of its size (max_message_size)"));
        }
        die_at(FailPoint::DieAfterRedrive);
        acknowledged(acker.ack().await)?;
        Ok(None)
    }

    fn pass(&self, stopped: Option<DeadFault>, missing: BTreeSet<LetterId>) -> Pass {
        Pass { of: self.queue.count(), looked: self.looked, stopped, missing }
    }
}

/// Whether those that somebody named were all met.
fn all_met(selection: &Selection, missing: &BTreeSet<LetterId>) -> bool {
    missing.is_empty() && !selection.ids.is_empty()
}

/// Publishes until RabbitMQ answers for it, but not for ever.
async fn publish(outbox: &dyn Outbox, original: &Outgoing) -> Result<Delivered, BrokerFault> {
    let deadline = Instant::now() + PUBLISH_PATIENCE;
    loop {
        let fault = match outbox.publish(original).await {
            Ok(Delivered::Returned) => {
                BrokerFault::new(format!("no queue is bound to exchange {}", original.exchange))
            }
            Ok(delivered) => return Ok(delivered),
            Err(fault) => fault,
        };
        if Instant::now() + PUBLISH_RETRY >= deadline {
            return Err(fault);
        }
        sleep(PUBLISH_RETRY).await;
    }
}

fn acknowledged(acked: bool) -> Result<(), BrokerFault> {
    let lost =
        "the session ended before the dead queue was told: a letter that was moved may still be there, too";
    if acked { Ok(()) } else { Err(BrokerFault::new(lost)) }
}

#[cfg(test)]
mod tests;
