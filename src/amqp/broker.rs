//! The handle that the rest of the program holds: both links, over all their sessions.
//!
//! A call made while there is no session waits for the next one for a bounded time. The bound is short
//! on purpose: a job that was filtered too long ago must be filtered again, not sent late.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::consumer::{Inlet, Wanted};
use super::endpoint::Endpoint;
use super::fault::Fault;
use super::intake::Intake;
use super::names::Names;
use super::pace::{Pace, Paces, Suspect};
use super::publisher::{Patience, Publisher};
use super::state::{BrokerState, LinkState, StateCell};
use super::supervisor::Link;
use crate::service::message::Outgoing;
use crate::service::ports::{BrokerFault, Delivered, Incoming, Input, Outbox};

/// How RabbitMQ is used.
#[derive(Debug, Clone)]
pub struct BrokerSettings {
    /// Where it is.
    pub endpoint: Endpoint,
    /// The names of the objects.
    pub names: Names,
    /// By what RabbitMQ's own tools show the connections.
    pub connection_name: String,
    /// Jobs that may be unsettled at a time.
    pub jobs_prefetch: u16,
    /// Events that may be unsettled at a time.
    pub opt_outs_prefetch: u16,
    /// Messages that may be on their way out at a time; each has a channel.
    pub publishes_max: usize,
    /// How long a message may wait until it is handed to the broker. A large body gets a second more for
    /// each MiB.
    pub hand_over_timeout: Duration,
    /// How long the broker may take to confirm a message that it has.
    pub confirm_timeout: Duration,
}

impl BrokerSettings {
    /// The settings of an ordinary installation.
    pub fn new(endpoint: Endpoint, names: Names) -> Self {
        Self {
            endpoint,
            names,
            connection_name: "suppressd".into(),
            jobs_prefetch: 16,
            opt_outs_prefetch: 256,
            publishes_max: 64,
            hand_over_timeout: Duration::from_secs(5),
            confirm_timeout: Duration::from_secs(30),
        }
    }
}

/// RabbitMQ, for as long as the program runs. Cheap to clone.
#[derive(Clone)]
pub struct Broker(Arc<Shared>);

