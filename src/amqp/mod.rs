//! RabbitMQ, and the only place that names `lapin`.
//!
//! A [`Broker`] has two lanes, one for jobs and one for events, so that an opt-out never waits behind megabytes of
//! jobs. A lane keeps two links alive, each a connection of its own: one takes messages, one publishes,
//! because RabbitMQ stops reading a connection that publishes while it is short of memory, and an
//! acknowledgement must not get stuck behind that. A link is rebuilt as a whole on any fault; what was
//! delivered over the old one comes again. Deliberately absent: lapin's own recovery, which can stop for
//! good without a word, and any retry of a publish, because only the caller knows whether the message is
//! still right by then.
//!
//! Logs: the daemon must set `lapin=off`. lapin prints the bodies of returned messages, and broker's words
//! in which properties are quoted; what matters of its troubles is logged here.

mod broker;
mod connection;
mod consumer;
mod convert;
mod dead;
mod depth;
mod endpoint;
mod fault;
mod greeting;
mod inspect;
mod intake;
mod ledger;
mod legible;
mod names;
mod pace;
mod publisher;
mod relay;
mod replies;
mod state;
mod supervisor;
mod topology;
mod waiting;

pub use broker::{Broker, BrokerSettings, Deliveries, Inputs};
pub use dead::DeadLetters;
pub use endpoint::{Endpoint, EndpointFault};
pub use fault::{Fault, Mismatch};
pub use greeting::greeting;
pub use inspect::{Holds, Inspected, Inspector};
pub use names::Names;
pub use replies::{Replies, Reply};
pub use state::{BrokerState, Consumption, LaneState, LinkState};
