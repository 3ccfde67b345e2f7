//! In-memory stand-ins for everything outside a worker, as exact and as cruel as the real ones.
//!
//! They keep the contract of the ports: what a call does happens at one moment, under one lock. Between
//! the request and that moment, and between that moment and the answer, a test can stop any call or let it
//! fail ([`steps`]). No fake knows a rule of the protocol: what a rule forbids, they would do.

pub(crate) mod campaigns;
pub(crate) mod outside;
pub(crate) mod redis;
pub(crate) mod redis_link;
pub(crate) mod requests;
pub(crate) mod steps;
pub(crate) mod stream;
