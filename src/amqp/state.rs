//! What the rest of the program may know of the sessions: enough for readiness and for saying why not.

use tokio::sync::watch;

use super::fault::Fault;
use crate::service::ports::Input;

/// The state of all links.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BrokerState {
    /// Of the lane of jobs.
    pub jobs: LaneState,
    /// Of the lane of events.
    pub opt_outs: LaneState,
    /// How many sessions ended because a message could not be read.
    pub unreadable_total: u64,
}

/// The state of one lane.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LaneState {
    /// The link that takes messages.
    pub intake: LinkState,
    /// The link that publishes.
    pub publish: LinkState,
    /// Why the broker does not read what we publish (it is short of memory or disk), if so.
    pub blocked: Option<String>,
    /// Whether the input's messages come in.
    pub consumption: Consumption,
}

/// The state of one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkState {
    /// No session, and why. `None`: the first is being made.
    Down(Option<Fault>),
    /// The session with this number, counted from 1.
    Up {
        /// The number.
        epoch: u64,
    },
}

impl Default for LinkState {
    fn default() -> Self {
        Self::Down(None)
    }
}

/// The state of one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consumption {
    /// Not asked for, or paused.
    #[default]
    Off,
    /// Asked for, not there.
    Pending,
    /// The broker has registered the consumer.
    Registered,
}

impl BrokerState {
    /// The lane of an input.
    pub fn lane(&self, input: Input) -> &LaneState {
        match input {
            Input::Jobs => &self.jobs,
            Input::OptOuts => &self.opt_outs,
        }
    }

    /// Whether messages can be taken and published, and if not, why.
    pub fn connected(&self) -> Result<(), String> {
        for link in self.links() {
            match link {
                LinkState::Up { .. } => {}
                LinkState::Down(Some(fault)) => return Err(fault.to_string()),
                LinkState::Down(None) => return Err("connecting to RabbitMQ".into()),
            }
        }
        match [&self.opt_outs, &self.jobs].into_iter().find_map(|lane| lane.blocked.as_ref()) {
            Some(why) => Err(format!("RabbitMQ accepts no messages: {why}")),
            None => Ok(()),
        }
    }

    /// Whether an input's messages come in.
    pub fn consumption(&self, input: Input) -> Consumption {
        self.lane(input).consumption
    }

    /// What keeps a link down that somebody must mend.
    pub fn configuration_fault(&self) -> Option<&Fault> {
        self.fault().filter(|fault| fault.is_configuration())
    }

    /// The fault that keeps a link down.
    pub(super) fn fault(&self) -> Option<&Fault> {
        self.links().into_iter().find_map(|link| match link {
            LinkState::Down(fault) => fault.as_ref(),
            LinkState::Up { .. } => None,
        })
    }

    /// Whether every link has a session.
    pub(super) fn is_up(&self) -> bool {
        self.links().into_iter().all(|link| matches!(link, LinkState::Up { .. }))
    }

    fn links(&self) -> [&LinkState; 4] {
        [&self.opt_outs.intake, &self.opt_outs.publish, &self.jobs.intake, &self.jobs.publish]
    }
}

/// Where the links write their state.
#[derive(Debug, Clone)]
pub(super) struct StateCell(watch::Sender<BrokerState>);

impl StateCell {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(BrokerState::default()))
    }

    pub(super) fn watch(&self) -> watch::Receiver<BrokerState> {
        self.0.subscribe()
    }

    pub(super) fn lane(&self, input: Input) -> LaneCell {
        LaneCell { state: self.0.clone(), input }
    }
}

/// Where one lane's links write their state.
#[derive(Debug, Clone)]
pub(super) struct LaneCell {
    state: watch::Sender<BrokerState>,
    input: Input,
}

impl LaneCell {
    pub(super) fn blocked(&self, why: Option<String>) {
        self.set(|lane| &mut lane.blocked, why);
    }

    pub(super) fn consumption(&self, consumption: Consumption) {
        self.set(|lane| &mut lane.consumption, consumption);
    }

    pub(super) fn intake(&self, link: LinkState) {
        if matches!(link, LinkState::Down(Some(Fault::Unreadable))) {
            self.state.send_modify(|state| state.unreadable_total += 1);
        }
        self.set(|lane| &mut lane.intake, link);
    }

    pub(super) fn publish(&self, link: LinkState) {
        self.set(|lane| &mut lane.publish, link);
    }

    fn set<T: PartialEq>(&self, field: fn(&mut LaneState) -> &mut T, value: T) {
        self.state.send_if_modified(|state| {
            let lane = match self.input {
                Input::Jobs => &mut state.jobs,
                Input::OptOuts => &mut state.opt_outs,
            };
            let field = field(lane);
            let changed = *field != value;
            *field = value;
            changed
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_says_what_is_wrong_with_either_lane() {
        let cell = StateCell::new();
        let why = |cell: &StateCell| cell.watch().borrow().connected().unwrap_err();
        let (jobs, events) = (cell.lane(Input::Jobs), cell.lane(Input::OptOuts));
        assert!(why(&cell).contains("connecting"));
        for lane in [&jobs, &events] {
            lane.intake(LinkState::Up { epoch: 1 });
        }
        events.publish(LinkState::Up { epoch: 1 });
        jobs.publish(LinkState::Down(Some(Fault::Lost("heartbeat".into()))));
        assert!(why(&cell).contains("heartbeat"));
        jobs.publish(LinkState::Up { epoch: 1 });
        assert!(cell.watch().borrow().connected().is_ok());
        jobs.blocked(Some("low on memory".into()));
        events.blocked(None);
        assert!(why(&cell).contains("low on memory"));
    }
}
