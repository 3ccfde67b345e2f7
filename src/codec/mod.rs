//! Bytes to types and back: the only home of message formats.
//!
//! Everything here is pure: no I/O, no clock, no log. What comes in is untrusted, so every decoder is
//! bounded, never panics, and refuses with a [`fault::Fault`] that names the place and the rule but
//! never repeats a value.

pub mod answer;
pub mod campaign;
pub mod encoding;
pub mod event;
pub mod event_out;
pub mod export;
pub mod fault;
pub mod flat;
pub mod job;
mod json;
pub mod mail;
pub mod receipt;
pub mod record;
pub mod review;
mod scope;
pub mod time;
pub mod value;
pub mod written_event;
