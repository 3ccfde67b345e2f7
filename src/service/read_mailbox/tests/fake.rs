//! A mailbox, a list and a broker in memory, in which a worker can die before or after every step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;

use super::super::*;
use crate::domain::catalogue::Catalogue;
use crate::domain::mail::reading::{Narrowed, Outcome, Subject};
use crate::service::message::Outgoing;
use crate::service::ports::{BrokerFault, Delivered, FolderAbout, ListFault, Mark, Outbox};
use crate::service::post::Addresses;

/// One mail in the fake: what it says, and how it is marked.
#[derive(Clone, Default)]
pub(super) struct Letter {
    pub(super) text: String,
    pub(super) done: bool,
    pub(super) person: bool,
}

/// One folder.
#[derive(Clone)]
pub(super) struct Shelf {
    pub(super) uid_validity: u32,
    pub(super) keeps_marks: bool,
    /// What the server says to a mark.
    pub(super) full: bool,
    pub(super) mails: BTreeMap<u32, Letter>,
}

/// Everything outside of the desk.
pub(super) struct World {
    pub(super) shelves: BTreeMap<String, Shelf>,
    /// The bodies that were published to the exchange of opt-outs.
    pub(super) published: Vec<Vec<u8>>,
    pub(super) alarms: Vec<String>,
    pub(super) known: BTreeSet<EventKey>,
    /// Whether the list learns of an event at once, or only after the test.
    pub(super) learns: bool,
    pub(super) moves: bool,
    /// UIDs that break the connection, and how often they still do.
    pub(super) breaks: BTreeMap<u32, u32>,
    pub(super) turn: Result<bool, ListFault>,
    /// Faults that opening answers with, first the last.
    pub(super) faults: Vec<MailFault>,
    pub(super) opened: usize,
    pub(super) fetched: usize,
    /// Folders that are open, and those of them that wait for news.
    open: BTreeSet<String>,
    waiting: BTreeSet<String>,
    steps: usize,
    dies_at: usize,
}

/// Shared by all fakes.
#[derive(Clone)]
pub(super) struct Outside {
    world: Arc<Mutex<World>>,
    died: Arc<Notify>,
    idle: Arc<Notify>,
    pub(super) health: Health,
    pub(super) metrics: Arc<Metrics>,
}

