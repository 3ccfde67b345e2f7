//! Dead letters, for people and for machines.
//!
//! Of what a publisher wrote, only [`One`] tells anything, and only when a body was asked for.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;
use serde::Serialize;

use super::super::table::{plain, table};
use crate::codec::record::hex;
use crate::daemon::{Dropped, Shown};
use crate::service::dead_letters::{Letter, Looked, Redriven};

/// What is told of a letter.
#[derive(Debug, Serialize)]
struct Row<'a> {
    id: String,
    /// When it died.
    at: Option<Timestamp>,
    /// Where.
    queue: Option<&'a str>,
    reason: &'static str,
    detail: Option<&'a str>,
    /// The size of its body.
    bytes: usize,
}

/// Letters by reason.
type Reasons = BTreeMap<&'static str, u64>;

/// Everything that lies there.
#[derive(Debug, Serialize)]
pub(super) struct List<'a> {
    letters: Vec<Row<'a>>,
    /// How many were selected, by reason, those that are not listed too.
    reasons: Reasons,
    /// How many lie there in all.
    count: u64,
    /// How many of them were not looked at.
    unseen: u64,
}

/// Letters that were put back.
#[derive(Debug, Serialize)]
pub(super) struct Moving<'a> {
    moved: Vec<Row<'a>>,
    reasons: Reasons,
    stayed: Vec<Stayed<'a>>,
    /// How many of those that lay there at the beginning still do.
    left: u64,
}

/// One that was not.
#[derive(Debug, Serialize)]
struct Stayed<'a> {
    #[serde(flatten)]
    row: Row<'a>,
    why: &'static str,
}

/// Letters that are dropped.
#[derive(Debug, Serialize)]
pub(super) struct Dropping<'a> {
    at: Timestamp,
    os_user: &'a str,
    login_user: Option<&'a str>,
    host: &'a str,
    amqp_user: &'a str,
    why: &'a str,
    dropped: Vec<Row<'a>>,
    reasons: Reasons,
}

/// One letter in full.
#[derive(Serialize)]
pub(super) struct One<'a> {
    #[serde(flatten)]
    row: Row<'a>,
    publisher: Option<&'a str>,
    expiration: Option<&'a str>,
    content_type: Option<&'static str>,
    content_encoding: Option<&'static str>,
    /// Properties that have a value.
    carries: Vec<&'static str>,
    /// How many headers its publisher wrote.
    headers: usize,
    /// How many of them are gone.
    headers_cut: u64,
    #[serde(skip)]
    shown: &'a Shown,
}

/// What its publisher wrote.
#[derive(Serialize)]
struct Personal<'a> {
    #[serde(flatten)]
    one: &'a One<'a>,
    properties: BTreeMap<&'static str, &'a str>,
    /// If it is UTF-8.
    body: Option<&'a str>,
    /// If it is not.
    body_hex: Option<String>,
}

impl<'a> Row<'a> {
    fn of(letter: &'a Letter) -> Self {
        Self {
            id: letter.id.to_string(),
            at: letter.at,
            queue: letter.queue.as_deref(),
            reason: letter.cause.as_str(),
            detail: letter.detail.as_deref(),
            bytes: letter.bytes,
        }
    }

    fn cells(&self) -> [String; 6] {
        [
            self.id.clone(),
            self.at.map_or_else(none, |at| format!("{at:.0}")),
            self.queue.map_or_else(none, plain),
            self.reason.to_owned(),
            self.bytes.to_string(),
            self.detail.map_or_else(none, plain),
        ]
    }
}

impl<'a> List<'a> {
    pub(super) fn new(looked: &'a Looked) -> Self {
        Self {
            letters: looked.letters.iter().map(Row::of).collect(),
            reasons: looked.causes.iter().map(|(cause, count)| (cause.as_str(), *count)).collect(),
            count: looked.pass.of,
            unseen: looked.pass.of.saturating_sub(looked.pass.looked),
        }
    }

    pub(super) fn json(&self) -> String {
        json(self)
    }

    pub(super) fn text(&self) -> String {
        if self.reasons.is_empty() {
            return "no dead letter\n".to_owned();
        }
        let more = self.reasons.values().sum::<u64>() - self.letters.len() as u64;
        let more = if more > 0 { format!("and {more} more\n") } else { String::new() };
        rows(&self.letters) + &more + "\n" + &sums(&self.reasons)
    }
}

impl<'a> Moving<'a> {
    pub(super) fn new(done: &'a Redriven) -> Self {
        Self {
            moved: done.moved.iter().map(Row::of).collect(),
            reasons: by_reason(&done.moved),
            stayed: done.stayed.iter().map(|(letter, why)| Stayed { row: Row::of(letter), why }).collect(),
            left: done.pass.of.saturating_sub(done.moved.len() as u64),
        }
    }

    pub(super) fn json(&self) -> String {
        json(self)
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("{} put back to where they came from\n", letters(self.moved.len()));
        if !self.moved.is_empty() {
            text += &sums(&self.reasons);
        }
        for Stayed { row, why } in &self.stayed {
            writeln!(text, "{} ({}) stays: {why}", row.id, row.reason).expect("a String takes text");
        }
        writeln!(text, "{} left in the dead queue", self.left).expect("a String takes text");
        text
    }
}

