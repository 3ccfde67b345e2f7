//! The worker's life: build, announce, work, drain.
//!
//! It stops in two steps. At the first signal it takes nothing more and finishes what it holds, within the
//! grace period; at the second it ends at once. What is not settled by then stays with RabbitMQ and comes
//! again: nothing is lost either way.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::core::{Core, addresses, country};
use super::traces::Tracing;
use super::{Stop, mailbox, watch, who};
use crate::admin;
use crate::amqp::{Deliveries, Inputs};
use crate::codec::job::JobLimits;
use crate::codec::record;
use crate::domain::calendar::Calendar;
use crate::domain::catalogue::Catalogue;
use crate::domain::digest::{HashKey, KeyCheck};
use crate::domain::event::SourcePolicy;
use crate::domain::record::{Entry, Record};
use crate::metrics::Metrics;
use crate::service::accept_event::{EventDesk, Rules};
use crate::service::alarms::Alarms;
use crate::service::campaigns::CampaignDesk;
use crate::service::filter_job::{JobDesk, Origin};
use crate::service::health::{Health, Warning};
use crate::service::ports::{Incoming, Ledger};
use crate::service::post::Post;
use crate::service::quarantine::Quarantine;
use crate::service::read_mailbox::MailDesk;
use crate::service::status::{self, Board};
use crate::service::traces::Traces;
use crate::service::watch_deadlines::{self, DeadlineAlarms, InFlight, Seen};
use crate::service::{random, retry_waiting};
use crate::settings::{Settings, Source};

/// Between looks whether the keys are registered.
const KEYS_RETRY: Duration = Duration::from_secs(5);

/// What a running worker is made of.
struct Worker {
    core: Core,
    metrics: Arc<Metrics>,
    health: Health,
    alarms: Alarms,
    /// What the status page shows.
    board: Board,
    jobs: Arc<JobDesk>,
    events: Arc<EventDesk>,
    /// The mailbox, if there is one.
    mail: Option<Arc<MailDesk>>,
    /// How long deliveries may be held that cannot be worked on.
    hold_max: Duration,
    /// Handlers of deliveries.
    handlers: TaskTracker,
    /// Ends the handlers.
    hard: CancellationToken,
    /// A handler failed in a way that it must not.
    broken: mpsc::Sender<()>,
}

/// Works until it is told to stop.
pub async fn run(settings: Settings) -> Result<(), Stop> {
    let mut signals = Signals::new()?;
    let metrics = Arc::new(Metrics::new(&settings.catalogue, settings.sources.keys()));
    let health = Health::default();
    let listener = TcpListener::bind(settings.admin.listen).await.map_err(|error| {
        Stop::Configuration(format!("admin.listen: {} cannot be used: {error}", settings.admin.listen))
    })?;
    tracing::info!(address = ?listener.local_addr().ok(), "the status page, /runbook, /metrics, /live and /ready are served");
    if !settings.warnings.is_empty() {
        health.warn(Warning::Configuration, Some(settings.warnings.join("; ")));
    }
    let (core, inputs) = Core::start(&settings)?;
    let tracing = Tracing::start(&settings, &core, &metrics)?;
    let (broken, mut breakage) = mpsc::channel(1);
    let grace = settings.shutdown.grace;
    let worker = Worker::new(settings, core, metrics, health, tracing.traces.clone(), broken)?;
    let admin_stop = CancellationToken::new();
    let admin = TaskTracker::new();
    admin.spawn(admin::serve(listener, worker.board.clone(), admin_stop.clone()));
    notify(&[NotifyState::Ready, NotifyState::Status("waiting for RabbitMQ and Redis")]);

    let ended = tokio::select! {
        stop = worker.work(inputs) => stop,
        () = signals.next() => Ok(()),
        _ = breakage.recv() => Err(Stop::Internal("a handler panicked; what it held comes again".into())),
    };
    notify(&[NotifyState::Stopping]);
    if ended.is_ok() {
        tracing::info!(grace = ?grace, "stopping: nothing more is taken, what is held is finished");
    }
    tokio::select! {
        () = worker.drain(grace) => {}
        () = signals.next() => {
            tracing::warn!("ended at once by a second signal; what was not settled comes again");
            return Err(Stop::Internal("ended at once by a second signal".into()));
        }
    }
    tracing.end().await;
    admin_stop.cancel();
    admin.close();
    admin.wait().await;
    tracing::info!("stopped");
    ended
}

