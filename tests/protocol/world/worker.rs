//! One worker, made of the real parts over its own ways to the servers.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use suppressd::codec::job::JobLimits;
use suppressd::domain::calendar::Calendar;
use suppressd::domain::digest::{HashKey, KeyRing};
use suppressd::domain::event::{SourceClock, SourcePolicy};
use suppressd::domain::identifier::Country;
use suppressd::domain::record::WorkerId;
use suppressd::domain::words::EventKind;
use suppressd::service::accept_event::{EventDesk, Rules};
use suppressd::service::alarms::Alarms;
use suppressd::service::apply_ledger::{Applier, LedgerState};
use suppressd::service::campaigns::CampaignDesk;
use suppressd::service::filter_job::{JobDesk, Origin};
use suppressd::service::follow_feed::{Follower, SharedMirror, mirror};
use suppressd::service::gate::{Gate, Gatekeeper, Glance, Watched};
use suppressd::service::health::Health;
use suppressd::service::message::Properties;
use suppressd::service::ports::{Incoming, Input, Ledger, List};
use suppressd::service::post::{Addresses, Post};
use suppressd::service::quarantine::Quarantine;
use suppressd::service::traces::Traces;
use suppressd::service::watch_deadlines::{DeadlineAlarms, InFlight, Watcher};
use suppressd::service::{random, retry_waiting};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;

use super::{
    CATALOGUE, Delivery, KEYS, METRICS, Person, What, World, event_body, event_with, job_body, soon,
};
use crate::fakes::outside::{FILTERED, NoSuspects, OnAck, Room, Sender, WAITING};
use crate::fakes::redis_link::RedisLink;
use crate::fakes::steps::Steps;
use crate::fakes::stream::Broker;

/// What a worker has of its own.
#[derive(Clone)]
pub(crate) struct Setup {
    /// Its clock minus everybody's.
    pub ahead_ms: i64,
    pub keys: Arc<KeyRing>,
    /// How many versions of the fold it is ahead of ours.
    pub newer: u32,
}

impl Default for Setup {
    fn default() -> Self {
        Self { ahead_ms: 0, keys: KEYS.clone(), newer: 0 }
    }
}

/// A running worker. Dropped, it has crashed: what it held comes again only if a test says so.
pub(crate) struct Worker {
    pub id: WorkerId,
    /// Where its calls can be stopped.
    pub steps: Steps,
    pub redis: Arc<RedisLink>,
    pub broker: Arc<Broker>,
    pub gate: Gate,
    pub mirror: SharedMirror,
    pub ledger_state: watch::Receiver<LedgerState>,
    events: Arc<EventDesk>,
    jobs: Arc<JobDesk>,
    tasks: Mutex<JoinSet<()>>,
}

