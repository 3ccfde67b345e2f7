//! What every command on the live list stands on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Stop, mailbox, traces};
use crate::amqp::{Broker, BrokerSettings, Endpoint, Inputs, Names};
use crate::domain::digest::{HashKey, KeyCheck};
use crate::domain::identifier::Country;
use crate::domain::record::WorkerId;
use crate::service::apply_ledger::{Applier, LedgerState};
use crate::service::clock::{Clock, SystemClock};
use crate::service::follow_feed::{Follower, MirrorKeeper, SharedMirror, mirror};
use crate::service::gate::{Gate, Gatekeeper, Glance, Veto, Watched};
use crate::service::post::Addresses;
use crate::service::random;
use crate::settings::Settings;
use crate::store::{RedisConfig, RedisList, SentinelConfig};

/// How often Redis is asked whether it may evict keys.
const EVICTION_CHECK: Duration = Duration::from_secs(1);

/// Sessions, the ledger applied, the mirror followed, the list proven: all tasks of one worker but its work.
pub struct Core {
    /// RabbitMQ.
    pub broker: Broker,
    /// The list.
    pub list: Arc<RedisList>,
    /// The barrier.
    pub gate: Gate,
    /// The list in memory.
    pub mirror: SharedMirror,
    /// How the ledger is.
    pub ledger_state: watch::Receiver<LedgerState>,
    /// Tells the applier that a record does not come back.
    pub nudge: Arc<Notify>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// This run's name.
    pub worker: WorkerId,
    /// The mirror's other end, if nobody fills it.
    unfilled: Option<MirrorKeeper>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Core {
    /// Starts everything. Nothing is consumed yet.
    pub fn start(settings: &Settings) -> Result<(Self, Inputs), Stop> {
        let (mut core, inputs) = Self::without_mirror(settings)?;
        if let Some(keeper) = core.unfilled.take() {
            core.spawn(Follower::new(core.list.clone(), &core.gate, keeper).run());
        }
        Ok((core, inputs))
    }

    /// Starts everything but the mirror, for what asks about few people: the list is not loaded into memory.
    pub fn without_mirror(settings: &Settings) -> Result<(Self, Inputs), Stop> {
        let list = Arc::new(RedisList::new(&redis_config(settings)).map_err(configuration)?);
        let (broker, inputs) = Broker::start(broker_settings(settings)?);
        let worker = random::worker_id();
        let keys: BTreeSet<KeyCheck> = settings.hashing.key_ring.keys().iter().map(HashKey::check).collect();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let nudge = Arc::new(Notify::new());
        let (mirror, mirror_keeper) = mirror();
        let ledger_state =
            watch::Sender::new(LedgerState { why: "not read yet".into(), ..LedgerState::default() });
        let unasked = Veto { why: "not asked yet whether Redis may evict keys".into(), misconfigured: false };
        let veto = watch::Sender::new(Some(unasked));
        let watched = Watched {
            veto: veto.subscribe(),
            mirror: mirror.shown(),
            ledger: ledger_state.subscribe(),
            nudge: nudge.clone(),
        };
        let ledger = Arc::new(broker.clone());
        let (gate, keeper) =
            Gatekeeper::new(list.clone(), ledger.clone(), clock.clone(), worker, keys, watched);
        let glance = gate.glance();
        let core = Self {
            broker,
            gate,
            mirror,
            ledger_state: ledger_state.subscribe(),
            nudge: nudge.clone(),
            clock,
            worker,
            unfilled: Some(mirror_keeper),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            list: list.clone(),
        };
        let applier = Applier::new(list.clone(), ledger, worker, glance, nudge, ledger_state);
        core.spawn(keeper.run());
        core.spawn(applier.run());
        core.spawn(watch_eviction(list, veto));
        Ok((core, inputs))
    }

    /// Runs a task until the core ends.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            stop.run_until_cancelled(task).await;
        });
    }

    /// Waits until the list is proven whole and, if it is, mirrored. What somebody must mend ends it at once; an outage
    /// ends it after `patience`, if there is one.
    pub async fn ready(&self, patience: Option<Duration>) -> Result<(), Stop> {
        let deadline = patience.map(|patience| Instant::now() + patience);
        let (mut broker, mut glance) = (self.broker.state(), self.gate.glance());
        let (mut ledger, mut shown) = (self.ledger_state.clone(), self.mirror.shown());
        loop {
            mended_by_waiting(&ledger.borrow_and_update(), &glance.borrow_and_update())?;
            if let Some(fault) = broker.borrow_and_update().configuration_fault() {
                return Err(Stop::Configuration(fault.to_string()));
            }
            let mirrored = self.unfilled.is_some() || shown.borrow_and_update().list.is_some();
            let whole = glance.borrow().open && mirrored;
            if whole {
                return Ok(());
            }
            let changed = async {
                tokio::select! {
                    seen = broker.changed() => seen,
                    seen = glance.changed() => seen,
                    seen = ledger.changed() => seen,
                    seen = shown.changed() => seen,
                }
            };
            match deadline {
                None => drop(changed.await),
                Some(deadline) => drop(timeout_at(deadline, changed).await.map_err(|_| self.unavailable())?),
            }
        }
    }

    /// Why it is not ready, for an outage.
    fn unavailable(&self) -> Stop {
        let broker = self.broker.state().borrow().connected().err();
        let ledger = self.ledger_state.borrow().why.clone();
        let glance = self.gate.glance().borrow().why.clone();
        let why = [broker.unwrap_or_default(), ledger, glance].into_iter().find(|why| !why.is_empty());
        Stop::Unavailable(why.unwrap_or_else(|| "the list is not loaded in time".into()))
    }

    /// Ends every task and closes every session.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.broker.shutdown().await;
    }
}