impl Worker {
    fn new(
        settings: Settings,
        core: Core,
        metrics: Arc<Metrics>,
        health: Health,
        traces: Traces,
        broken: mpsc::Sender<()>,
    ) -> Result<Self, Stop> {
        let country = country(&settings)?;
        let addresses = addresses(core.broker.names());
        let post = Post::new(Arc::new(core.broker.clone()), core.clock.clone(), addresses);
        let alarms = Alarms::new(post.clone(), core.clock.clone(), metrics.clone());
        let shared =
            mailbox::Shared { core: &core, post: &post, alarms: &alarms, health: &health, metrics: &metrics };
        let mail = mailbox::desk(&settings, &shared)?;
        let late = DeadlineAlarms::new(core.list.clone(), alarms.clone());
        let in_flight = InFlight::default();
        let keys = Arc::new(settings.hashing.key_ring);
        let catalogue = Arc::new(settings.catalogue);
        let calendar = settings.deadlines.calendar;
        let quarantine = Quarantine::new(core.list.clone(), keys.clone());
        let limits = &settings.limits;
        let jobs = Arc::new(JobDesk {
            gate: core.gate.clone(),
            mirror: core.mirror.clone(),
            post: post.clone(),
            campaigns: CampaignDesk {
                campaigns: core.list.clone(),
                post: post.clone(),
                kept: limits.campaign_kept,
                metrics: metrics.clone(),
            },
            alarms: alarms.clone(),
            clock: core.clock.clone(),
            keys: keys.clone(),
            catalogue: catalogue.clone(),
            country: country.clone(),
            limits: JobLimits {
                unpacked_bytes_max: limits.job_bytes_max,
                recipients_max: limits.job_recipients_max,
                segments_max: limits.job_segments_max,
            },
            exempt_publishers: settings.policy.exempt_publishers.iter().cloned().collect(),
            body_budget: Arc::new(Semaphore::new(limits.body_budget_bytes)),
            quarantine: quarantine.clone(),
            traces: traces.clone(),
            metrics: metrics.clone(),
        });
        let events = Arc::new(EventDesk {
            gate: core.gate.clone(),
            mirror: core.mirror.clone(),
            ledger: Arc::new(core.broker.clone()),
            ledger_state: core.ledger_state.clone(),
            nudge: core.nudge.clone(),
            post,
            alarms: alarms.clone(),
            late: late.clone(),
            in_flight: in_flight.clone(),
            clock: core.clock.clone(),
            keys,
            rules: Rules {
                sources: policies(settings.sources),
                catalogue: catalogue.clone(),
                calendar: calendar.clone(),
                country,
                event_bytes_max: limits.event_bytes_max,
                future_max: limits.future_max,
                clock_skew_max: limits.clock_skew_max,
            },
            quarantine,
            traces,
            metrics: metrics.clone(),
        });
        let (handlers, hard) = (TaskTracker::new(), CancellationToken::new());
        let (seen, requests) = tokio::sync::watch::channel(None);
        let board = board(&core, catalogue, &calendar, &metrics, &health, requests);
        core.spawn(board.clone().keep());
        watch::start(&core, &health, &metrics, &alarms, limits.clock_skew_max, calendar);
        let deadlines = watch_deadlines::Watcher {
            requests: core.list.clone(),
            in_flight,
            alarms: late,
            metrics: metrics.clone(),
            seen,
            health: health.clone(),
            clock: core.clock.clone(),
            soon: settings.deadlines.soon,
        };
        core.spawn(deadlines.run(core.gate.glance()));
        let hold_max = limits.hold_max;
        Ok(Self {
            core,
            metrics,
            health,
            alarms,
            board,
            jobs,
            events,
            mail,
            hold_max,
            handlers,
            hard,
            broken,
        })
    }