impl Worker {
    pub(super) fn start(world: &World, setup: &Setup) -> Self {
        let (id, steps) = (random::worker_id(), Steps::default());
        let clock = Arc::new(world.clock.ahead(setup.ahead_ms));
        let link = RedisLink::new(world.redis.clone(), world.clock, steps.clone());
        let redis = Arc::new(link.newer(setup.newer));
        let broker = Broker::new(world.stream.clone(), steps.clone()).through(world.lens());
        let broker = Arc::new(broker);
        let list: Arc<dyn List> = redis.clone();
        let ledger: Arc<dyn Ledger> = broker.clone();
        let keys: BTreeSet<_> = setup.keys.keys().iter().map(HashKey::check).collect();
        let nudge = Arc::new(Notify::new());
        let (state, ledger_state) = watch::channel(LedgerState::default());
        let (mirror, mirror_keeper) = mirror();
        let watched = Watched {
            veto: watch::channel(None).1,
            mirror: mirror.shown(),
            ledger: ledger_state.clone(),
            nudge: nudge.clone(),
        };
        let (gate, keeper) = Gatekeeper::new(list.clone(), ledger.clone(), clock.clone(), id, keys, watched);
        let follower = Follower::new(list.clone(), &gate, mirror_keeper);
        let applier = Applier::new(list, ledger.clone(), id, gate.glance(), nudge.clone(), state);
        let outbox = Arc::new(Sender { mail: world.mail.clone(), steps: steps.clone(), clock: *clock });
        let post = Post::new(outbox, clock.clone(), addresses());
        let alarms = Alarms::new(post.clone(), clock.clone(), METRICS.clone());
        let waiting_alarms = alarms.clone();
        let late = DeadlineAlarms::new(redis.clone(), alarms.clone());
        let in_flight = InFlight::default();
        let watcher = Watcher {
            requests: redis.clone(),
            in_flight: in_flight.clone(),
            alarms: late.clone(),
            metrics: METRICS.clone(),
            seen: watch::channel(None).0,
            health: Health::default(),
            clock: clock.clone(),
            soon: Duration::from_hours(4),
        };
        let watch = watcher.run(gate.glance());
        let quarantine = Quarantine::new(Arc::new(NoSuspects), setup.keys.clone());
        let jobs = Arc::new(JobDesk {
            gate: gate.clone(),
            mirror: mirror.clone(),
            post: post.clone(),
            campaigns: CampaignDesk {
                campaigns: redis.clone(),
                post: post.clone(),
                kept: Duration::from_hours(24),
                metrics: METRICS.clone(),
            },
            alarms: alarms.clone(),
            clock: clock.clone(),
            keys: setup.keys.clone(),
            catalogue: CATALOGUE.clone(),
            country: country(),
            limits: JobLimits::default(),
            exempt_publishers: BTreeSet::new(),
            body_budget: Arc::new(Semaphore::new(64 << 20)),
            quarantine: quarantine.clone(),
            traces: Traces::off(),
            metrics: METRICS.clone(),
        });
        let events = Arc::new(EventDesk {
            gate: gate.clone(),
            mirror: mirror.clone(),
            ledger,
            ledger_state: ledger_state.clone(),
            nudge,
            post,
            alarms,
            late,
            in_flight,
            clock,
            keys: setup.keys.clone(),
            rules: rules(),
            quarantine,
            traces: Traces::off(),
            metrics: METRICS.clone(),
        });
        let room = Arc::new(Room(world.mail.clone()));
        let waiting =
            retry_waiting::run(room, jobs.clone(), waiting_alarms, METRICS.clone(), Health::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // It ends with the gate.
            let _ = waiting.await;
        });
        tasks.spawn(keeper.run());
        tasks.spawn(follower.run());
        tasks.spawn(applier.run());
        tasks.spawn(watch);
        tasks.spawn(world.listen(gate.glance()));
        let tasks = Mutex::new(tasks);
        Self { id, steps, redis, broker, gate, mirror, ledger_state, events, jobs, tasks }
    }

    /// Waits until it would take deliveries.
    pub(crate) async fn ready(&self) {
        let mut glance = self.gate.glance();
        soon("the gate opens", glance.wait_for(|glance| glance.open)).await.unwrap();
        let mut shown = self.mirror.shown();
        soon("the mirror is live", shown.wait_for(|shown| shown.list.is_some())).await.unwrap();
    }

    /// What its newest barrier showed.
    pub(crate) fn glance(&self) -> Glance {
        self.gate.glance().borrow().clone()
    }

    /// Where its mirror is.
    pub(crate) fn mirrored(&self) -> u64 {
        self.mirror.shown().borrow().position
    }

    /// What it found missing from the list, and how often.
    pub(crate) fn missed(&self) -> Option<(u64, &'static str)> {
        self.ledger_state.borrow().missed
    }

    /// It is delivered a new opt-out.
    pub(crate) fn opt_out(&self, world: &World, person: Person) -> Delivery {
        let name = world.name("e");
        let body = event_body(&name, EventKind::OptOut, person);
        world.promises.lock().unwrap().events.insert(name.clone(), person);
        self.deliver(world, body, What::OptOut(Some((name, person))), false)
    }

    /// It is delivered an event with these members besides what every event has.
    pub(crate) fn event(&self, world: &World, id: &str, members: &Value) -> Delivery {
        let body = event_with(id, members);
        self.deliver(world, body, What::OptOut(None), false)
    }

    /// It is delivered an opt-out of this name.
    pub(crate) fn opt_out_named(&self, world: &World, name: &str, person: Person) -> Delivery {
        let body = event_body(name, EventKind::OptOut, person);
        self.deliver(world, body, What::OptOut(None), false)
    }

    /// It is delivered that somebody wants to be written to, said before anybody's opt-out.
    pub(crate) fn opt_in(&self, world: &World, person: Person) -> Delivery {
        let body = json!({
            "event_id": world.name("in"), "source": "call_center", "kind": "opt_in",
            "occurred_at": "2026-10-31T10:15:00+05:00", "subject": {"user_id": person.name()}
        });
        self.deliver(world, body.to_string().into_bytes(), What::OptOut(None), false)
    }

    /// It is delivered what another worker held when it crashed.
    pub(crate) fn again(&self, world: &World, delivery: &Delivery) -> Delivery {
        self.deliver(world, delivery.body.clone(), delivery.what.clone(), true)
    }

    /// It is delivered a job for these people.
    pub(crate) fn job(&self, world: &World, people: &[Person]) -> Delivery {
        self.job_with(world, people, None)
    }

    /// It is delivered a job for these people that is this part of a campaign.
    pub(crate) fn part(&self, world: &World, people: &[Person], part: (u32, u32)) -> Delivery {
        self.job_with(world, people, Some(part))
    }

    fn job_with(&self, world: &World, people: &[Person], part: Option<(u32, u32)>) -> Delivery {
        let name = world.name("j");
        let body = job_body(&name, people, part);
        let mut promises = world.promises.lock().unwrap();
        let must = promises.acknowledged.keys().copied().collect();
        promises.jobs.insert(name.clone(), must);
        drop(promises);
        self.deliver(world, body, What::Job(name), false)
    }

    fn deliver(&self, world: &World, body: Vec<u8>, what: What, redelivered: bool) -> Delivery {
        let (settled, acked) = watch::channel(false);
        let alive = Arc::new(AtomicBool::new(true));
        let (promises, promised) = (world.promises.clone(), what.clone());
        let (mail, since) = (world.mail.clone(), world.mail.len());
        let on_ack = move || {
            promises.lock().unwrap().settle(&promised, &mail.all(), since);
            settled.send_replace(true);
        };
        let mut incoming = incoming(body.clone(), redelivered, on_ack, alive.clone());
        let (jobs, events) = (self.jobs.clone(), self.events.clone());
        let is_job = matches!(what, What::Job(_));
        incoming.input = if is_job { Input::Jobs } else { Input::OptOuts };
        // Closed: the worker is stopping.
        self.tasks.lock().unwrap().spawn(async move {
            if is_job {
                let _ = jobs.filter(incoming, Origin::Jobs).await;
            } else {
                let _ = events.accept(incoming).await;
            }
        });
        Delivery { acked, alive, body, mail: world.mail.clone(), what }
    }
}

