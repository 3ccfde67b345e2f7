//! The mailbox on a real mail server: what people write is in force at once, and nothing that breaks on the way
//! skips a mail or takes one for two.

mod faults;
mod followed;
mod marks;
mod scene;
mod speed;
mod tls;
