//! The rules of suppression, pure: no I/O, no async, no clock, no log, no serde.
//!
//! Everything here takes what it needs as an argument, `now` included, and gives the same answer for
//! the same arguments on every machine. That is what lets any worker fold the ledger into the same list.

pub mod calendar;
pub mod campaign;
pub mod catalogue;
pub mod counterparts;
pub mod digest;
pub mod event;
pub mod filter;
pub mod fold;
mod hmac;
pub mod identifier;
pub mod in_force;
pub mod mail;
pub mod record;
pub mod request;
pub mod scope;
pub mod statement;
pub mod trace;
pub mod view;
pub mod words;