fn incoming(
    body: Vec<u8>,
    redelivered: bool,
    on_ack: impl FnOnce() + Send + 'static,
    alive: Arc<AtomicBool>,
) -> Incoming {
    Incoming {
        input: Input::Jobs,
        exchange: "in".into(),
        routing_key: "key".into(),
        properties: Properties::default(),
        body,
        redelivered,
        delivery_count: u64::from(redelivered),
        acker: Box::new(OnAck { act: Mutex::new(Some(Box::new(on_ack))), alive }),
    }
}

fn country() -> Country {
    Country::parse("KZ").unwrap()
}

fn addresses() -> Addresses {
    Addresses {
        filtered: FILTERED.into(),
        events: "events".into(),
        dead: "dead".into(),
        waiting: WAITING.into(),
        jobs: "jobs".into(),
        opt_outs: "opt-outs".into(),
    }
}

fn rules() -> Rules {
    let source = |clock| SourcePolicy { may: EventKind::ALL.iter().copied().collect(), users: None, clock };
    let seconds = Duration::from_secs;
    Rules {
        sources: [
            ("call_center".to_owned(), source(SourceClock::Received)),
            // A request of its own may be overdue as soon as it is opened.
            ("email".to_owned(), source(SourceClock::OccurredAt)),
        ]
        .into(),
        catalogue: CATALOGUE.clone(),
        calendar: Arc::new(Calendar::none()),
        country: country(),
        event_bytes_max: 1 << 16,
        future_max: seconds(300),
        clock_skew_max: seconds(60),
    }
}
