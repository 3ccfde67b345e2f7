//! What the worker lacks at present, for `/ready`, metrics and the service manager.
//!
//! Each dependency is a latch that its own part of the worker sets; ready means that all are. At the start
//! none is. Warnings are for people and never make the worker unready. Nothing here looks at anything by
//! itself, so asking is cheap and safe at any rate.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

pub use crate::metrics::{Dependency, Warning};

/// One dependency's latch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It serves.
    Ready,
    /// It has nothing to do here, and why: that is as good as ready.
    Idle(String),
    /// It does not, and why, for people: never a value from a message.
    NotReady(String),
}

impl State {
    /// Whether nothing is wrong.
    pub fn is_well(&self) -> bool {
        !matches!(self, Self::NotReady(_))
    }
}

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// In the order of [`Dependency::ALL`].
    states: [State; Dependency::ALL.len()],
    warnings: BTreeMap<&'static str, String>,
}

impl Snapshot {
    /// Whether the worker can do its work: it has everything vital.
    pub fn ready(&self) -> bool {
        self.states().all(|(dependency, state)| state.is_well() || !dependency.is_vital())
    }

    /// How a dependency is.
    pub fn state(&self, dependency: Dependency) -> &State {
        &self.states[dependency as usize]
    }

    /// Every dependency with its state.
    pub fn states(&self) -> impl Iterator<Item = (Dependency, &State)> {
        Dependency::ALL.iter().copied().zip(&self.states)
    }

    /// What somebody should look at, by name.
    pub fn warnings(&self) -> &BTreeMap<&'static str, String> {
        &self.warnings
    }

    /// The names of what is not ready.
    fn lacking(&self) -> String {
        let lacking = self.states().filter(|(_, state)| !state.is_well());
        lacking.map(|(dependency, _)| dependency.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// Where the parts of the worker say how they are. Clones are the same.
#[derive(Debug, Clone)]
pub struct Health {
    shown: Arc<watch::Sender<Snapshot>>,
}

impl Default for Health {
    fn default() -> Self {
        let states = Dependency::ALL.iter().map(|_| State::NotReady("the worker is starting".into()));
        let states = states.collect::<Vec<_>>().try_into().expect("one state a dependency");
        Self { shown: Arc::new(watch::Sender::new(Snapshot { states, warnings: BTreeMap::new() })) }
    }
}

impl Health {
    /// Sets a dependency's latch. Logs when this makes the worker ready or unready.
    pub fn set(&self, dependency: Dependency, state: State) {
        self.shown.send_if_modified(|shown| {
            if shown.states[dependency as usize] == state {
                return false;
            }
            let before = shown.ready();
            shown.states[dependency as usize] = state;
            match (before, shown.ready()) {
                (false, true) => tracing::info!("the worker is ready"),
                (true, false) => tracing::warn!(lacking = shown.lacking(), "the worker is not ready"),
                _ => {}
            }
            true
        });
    }

    /// Shows a warning under a name, or takes it back. Logs when it comes and when it goes.
    pub fn warn(&self, warning: Warning, why: Option<String>) {
        let name = warning.as_str();
        self.shown.send_if_modified(|shown| {
            let before = shown.warnings.get(name);
            if before == why.as_ref() {
                return false;
            }
            match (before, &why) {
                (None, Some(why)) => tracing::warn!(name, why, "a warning"),
                (Some(_), None) => tracing::info!(name, "a warning is over"),
                _ => {}
            }
            match why {
                Some(why) => drop(shown.warnings.insert(name, why)),
                None => drop(shown.warnings.remove(name)),
            }
            true
        });
    }

    /// Everything as it is now.
    pub fn snapshot(&self) -> Snapshot {
        self.shown.borrow().clone()
    }

    /// Follows every change: who waits for readiness, say, to tell the service manager.
    pub fn watch(&self) -> watch::Receiver<Snapshot> {
        self.shown.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unready(why: &str) -> State {
        State::NotReady(why.into())
    }

    #[test]
    fn a_worker_is_ready_once_everything_that_it_needs_is() {
        let health = Health::default();
        for dependency in Dependency::ALL {
            assert!(!health.snapshot().ready() || !dependency.is_vital());
            assert_eq!(health.snapshot().state(*dependency), &unready("the worker is starting"));
            health.clone().set(*dependency, State::Ready);
        }
        assert!(health.snapshot().ready(), "clones are the same");
        health.set(Dependency::Redis, unready("no answer in time"));
        assert!(!health.snapshot().ready());
        assert_eq!(health.snapshot().lacking(), "redis");
        health.set(Dependency::Redis, State::Ready);
        assert!(health.snapshot().ready());
    }

    #[test]
    fn an_unreachable_mailbox_does_not_make_a_worker_unready() {
        let health = Health::default();
        for dependency in Dependency::ALL.iter().filter(|dependency| dependency.is_vital()) {
            health.set(*dependency, State::Ready);
        }
        assert!(health.snapshot().ready());
        health.set(Dependency::Mailbox, unready("the login is refused"));
        assert!(health.snapshot().ready());
        health.set(Dependency::Mailbox, State::Idle("there is none".into()));
        assert!(health.snapshot().states().all(|(_, state)| state.is_well()));
    }

    #[test]
    fn a_warning_does_not_make_a_worker_unready_and_can_be_taken_back() {
        let health = Health::default();
        for dependency in Dependency::ALL {
            health.set(*dependency, State::Ready);
        }
        health.warn(Warning::UnroutableJobs, Some("1 job waits".into()));
        health.warn(Warning::UnroutableJobs, Some("2 jobs wait".into()));
        health.warn(Warning::Clock, Some("90 s ahead of Redis".into()));
        let shown = health.snapshot();
        assert!(shown.ready());
        let warnings: Vec<_> = shown.warnings().iter().map(|(name, why)| (*name, why.as_str())).collect();
        assert_eq!(warnings, [("clock", "90 s ahead of Redis"), ("unroutable_jobs", "2 jobs wait")]);
        health.warn(Warning::UnroutableJobs, None);
        health.warn(Warning::Clock, None);
        assert!(health.snapshot().warnings().is_empty());
    }

    #[test]
    fn only_a_change_wakes_those_who_follow() {
        let health = Health::default();
        let mut follower = health.watch();
        health.set(Dependency::Amqp, unready("the worker is starting"));
        health.warn(Warning::Clock, None);
        assert!(!follower.has_changed().unwrap());
        health.set(Dependency::Amqp, unready("refused"));
        assert!(follower.has_changed().unwrap());
        assert_eq!(follower.borrow_and_update().state(Dependency::Amqp), &unready("refused"));
    }
}
