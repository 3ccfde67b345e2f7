//! The status page as people get it: served by the product's own server, asked over HTTP and looked at in a browser.
//!
//! Four workers are made up of the product's own parts: a quiet one, a busy one, one that fails, one with overdue
//! requests. The pictures that the browser takes of them are in `target/page`, for people to look at. No server but
//! the admin server runs here; `tests/it/page.rs` asks a whole worker.
#![allow(clippy::unwrap_used, reason = "a test's helpers may panic as its body may")]
#![allow(clippy::disallowed_methods, reason = "a test stands outside: its clock is the machine's")]

mod browser;
mod driver;
mod http;
mod scenes;
mod text;