/// Fails on what waiting does not help against.
fn mended_by_waiting(ledger: &LedgerState, glance: &Glance) -> Result<(), Stop> {
    if ledger.empty {
        return Err(Stop::Configuration(ledger.why.clone()));
    }
    if glance.misconfigured {
        return Err(Stop::Configuration(glance.why.clone()));
    }
    Ok(())
}

/// How to reach Redis.
pub(super) fn redis_config(settings: &Settings) -> RedisConfig {
    RedisConfig {
        url: settings.redis.url.reveal().to_owned(),
        sentinels: settings.redis.sentinels.as_ref().map(|sentinels| SentinelConfig {
            hosts: sentinels.hosts.clone(),
            primary: sentinels.primary.clone(),
            user: sentinels.user.clone(),
            password: sentinels.password.as_ref().map(|password| password.reveal().to_owned()),
        }),
        password: settings.redis.password.as_ref().map(|password| password.reveal().to_owned()),
        tls: settings.redis.tls.clone(),
        prefix: settings.redis.prefix.clone(),
        response_timeout: settings.redis.response_timeout,
        wait_replicas: settings.redis.wait_replicas.map(|replicas| replicas as usize),
    }
}

/// How to reach RabbitMQ.
pub(super) fn broker_settings(settings: &Settings) -> Result<BrokerSettings, Stop> {
    let amqp = &settings.amqp;
    let mut endpoint = Endpoint::parse(amqp.url.reveal()).map_err(configuration)?;
    endpoint.set_tls(&amqp.tls).map_err(configuration)?;
    endpoint.set_heartbeat(amqp.heartbeat);
    if let Some(password) = &amqp.password {
        endpoint.set_password(password.reveal());
    }
    let names = Names::new(&amqp.prefix)
        .ok_or_else(|| Stop::Configuration("amqp.prefix: cannot begin names of queues".into()))?;
    let mut broker = BrokerSettings::new(endpoint, names);
    broker.jobs_prefetch = amqp.jobs_prefetch;
    broker.opt_outs_prefetch = amqp.events_prefetch;
    broker.publishes_max = usize::from(amqp.publish_channels);
    broker.confirm_timeout = amqp.confirm_timeout;
    Ok(broker)
}

/// Where messages go.
pub(super) fn addresses(names: &Names) -> Addresses {
    Addresses {
        filtered: names.filtered.clone(),
        events: names.events.clone(),
        dead: names.dead.clone(),
        waiting: names.waiting.clone(),
        jobs: names.jobs.clone(),
        opt_outs: names.opt_outs.clone(),
    }
}

/// Who we are to RabbitMQ.
pub fn amqp_user(settings: &Settings) -> Result<String, Stop> {
    Ok(broker_settings(settings)?.endpoint.user().to_owned())
}

/// What the adapters and the domain would refuse, found without connecting to anything.
pub fn check(settings: &Settings) -> Result<(), Stop> {
    country(settings)?;
    broker_settings(settings)?;
    RedisList::new(&redis_config(settings)).map_err(configuration)?;
    traces::check(settings)?;
    mailbox::check(settings)
}

/// The country of numbers without a country code.
pub(super) fn country(settings: &Settings) -> Result<Country, Stop> {
    Country::parse(&settings.identifiers.default_country)
        .ok_or_else(|| configuration("identifiers.default_country: no numbering plan is known for it"))
}

pub(super) fn configuration(error: impl std::fmt::Display) -> Stop {
    Stop::Configuration(error.to_string())
}

/// Eviction loses opt-outs silently: as soon as it is possible, nothing is believed any more.
async fn watch_eviction(list: Arc<RedisList>, veto: watch::Sender<Option<Veto>>) {
    loop {
        // While Redis cannot be asked, no barrier succeeds either.
        if let Ok(answer) = list.eviction().await {
            let now = answer.err().map(|refused| Veto { why: refused.to_string(), misconfigured: true });
            veto.send_if_modified(|veto| {
                let another = *veto != now;
                *veto = now;
                another
            });
        }
        tokio::time::sleep(EVICTION_CHECK).await;
    }
}
