//! The use cases, async, over [`ports`]: nothing here knows which vendor is behind them.

pub mod envelope;
pub mod message;
pub mod ports;
