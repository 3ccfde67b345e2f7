//! The use cases, async, over [`ports`]: nothing here knows which vendor is behind them.

pub mod apply_ledger;
pub mod clock;
pub mod follow_feed;
pub mod gate;
pub mod health;
pub mod message;
pub mod ports;
pub mod random;
pub mod trust;