    /// Takes deliveries once the list is proven, until the broker is halted. Returns only on what somebody
    /// must mend.
    async fn work(&self, inputs: Inputs) -> Result<(), Stop> {
        self.core.ready(None).await?;
        self.register_keys().await;
        notify(&[NotifyState::Status("working")]);
        watch::consume(&self.core, &self.health, self.hold_max, self.events.rules.clock_skew_max);
        let waiting = retry_waiting::run(
            Arc::new(self.core.broker.clone()),
            self.jobs.clone(),
            self.alarms.clone(),
            self.metrics.clone(),
            self.health.clone(),
        );
        self.core.spawn(async move {
            // It ends only with the gate, and so does the worker.
            let _ = waiting.await;
        });
        if let Some(desk) = &self.mail {
            mailbox::start(&self.core, &self.health, desk.clone());
        }
        let (jobs, events) = (self.jobs.clone(), self.events.clone());
        let take_jobs = self.take(inputs.jobs, move |job| {
            let jobs = jobs.clone();
            // Closed: the worker is stopping, and the delivery comes again.
            async move {
                let _ = jobs.filter(job, Origin::Jobs).await;
            }
        });
        let take_events = self.take(inputs.opt_outs, move |event| {
            let events = events.clone();
            async move {
                let _ = events.accept(event).await;
            }
        });
        tokio::join!(take_jobs, take_events);
        Ok(())
    }

    /// One task a delivery; how many there are at once is the prefetch.
    async fn take<F>(&self, mut deliveries: Deliveries, handle: impl Fn(Incoming) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        while let Some(incoming) = deliveries.next().await {
            let handler = AssertUnwindSafe(handle(incoming)).catch_unwind();
            let (hard, broken) = (self.hard.clone(), self.broken.clone());
            self.handlers.spawn(async move {
                if let Some(Err(_)) = hard.run_until_cancelled(handler).await {
                    // A full channel has been told already.
                    let _ = broken.try_send(());
                }
            });
        }
    }

    /// Every key of this worker must be known to the ledger before it writes under it. One that was retired stays so.
    async fn register_keys(&self) {
        let mut glance = self.core.gate.glance();
        for key in glance.borrow().retired.iter().filter(|key| self.has_key(**key)) {
            tracing::warn!(%key, "a key is retired, and nothing depends on it: take its file out of hashing.key_files");
        }
        loop {
            let (needed, retired) = {
                let glance = glance.borrow_and_update();
                (glance.keys.clone(), glance.retired.clone())
            };
            let keys = self.events.keys.keys().iter().map(HashKey::check);
            let unknown: Vec<_> =
                keys.filter(|key| !needed.contains(key) && !retired.contains(key)).collect();
            if unknown.is_empty() {
                return;
            }
            for key in &unknown {
                let entry = Entry { id: random::record_id(), record: Record::KeyAdded { key: *key } };
                match self.core.broker.append(record::write(&entry)).await {
                    Ok(()) => tracing::info!(%key, "a new key is registered"),
                    Err(fault) => tracing::warn!(%fault, "a new key cannot be registered yet"),
                }
            }
            let registered = glance.wait_for(|glance| unknown.iter().all(|key| glance.keys.contains(key)));
            // Appended again if it does not come back: twice is harmless.
            let _ = timeout(KEYS_RETRY, registered).await;
        }
    }

    fn has_key(&self, key: KeyCheck) -> bool {
        self.events.keys.keys().iter().any(|ours| ours.check() == key)
    }

    /// Takes nothing more, finishes what it holds, closes everything: within the grace period.
    async fn drain(&self, grace: Duration) {
        self.core.broker.halt();
        self.handlers.close();
        if timeout(grace, self.handlers.wait()).await.is_err() {
            let left = self.handlers.len();
            tracing::warn!(left, "the grace period is over; what was not settled comes again");
        }
        self.hard.cancel();
        self.core.shutdown().await;
    }
}

/// Who may say what.
fn policies(sources: BTreeMap<String, Source>) -> BTreeMap<String, SourcePolicy> {
    let policy = |source: Source| SourcePolicy { may: source.may, users: source.users, clock: source.clock };
    sources.into_iter().map(|(name, source)| (name, policy(source))).collect()
}

/// What the status page shows of this worker.
fn board(
    core: &Core,
    catalogue: Arc<Catalogue>,
    calendar: &Calendar,
    metrics: &Arc<Metrics>,
    health: &Health,
    requests: tokio::sync::watch::Receiver<Option<Seen>>,
) -> Board {
    Board::new(status::Parts {
        process: who::process(core.clock.now()),
        catalogue,
        zone: calendar.zone().clone(),
        metrics: metrics.clone(),
        health: health.clone(),
        requests,
        clock: core.clock.clone(),
    })
}

/// SIGTERM and SIGINT.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self, Stop> {
        let listen = |kind| signal(kind).map_err(|error| Stop::Internal(format!("signals: {error}")));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Tells the service manager, if there is one.
fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager was not told");
    }
}
