//! The AMQP adapter on a real RabbitMQ: what it promises the use cases, and what it does when the server
//! is restarted, loses queues, runs short of memory or sends what nobody can read.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod dead;
#[allow(dead_code, reason = "what the other tests wait with, which these use in part")]
#[path = "../it/support/eventually.rs"]
mod eventually;
mod faults;
mod ledger;
mod publishing;
mod support;
mod taking;
mod topology;
#[path = "../it/support/unreadable.rs"]
mod unreadable;
