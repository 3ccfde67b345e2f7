//! What the tests of jobs share: names, a list, and the path from a body to an output.

mod faults;
mod properties;
mod reading;
mod splicing;

use std::collections::HashMap;
use std::sync::Arc;

use super::*;
use crate::codec::fault::Fault;
use crate::domain::digest::{Digest, HashKey, KeyRing};
use crate::domain::filter::{Verdicts, judge, prepare};
use crate::domain::view::View;
use crate::domain::words::{IdentifierKind, Removal};

struct Configured;

impl Names for Configured {
    fn region(&self, name: &str) -> Option<Arc<str>> {
        match name {
            "KZ-79" | "SHY" | "Шымкент" => Some("KZ-79".into()),
            "KZ-75" => Some("KZ-75".into()),
            _ => None,
        }
    }

    fn brand(&self, name: &str) -> Option<Arc<str>> {
        (name == "lulla.kz").then(|| "lulla.kz".into())
    }
}

/// Whose user id begins with a reason's name is removed for it, everywhere.
#[derive(Default)]
struct List(HashMap<Digest, Removal>);

impl View for List {
    type Table = ();

    fn table(&self, _region: &str, _channel: Channel, _brand: &str) {}

    fn removal(&self, (): &(), digest: &Digest) -> Option<Removal> {
        self.0.get(digest).copied()
    }
}

fn keys() -> KeyRing {
    let key = "000102030405060708090a0b0c0d0e0f".repeat(2);
    KeyRing::new(vec![HashKey::from_file_text(&key).unwrap()]).unwrap()
}

fn listed() -> List {
    let digest = |text| keys().keys()[0].digest(IdentifierKind::UserId, text);
    List(Removal::ALL.iter().map(|removal| (digest(removal.as_str()), *removal)).collect())
}

/// Everything parses but `bad…`.
fn canonical<'r>(_: IdentifierKind, text: &'r str, _: &'r mut String) -> Option<&'r str> {
    (!text.starts_with("bad")).then_some(text)
}

fn read(body: &str) -> Result<Job<'_>, Fault> {
    decode(body.as_bytes(), &JobLimits::default(), &Configured)
}

fn verdicts(job: &Job<'_>) -> Verdicts {
    judge(&prepare(job.channel, job.segments(), &keys(), canonical), job.purpose, &job.brand, &listed())
}

fn stamp() -> Stamp {
    Stamp { revision: 18231, filtered_at: "2027-03-19T05:00:00Z".parse().unwrap() }
}

fn filter(body: &str) -> String {
    let job = read(body).unwrap();
    String::from_utf8(filtered(&job, &verdicts(&job), stamp())).unwrap()
}

/// A job with these segments.
fn job(segments: &str) -> String {
    format!(
        r#"{{"job_id":"7b0e","campaign_id":"nauryz-2027","channel":"sms","brand":"lulla.kz","segments":{segments}}}"#
    )
}

/// A job with one segment of these recipients.
fn job_for(recipients: &str) -> String {
    job(&format!(r#"[{{"region":"KZ-79","recipients":{recipients}}}]"#))
}
