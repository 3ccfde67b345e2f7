//! What mails are taken for: tables of phrases, and properties that hold for any text.
//!
//! The tables are the linguist's notes: one row a way of saying it. They use the shipped lexicon, so they hold
//! the data to the rules too.

mod corpus;
mod label;
mod properties;
mod report;
mod scopes;
mod speech;
mod support;
mod words;
