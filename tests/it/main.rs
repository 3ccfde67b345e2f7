//! Everything that is tested against real servers, in one binary: one process boots RabbitMQ once and
//! compiles the harness once.
//!
//! A new topic is a new module here. Nothing below may depend on a server that was running before, and
//! nothing may be left running after: see `support::leash`.

mod checker;
mod faults;
mod harness;
mod main_job;
mod permissions;
mod support;
