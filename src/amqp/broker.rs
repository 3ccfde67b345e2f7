//! The handle that the rest of the program holds: all links, over all their sessions.
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
use super::pace::{self, Pace};
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
    /// Whether what is not UTF-8 in a message's properties is replaced instead of ending the session. For those who
    /// look at messages and pass none on.
    pub legible: bool,
}

impl BrokerSettings {
    /// The settings of an ordinary installation.
    pub fn new(endpoint: Endpoint, names: Names) -> Self {
        Self {
            endpoint,
            names,
            connection_name: "suppressd".into(),
            jobs_prefetch: 30,
            opt_outs_prefetch: 256,
            publishes_max: 64,
            hand_over_timeout: Duration::from_secs(5),
            confirm_timeout: Duration::from_secs(30),
            legible: false,
        }
    }
}

/// RabbitMQ, for as long as the program runs. Cheap to clone.
#[derive(Clone)]
pub struct Broker(Arc<Shared>);

struct Shared {
    settings: BrokerSettings,
    names: Arc<Names>,
    jobs: Lane,
    opt_outs: Lane,
    state: StateCell,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What serves one input, and publishes what is of its kind.
struct Lane {
    intake: Link<Intake>,
    publisher: Link<Publisher>,
    inlet: Inlet,
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
        let own_user = settings.endpoint.user();
        let (jobs, jobs_out) = lane(Input::Jobs, settings.jobs_prefetch, own_user);
        let (opt_outs, opt_outs_out) = lane(Input::OptOuts, settings.opt_outs_prefetch, own_user);
        let broker = Self(Arc::new(Shared {
            names: Arc::new(settings.names.clone()),
            settings,
            jobs,
            opt_outs,
            state: StateCell::new(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }));
        for input in [Input::Jobs, Input::OptOuts] {
            broker.0.tasks.spawn(broker.clone().keep_taking(input));
            broker.0.tasks.spawn(broker.clone().keep_publishing(input));
        }
        (broker, Inputs { jobs: jobs_out, opt_outs: opt_outs_out })
    }

    /// Waits until all links are up. What somebody must mend is reported at once, an outage after
    /// `within`; the links go on trying either way.
    pub async fn connected(&self, within: Duration) -> Result<(), Fault> {
        let mut state = self.state();
        let settled =
            |state: &BrokerState| state.is_up() || state.fault().is_some_and(Fault::is_configuration);
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
        for lane in [&self.0.jobs, &self.0.opt_outs] {
            lane.inlet.wanted.send_replace(Wanted::Halted);
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
        self.lane(input).inlet.wanted.send_if_modified(|now| {
            let changed = *now != wanted && *now != Wanted::Halted;
            if changed {
                *now = wanted;
            }
            changed
        });
    }

    /// The session to take a lane's messages with.
    pub(super) async fn intake(&self, input: Input) -> Result<Arc<Intake>, BrokerFault> {
        timeout(self.0.settings.hand_over_timeout, self.lane(input).intake.session())
            .await
            .map_err(|_| self.no_session())
    }

    fn no_session(&self) -> BrokerFault {
        let state = self.state();
        let state = state.borrow();
        BrokerFault::new(state.fault().map_or_else(|| "no session yet".into(), Fault::to_string))
    }

    async fn keep_taking(self, input: Input) {
        let (shared, lane, state) = (&self.0, self.lane(input), self.0.state.lane(input));
        let name = format!("{} from {}", shared.settings.connection_name, shared.names.queue(input));
        let open = async |_| {
            let careful =
                self.state().borrow().lane(input).intake == LinkState::Down(Some(Fault::Unreadable));
            let names = Arc::clone(&shared.names);
            let pace = if careful { Pace::Single } else { Pace::Full };
            let BrokerSettings { endpoint, legible, .. } = &shared.settings;
            let session = Intake::open(endpoint, &name, names, pace, *legible).await?;
            if careful {
                let session = Arc::clone(&session);
                shared.tasks.spawn(async move {
                    session.gone().run_until_cancelled(pace::widen(&session.pace)).await;
                });
            }
            let (broker, session_of_input, state) = (self.clone(), Arc::clone(&session), state.clone());
            shared.tasks.spawn(async move { broker.lane(input).inlet.serve(session_of_input, &state).await });
            Ok(session)
        };
        lane.intake.supervise(open, |link| state.intake(link), &shared.stop).await;
    }

    async fn keep_publishing(self, input: Input) {
        let (shared, lane, state) = (&self.0, self.lane(input), self.0.state.lane(input));
        let name = format!("{} beside {}", shared.settings.connection_name, shared.names.queue(input));
        let open = async |_| {
            let names = Arc::clone(&shared.names);
            let places = shared.settings.publishes_max;
            Publisher::open(&shared.settings.endpoint, &name, names, places, state.clone()).await
        };
        lane.publisher.supervise(open, |link| state.publish(link), &shared.stop).await;
    }

    fn lane(&self, input: Input) -> &Lane {
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
        let lane = self.lane(self.0.names.lane(&message.exchange, &message.routing_key));
        let session =
            timeout_at(hand_over_by, lane.publisher.session()).await.map_err(|_| self.no_session())?;
        let patience = Patience { hand_over_by, confirm_timeout: settings.confirm_timeout };
        session.publish(message, patience).await
    }
}

fn lane(input: Input, prefetch: u16, own_user: &str) -> (Lane, Deliveries) {
    let (out, incoming) = mpsc::channel(usize::from(prefetch.max(1)));
    let wanted = watch::Sender::new(Wanted::Paused);
    let deliveries = Deliveries { incoming, wanted: wanted.subscribe() };
    let inlet = Inlet { input, own_user: own_user.to_owned(), prefetch: prefetch.max(1), wanted, out };
    (Lane { intake: Link::new(), publisher: Link::new(), inlet }, deliveries)
}