impl Outside {
    /// An inbox and a junk folder with these mails.
    pub(super) fn with(inbox: &[&str], junk: &[&str]) -> Self {
        let shelf = |texts: &[&str]| Shelf {
            uid_validity: 1,
            keeps_marks: true,
            full: false,
            mails: (1..)
                .zip(texts)
                .map(|(uid, text)| (uid, Letter { text: (*text).into(), ..Letter::default() }))
                .collect(),
        };
        let shelves = [("INBOX", shelf(inbox)), ("Junk", shelf(junk))];
        let world = World {
            shelves: shelves.into_iter().map(|(name, shelf)| (name.to_owned(), shelf)).collect(),
            published: vec![],
            alarms: vec![],
            known: BTreeSet::new(),
            learns: true,
            moves: true,
            breaks: BTreeMap::new(),
            turn: Ok(true),
            faults: vec![],
            opened: 0,
            fetched: 0,
            open: BTreeSet::new(),
            waiting: BTreeSet::new(),
            steps: 0,
            dies_at: usize::MAX,
        };
        Self {
            world: Arc::new(Mutex::new(world)),
            died: Arc::default(),
            idle: Arc::default(),
            health: Health::default(),
            metrics: Arc::new(Metrics::new(&Catalogue::new(vec![], vec![]), ["email"])),
        }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// A worker that has just started.
    pub(super) fn desk(&self) -> MailDesk {
        self.desk_with(|_| ())
    }

    pub(super) fn desk_with(&self, change: impl FnOnce(&mut Plan)) -> MailDesk {
        let outside = Arc::new(self.clone());
        let clock: Arc<dyn Clock> = outside.clone();
        let name = |name: &str| format!("suppressd.{name}");
        let addresses = Addresses {
            filtered: name("filtered"),
            events: name("events"),
            dead: name("dead"),
            waiting: name("waiting"),
            jobs: name("jobs"),
            opt_outs: name("opt-outs"),
        };
        let post = Post::new(outside.clone(), clock.clone(), addresses);
        let mut plan = Plan {
            folders: vec!["INBOX".into(), "Junk".into()],
            source: "email".into(),
            user: None,
            poll: Duration::from_mins(1),
            mail_bytes_max: 1000,
            move_to: None,
            review_to: None,
            forged_per_hour_max: 2,
        };
        change(&mut plan);
        let parts = Parts {
            mailbox: outside.clone(),
            turn: outside.clone(),
            known: outside.clone(),
            reader: Arc::new(read),
            alarms: Alarms::new(post.clone(), clock.clone(), self.metrics.clone()),
            post,
            clock,
            key: HashKey::from_file_text(&"0123456789abcdef".repeat(4)).unwrap(),
            worker: WorkerId([7; 16]),
            health: self.health.clone(),
            metrics: self.metrics.clone(),
        };
        MailDesk::new(parts, plan)
    }

    /// Runs a desk until it has nothing to do, or dies at this step. Answers whether it died.
    pub(super) async fn run(&self, desk: &MailDesk, dies_at: usize) -> bool {
        {
            let mut world = self.world();
            (world.steps, world.dies_at) = (0, dies_at);
        }
        tokio::select! {
            biased;
            () = self.died.notified() => true,
            () = self.idle.notified() => false,
            () = desk.run() => panic!("the desk ends with the worker alone"),
        }
    }

    /// Runs until nothing is left to do.
    pub(super) async fn settle(&self, desk: &MailDesk) {
        assert!(!self.run(desk, usize::MAX).await);
    }

    async fn step(&self) {
        let dies = {
            let mut world = self.world();
            world.steps += 1;
            world.steps == world.dies_at
        };
        if dies {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }

    pub(super) fn events(&self) -> Vec<Value> {
        self.world().published.iter().map(|body| serde_json::from_slice(body).unwrap()).collect()
    }
}

/// The tests' mails say what they ask for.
fn read(mail: &Mail) -> Read {
    let text = String::from_utf8(mail.bytes.clone()).unwrap();
    let (word, whom) = text.split_once(' ').unwrap_or((&text, ""));
    let emails = whom.split_whitespace().map(ToOwned::to_owned).collect();
    let subject = Subject { emails, phones: vec![] };
    let (outcome, rule) = match word {
        "optout" => (Outcome::OptOut { subject, scope: Narrowed::default() }, "opt_out.object"),
        "both" => (Outcome::OptOut { subject, scope: Narrowed::default() }, "opt_out.and_order"),
        "hold" => (Outcome::Hold { subject }, "hold.data"),
        "unsure" => (Outcome::Unsure { subject }, "unsure.word"),
        "forged" => (Outcome::Unsure { subject }, "unsure.authentication"),
        "review" => (Outcome::Review { subject }, "review.complaint"),
        "complaint" => (Outcome::Complaint { subject }, "complaint.arf"),
        "bounce" => (Outcome::Bounce { subject }, "bounce.hard"),
        "panic" => panic!("a mistake in the reader"),
        _ => (Outcome::Nothing, "nothing.order"),
    };
    Read { identity: mail.bytes.clone(), reading: Reading { outcome, rule, for_a_person: word == "both" } }
}

impl Clock for Outside {
    fn now(&self) -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }
}

#[async_trait]
impl MailTurn for Outside {
    async fn turn(&self, _: WorkerId) -> Result<bool, ListFault> {
        self.world().turn.clone()
    }
}

#[async_trait]
impl KnownEvents for Outside {
    async fn known(&self, event: EventKey) -> Result<bool, Closed> {
        self.step().await;
        Ok(self.world().known.contains(&event))
    }
}

#[async_trait]
impl Outbox for Outside {
    async fn publish(&self, message: &Outgoing) -> Result<Delivered, BrokerFault> {
        if message.exchange == "suppressd.events" {
            self.world().alarms.push(message.routing_key.clone());
            return Ok(Delivered::Returned);
        }
        assert_eq!(
            (message.exchange.as_str(), message.routing_key.as_str()),
            ("suppressd.opt-outs", "email")
        );
        self.step().await;
        {
            let mut world = self.world();
            let event: Value = serde_json::from_slice(&message.body).unwrap();
            world.published.push(message.body.clone());
            if world.learns {
                world.known.insert(EventKey::of("email", event["event_id"].as_str().unwrap()));
            }
        }
        self.step().await;
        Ok(Delivered::Confirmed)
    }
}

#[async_trait]
impl Mailbox for Outside {
    async fn open(&self, folder: &str) -> Result<Option<Box<dyn Folder>>, MailFault> {
        self.step().await;
        let mut world = self.world();
        world.opened += 1;
        if let Some(fault) = world.faults.pop() {
            return Err(fault);
        }
        let there = world.shelves.contains_key(folder);
        if there {
            world.open.insert(folder.to_owned());
        }
        Ok(there
            .then(|| Box::new(Open { outside: self.clone(), name: folder.to_owned() }) as Box<dyn Folder>))
    }
}

struct Open {
    outside: Outside,
    name: String,
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut world = self.outside.world();
        world.open.remove(&self.name);
        world.waiting.remove(&self.name);
    }
}

