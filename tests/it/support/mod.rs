//! The harness: private servers, the worker as a process, and both ends of its queues.
//!
//! A test begins with a [`Stage`]: a virtual host of the process's own RabbitMQ with the permissions that
//! are shipped in `deploy/`, a Redis of its own under the shipped ACL, and a directory for all that a
//! worker reads and writes. Waiting is always [`eventually`] or a delivery with a deadline, never a sleep.
#![allow(dead_code, reason = "the harness offers both ends of everything, whichever tests use them today")]

mod amqp;
mod broker;
pub(crate) mod certificates;
mod child;
pub(crate) mod contract;
mod dovecot;
mod eventually;
mod http;
pub(crate) mod leash;
pub(crate) mod ports;
mod prometheus;
mod proxy;
mod redis;
mod secrets;
pub(crate) mod sentinels;
mod stage;
mod unreadable;
mod worker;

#[allow(unused_imports, reason = "the names that tests write; not every topic needs each")]
pub(crate) use self::{
    amqp::{Client, Inbox, Message, Sent},
    broker::{Broker, Rough, Share, Vhost},
    child::Kept,
    dovecot::{Dovecot, PASSWORD, USER},
    eventually::{LONG, SOON, eventually, lasting},
    prometheus::Prometheus,
    proxy::{Proxy, Way},
    redis::{Persistence, Redis},
    stage::{Finished, Stage},
    unreadable::publish_unreadable,
    worker::{Metrics, Worker},
};