impl<'a> Dropping<'a> {
    pub(super) fn new(dropped: &'a Dropped) -> Self {
        Self {
            at: dropped.at,
            os_user: &dropped.os_user,
            login_user: dropped.login_user.as_deref(),
            host: &dropped.host,
            amqp_user: &dropped.amqp_user,
            why: &dropped.why,
            dropped: dropped.letters.iter().map(Row::of).collect(),
            reasons: by_reason(&dropped.letters),
        }
    }

    pub(super) fn json(&self) -> String {
        json(self)
    }

    pub(super) fn text(&self) -> String {
        if self.dropped.is_empty() {
            return "no such dead letter: nothing is dropped\n".to_owned();
        }
        let head =
            format!("dropped by {} on {}: {}\n", plain(self.os_user), plain(self.host), plain(self.why));
        head + &rows(&self.dropped) + "\n" + &sums(&self.reasons)
    }
}

impl<'a> One<'a> {
    pub(super) fn new(shown: &'a Shown) -> Self {
        let properties = &shown.properties;
        Self {
            row: Row::of(&shown.letter),
            publisher: shown.grave.publisher.as_deref(),
            expiration: shown.grave.expiration.as_deref(),
            content_type: properties.content_type.as_deref().map(|text| known(text, &["application/json"])),
            content_encoding: properties
                .content_encoding
                .as_deref()
                .map(|text| known(text, &["gzip", "zstd"])),
            carries: written(shown).into_keys().collect(),
            headers: shown.grave.headers,
            headers_cut: shown.grave.headers_cut,
            shown,
        }
    }

    /// With the body, everything is told.
    pub(super) fn json(&self, with_body: bool) -> String {
        if !with_body {
            return json(self);
        }
        let body = std::str::from_utf8(&self.shown.body).ok();
        let body_hex = body.is_none().then(|| hex(&self.shown.body));
        json(&Personal { one: self, properties: written(self.shown), body, body_hex })
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &str| {
            writeln!(text, "{name:<18}{value}").expect("a String takes text");
        };
        let [id, at, queue, reason, bytes, detail] = self.row.cells();
        for (name, value) in [
            ("id", id),
            ("at", at),
            ("queue", queue),
            ("reason", reason),
            ("detail", detail),
            ("bytes", bytes),
        ] {
            line(name, &value);
        }
        line("publisher", &self.publisher.map_or_else(none, plain));
        line("expiration", &self.expiration.map_or_else(none, plain));
        line("content_type", self.content_type.unwrap_or("-"));
        line("content_encoding", self.content_encoding.unwrap_or("-"));
        line("carries", &if self.carries.is_empty() { none() } else { self.carries.join(" ") });
        line("headers", &self.headers.to_string());
        if self.headers_cut > 0 {
            line("headers_cut", &self.headers_cut.to_string());
        }
        text
    }

    /// The body, with what would steer a terminal spelled out.
    pub(super) fn body_for_a_terminal(&self) -> String {
        let body = String::from_utf8_lossy(&self.shown.body);
        body.lines().fold(String::new(), |text, line| text + &plain(line) + "\n")
    }
}

/// The texts that a publisher chose freely.
fn written(shown: &Shown) -> BTreeMap<&'static str, &str> {
    let properties = &shown.properties;
    let texts = [
        ("routing_key", Some(&shown.routing_key)),
        ("message_id", properties.message_id.as_ref()),
        ("correlation_id", properties.correlation_id.as_ref()),
        ("reply_to", properties.reply_to.as_ref()),
        ("type", properties.kind.as_ref()),
        ("app_id", properties.app_id.as_ref()),
    ];
    texts.into_iter().filter_map(|(name, text)| Some((name, text?.as_str()))).collect()
}

/// A word that says nothing of anybody.
fn known(text: &str, words: &[&'static str]) -> &'static str {
    words.iter().find(|word| **word == text).copied().unwrap_or("another")
}

fn by_reason(letters: &[Letter]) -> Reasons {
    let mut reasons = Reasons::new();
    for letter in letters {
        *reasons.entry(letter.cause.as_str()).or_default() += 1;
    }
    reasons
}

fn rows(rows: &[Row<'_>]) -> String {
    let cells: Vec<_> = rows.iter().map(Row::cells).collect();
    table(["id", "at", "queue", "reason", "bytes", "detail"], &cells)
}

fn sums(reasons: &Reasons) -> String {
    let cells: Vec<_> =
        reasons.iter().map(|(reason, count)| [(*reason).to_owned(), count.to_string()]).collect();
    table(["reason", "letters"], &cells)
}

fn letters(count: usize) -> String {
    if count == 1 { "1 letter was".to_owned() } else { format!("{count} letters were") }
}

fn none() -> String {
    "-".to_owned()
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("names, numbers and text are JSON") + "\n"
}

#[cfg(test)]
mod tests;