impl Open {
    fn shelf<T>(&self, look: impl FnOnce(&mut Shelf) -> T) -> T {
        look(self.outside.world().shelves.get_mut(&self.name).unwrap())
    }
}

#[async_trait]
impl Folder for Open {
    fn about(&self) -> FolderAbout {
        let moves = self.outside.world().moves;
        self.shelf(|shelf| FolderAbout {
            uid_validity: shelf.uid_validity,
            keeps_marks: shelf.keeps_marks,
            moves,
        })
    }

    async fn unhandled(&mut self, from: u32) -> Result<Vec<u32>, MailFault> {
        self.outside.step().await;
        Ok(self.shelf(|shelf| {
            let open = shelf.mails.range(from..).filter(|(_, mail)| !(shelf.keeps_marks && mail.done));
            open.map(|(uid, _)| *uid).take(2).collect()
        }))
    }

    async fn fetch(&mut self, uid: u32, bytes_max: usize) -> Result<Option<Mail>, MailFault> {
        self.outside.step().await;
        self.outside.world().fetched += 1;
        if let Some(left) = self.outside.world().breaks.get_mut(&uid).filter(|left| **left > 0) {
            *left -= 1;
            return Err(MailFault::new(MailFaultKind::Unreachable, "the connection broke"));
        }
        let arrived = if self.name == "INBOX" { "2026-11-22T09:00:00Z" } else { "2026-11-22T09:00:05Z" };
        Ok(self.shelf(|shelf| {
            let text = shelf.mails.get(&uid)?.text.as_bytes();
            let bytes = text[..text.len().min(bytes_max)].to_vec();
            Some(Mail { arrived: arrived.parse().unwrap(), whole: bytes.len() == text.len(), bytes })
        }))
    }

    async fn mark(&mut self, uid: u32, mark: Mark) -> Result<(), MailFault> {
        self.outside.step().await;
        let kept = self.shelf(|shelf| {
            if shelf.full {
                return Err(MailFault::new(MailFaultKind::Mark, "the mailbox is full"));
            }
            let mail = shelf.mails.get_mut(&uid).unwrap();
            mail.done |= mark.done && shelf.keeps_marks;
            mail.person |= mark.person;
            Ok(())
        });
        self.outside.step().await;
        kept
    }

    async fn move_to(&mut self, uid: u32, folder: &str) -> Result<(), MailFault> {
        self.outside.step().await;
        {
            let mail = self.shelf(|shelf| shelf.mails.remove(&uid)).unwrap();
            let mut world = self.outside.world();
            let Some(shelf) = world.shelves.get_mut(folder) else {
                world.shelves.get_mut(&self.name).unwrap().mails.insert(uid, mail);
                return Err(MailFault::new(MailFaultKind::Mark, "there is no such folder"));
            };
            let next = shelf.mails.keys().last().copied().unwrap_or_default() + 1;
            shelf.mails.insert(next, mail);
        }
        self.outside.step().await;
        Ok(())
    }

    async fn news(&mut self, patience: Duration) -> Result<(), MailFault> {
        let idle = {
            let mut world = self.outside.world();
            world.waiting.insert(self.name.clone());
            let read = ["INBOX", "Junk"].iter().filter_map(|name| world.shelves.get(*name));
            let done = read
                .filter(|shelf| shelf.keeps_marks && !shelf.full)
                .all(|shelf| shelf.mails.values().all(|mail| mail.done));
            done && world.open == world.waiting
        };
        if idle {
            self.outside.idle.notify_one();
        }
        sleep(patience).await;
        self.outside.world().waiting.remove(&self.name);
        Ok(())
    }
}
