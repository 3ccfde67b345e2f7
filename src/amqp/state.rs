//! What the rest of the program may know of the sessions: enough for readiness and for saying why not.

use tokio::sync::watch;

use super::fault::Fault;
use crate::service::ports::Input;

/// The state of both links.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BrokerState {
    /// The link that takes messages.
    pub intake: LinkState,
    /// The link that publishes.
    pub publish: LinkState,
    /// Why the broker does not read what we publish (it is short of memory or disk), if so.
    pub blocked: Option<String>,
    /// Whether jobs come in.
    pub jobs: Consumption,
    /// Whether events come in.
    pub opt_outs: Consumption,
    /// How many sessions ended because a message could not be read.
    pub unreadable_total: u64,
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
    /// Whether messages can be taken and published, and if not, why.
    pub fn connected(&self) -> Result<(), String> {
        for link in [&self.intake, &self.publish] {
            match link {
                LinkState::Up { .. } => {}
                LinkState::Down(Some(fault)) => return Err(fault.to_string()),
                LinkState::Down(None) => return Err("connecting to RabbitMQ".into()),
            }
        }
        match &self.blocked {
            Some(why) => Err(format!("RabbitMQ accepts no messages: {why}")),
            None => Ok(()),
        }
    }

    /// Whether an input's messages come in.
    pub fn consumption(&self, input: Input) -> Consumption {
        match input {
            Input::Jobs => self.jobs,
            Input::OptOuts => self.opt_outs,
        }
    }

    /// What keeps a link down that somebody must mend.
    pub fn configuration_fault(&self) -> Option<&Fault> {
        self.fault().filter(|fault| fault.is_configuration())
    }

    /// The fault that keeps a link down.
    pub(super) fn fault(&self) -> Option<&Fault> {
        [&self.intake, &self.publish].into_iter().find_map(|link| match link {
            LinkState::Down(fault) => fault.as_ref(),
            LinkState::Up { .. } => None,
        })
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

    pub(super) fn blocked(&self, why: Option<String>) {
        self.set(|state| &mut state.blocked, why);
    }

    pub(super) fn consumption(&self, input: Input, consumption: Consumption) {
        match input {
            Input::Jobs => self.set(|state| &mut state.jobs, consumption),
            Input::OptOuts => self.set(|state| &mut state.opt_outs, consumption),
        }
    }

    pub(super) fn intake(&self, link: LinkState) {
        if matches!(link, LinkState::Down(Some(Fault::Unreadable))) {
            self.0.send_modify(|state| state.unreadable_total += 1);
        }
        self.set(|state| &mut state.intake, link);
    }

    pub(super) fn publish(&self, link: LinkState) {
        self.set(|state| &mut state.publish, link);
    }

    fn set<T: PartialEq>(&self, field: fn(&mut BrokerState) -> &mut T, value: T) {
        self.0.send_if_modified(|state| {
            let field = field(state);
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
    fn readiness_says_what_is_wrong() {
        let cell = StateCell::new();
        let why = |cell: &StateCell| cell.watch().borrow().connected().unwrap_err();
        assert!(why(&cell).contains("connecting"));
        cell.intake(LinkState::Up { epoch: 1 });
        cell.publish(LinkState::Down(Some(Fault::Lost("heartbeat".into()))));
        assert!(why(&cell).contains("heartbeat"));
        cell.publish(LinkState::Up { epoch: 1 });
        assert!(cell.watch().borrow().connected().is_ok());
        cell.blocked(Some("low on memory".into()));
        assert!(why(&cell).contains("low on memory"));
    }
}
