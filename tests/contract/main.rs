//! Holds the contract for machines, `deploy/contract`, to the code, both ways: what the documents say works, and
//! what the code says is in the documents. A failure names the document.
//!
//! No server is needed. What suppressd publishes in the tests with real servers is held to the same documents by
//! `tests/it/support/contract.rs`. Deliberately absent: metrics and settings, which `tests/readme.rs` holds to the guide.

mod asyncapi;
mod beyond;
mod documents;
mod examples;
mod input;
mod members;
mod properties;
mod routes;
mod words;
mod written;
mod yaml;
