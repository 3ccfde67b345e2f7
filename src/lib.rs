//! Takes everybody who opted out of e-mail, SMS and call campaigns out of their jobs, on the way through RabbitMQ.
//!
//! The library is the whole product; `main.rs` only calls it. `README.md` walks one job and one opt-out through it, file
//! by file. Read from the inside out:
//!
//! * [`domain`] says what a statement, a scope, a verdict and the fold of the ledger are. It knows no
//!   clock, no network and no JSON.
//! * [`codec`] turns bytes into those types and back, [`mirror`] answers for them at memory speed.
//! * [`clean`] does for a file of recipients what the worker does for a job, [`bulk`] for a file of opt-outs
//!   what it does for an event.
//! * [`service`] puts them to work over ports: accept an event, apply the ledger, filter a job.
//! * [`metrics`] counts what they do, [`telemetry`] logs it.
//! * [`amqp`], [`store`], [`mailbox`] and [`admin`] are the adapters: RabbitMQ, Redis, IMAP, HTTP.
//! * [`otlp`] sends what happened to messages to whoever follows their traces.
//! * [`tls`] says for all that connect whom they believe to be their server.
//! * [`settings`], [`daemon`] and [`cli`] tie everything together.
//! * [`fail_points`] breaks a worker on purpose, in the tests alone.
//!
//! Arrows point down that list only; `tests/tidy.rs` checks it.

pub mod admin;
pub mod amqp;
pub mod bulk;
pub mod clean;
pub mod cli;
pub mod codec;
pub mod daemon;
pub mod domain;
pub mod fail_points;
pub mod mailbox;
pub mod metrics;
pub mod mirror;
pub mod otlp;
pub mod service;
pub mod settings;
pub mod store;
pub mod telemetry;
pub mod tls;