struct Shared {
    settings: BrokerSettings,
    names: Arc<Names>,
    intake: Link<Intake>,
    publisher: Link<Publisher>,
    jobs: Inlet,
    opt_outs: Inlet,
    suspect: Suspect,
    state: StateCell,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// The deliveries of both inputs.
pub struct Inputs {
    /// Campaign jobs.
    pub jobs: Deliveries,
    /// Events.
    pub opt_outs: Deliveries,
}

/// The deliveries of one input over all sessions.
pub struct Deliveries {
    incoming: mpsc::Receiver<Incoming>,
    wanted: watch::Receiver<Wanted>,
}

impl Deliveries {
    /// The next delivery that can still be settled. `None`: the broker was halted. Cancel-safe.
    pub async fn next(&mut self) -> Option<Incoming> {
        loop {
            let incoming = tokio::select! {
                biased;
                _ = self.wanted.wait_for(|wanted| *wanted == Wanted::Halted) => return None,
                incoming = self.incoming.recv() => incoming?,
            };
            // Those of a session that ended meanwhile come again.
            if incoming.acker.alive() {
                return Some(incoming);
            }
        }
    }
}

impl Broker {
    /// Starts to keep both links alive. Nothing is consumed before [`Broker::resume`].
    pub fn start(settings: BrokerSettings) -> (Self, Inputs) {
        let (jobs, jobs_out) = inlet(Input::Jobs, settings.jobs_prefetch);
        let (opt_outs, opt_outs_out) = inlet(Input::OptOuts, settings.opt_outs_prefetch);
        let broker = Self(Arc::new(Shared {
            names: Arc::new(settings.names.clone()),
            settings,
            intake: Link::new(),
            publisher: Link::new(),
            jobs,
            opt_outs,
            suspect: Suspect::new(),
            state: StateCell::new(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }));
        let tasks = &broker.0.tasks;
        tasks.spawn(broker.clone().keep_taking());
        tasks.spawn(broker.clone().keep_publishing());
        (broker, Inputs { jobs: jobs_out, opt_outs: opt_outs_out })
    }

    /// Waits until both links are up. What somebody must mend is reported at once, an outage after
    /// `within`; the links go on trying either way.
    pub async fn connected(&self, within: Duration) -> Result<(), Fault> {
        let mut state = self.state();
        let settled = |state: &BrokerState| {
            let up = |link: &LinkState| matches!(link, LinkState::Up { .. });
            (up(&state.intake) && up(&state.publish)) || state.fault().is_some_and(Fault::is_configuration)
        };
        // On a time-out the state as it is now is the answer.
        let _ = timeout(within, state.wait_for(settled)).await;
        let state = state.borrow();
        match state.fault() {
            Some(fault) => Err(fault.clone()),
            None if settled(&state) => Ok(()),
            None => Err(Fault::too_slow(&self.0.settings.endpoint, "connecting", within.as_secs())),
        }
    }

    /// The state, now and as it changes.
    pub fn state(&self) -> watch::Receiver<BrokerState> {
        self.0.state.watch()
    }

    /// The names of the objects.
    pub fn names(&self) -> &Names {
        &self.0.names
    }

    /// Takes an input's messages from now on, over all sessions.
    pub fn resume(&self, input: Input) {
        self.want(input, Wanted::Running);
    }

    /// Takes no more of an input's messages, and gives back those that are not settled yet:
    /// acknowledging them answers `false` from now on.
    pub fn pause(&self, input: Input) {
        self.want(input, Wanted::Paused);
    }

    /// The first step of a shutdown: nothing new comes in, what is out can still be settled. Final.
    pub fn halt(&self) {
        for inlet in [&self.0.jobs, &self.0.opt_outs] {
            inlet.wanted.send_replace(Wanted::Halted);
        }
    }

    /// The second step: closes everything within a few seconds. What is not settled comes again.
    pub async fn shutdown(&self) {
        self.halt();
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    fn want(&self, input: Input, wanted: Wanted) {
        let inlet = match input {
            Input::Jobs => &self.0.jobs,
            Input::OptOuts => &self.0.opt_outs,
        };
        inlet.wanted.send_if_modified(|now| {
            let changed = *now != wanted && *now != Wanted::Halted;
            if changed {
                *now = wanted;
            }
            changed
        });
    }

    /// The session to take messages with.
    pub(super) async fn intake(&self) -> Result<Arc<Intake>, BrokerFault> {
        timeout(self.0.settings.hand_over_timeout, self.0.intake.session())
            .await
            .map_err(|_| self.no_session())
    }

    fn no_session(&self) -> BrokerFault {
        let state = self.state();
        let state = state.borrow();
        BrokerFault::new(state.fault().map_or_else(|| "no session yet".into(), Fault::to_string))
    }

    async fn keep_taking(self) {
        let shared = &self.0;
        let name = format!("{} intake", shared.settings.connection_name);
        let open = async |_| {
            let careful = self.state().borrow().intake == LinkState::Down(Some(Fault::Unreadable));
            let paces = Paces::new(if careful { Pace::Shut } else { Pace::Full });
            let names = Arc::clone(&shared.names);
            let session = Intake::open(&shared.settings.endpoint, &name, names, paces).await?;
            if careful {
                let (broker, session) = (self.clone(), Arc::clone(&session));
                shared.tasks.spawn(async move {
                    let widening = session.paces.widen(&broker.0.suspect);
                    session.gone().run_until_cancelled(widening).await;
                });
            }
            for input in [Input::Jobs, Input::OptOuts] {
                let (broker, session) = (self.clone(), Arc::clone(&session));
                shared.tasks.spawn(async move { broker.inlet(input).serve(session, &broker.0.state).await });
            }
            Ok(session)
        };
        shared.intake.supervise(open, |link| shared.state.intake(link), &shared.stop).await;
    }

    async fn keep_publishing(self) {
        let shared = &self.0;
        let name = format!("{} publish", shared.settings.connection_name);
        let open = async |_| {
            let (names, state) = (Arc::clone(&shared.names), shared.state.clone());
            let places = shared.settings.publishes_max;
            Publisher::open(&shared.settings.endpoint, &name, names, places, state).await
        };
        shared.publisher.supervise(open, |link| shared.state.publish(link), &shared.stop).await;
    }

    fn inlet(&self, input: Input) -> &Inlet {
        match input {
            Input::Jobs => &self.0.jobs,
            Input::OptOuts => &self.0.opt_outs,
        }
    }
}

#[async_trait]
impl Outbox for Broker {
    async fn publish(&self, message: &Outgoing) -> Result<Delivered, BrokerFault> {
        let settings = &self.0.settings;
        let hand_over_by = Instant::now() + settings.hand_over_timeout;
        let session =
            timeout_at(hand_over_by, self.0.publisher.session()).await.map_err(|_| self.no_session())?;
        let patience = Patience { hand_over_by, confirm_timeout: settings.confirm_timeout };
        session.publish(message, patience).await
    }
}

fn inlet(input: Input, prefetch: u16) -> (Inlet, Deliveries) {
    let (out, incoming) = mpsc::channel(usize::from(prefetch.max(1)));
    let wanted = watch::Sender::new(Wanted::Paused);
    let deliveries = Deliveries { incoming, wanted: wanted.subscribe() };
    (Inlet { input, prefetch: prefetch.max(1), wanted, out }, deliveries)
}
