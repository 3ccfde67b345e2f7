//! The use cases, async, over [`ports`]: nothing here knows which vendor is behind them.

pub mod accept_event;
pub mod alarms;
pub mod apply_ledger;
pub mod campaigns;
pub mod clock;
mod cpu;
pub mod dead_letters;
pub mod envelope;
pub mod filter_job;
pub mod follow_feed;
pub mod gate;
pub mod health;
pub mod history;
pub mod look_up;
pub mod message;
pub mod ports;
pub mod post;
pub mod quarantine;
pub mod random;
pub mod read_mailbox;
pub mod retry_waiting;
pub mod status;
pub mod survey_keys;
pub mod trace_person;
pub mod traces;
pub mod trust;
pub mod watch_deadlines;
