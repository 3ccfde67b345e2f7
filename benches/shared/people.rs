//! Who is in the jobs and who is on the list: the same people for every contender, every run.
//!
//! A person is a number. Those below the list's length are on the list with all three identifiers; those from
//! [`STRANGERS`] on are on none. Each twentieth recipient is on the list, spread over all of it, so that no
//! cache can hold those who are asked for.

use std::fmt::Write;

use suppressd::domain::words::{Channel, IdentifierKind};

/// Identifiers of one person.
pub(crate) const IDENTIFIERS_PER_PERSON: u64 = 3;

/// One recipient of so many is on the list.
pub(crate) const ONE_IN: u64 = 20;

/// From this number on, people are on no list.
pub(crate) const STRANGERS: u64 = 500_000_000;

/// A prime, so that steps of it visit every person of the list before one comes again.
const STEP: u64 = 7_368_787;

/// The canonical forms of a person's identifiers.
pub(crate) fn identifiers(person: u64) -> [(IdentifierKind, String); 3] {
    [
        (IdentifierKind::UserId, format!("U-{person}")),
        (IdentifierKind::Email, format!("person{person}@example.kz")),
        (IdentifierKind::Phone, format!("+77{person:09}")),
    ]
}

/// A job of so many recipients as a marketing system would write it, and how many of them must be kept.
pub(crate) fn job(number: u64, channel: Channel, recipients: u64, listed: u64) -> (String, u64) {
    let mut body = format!(
        r#"{{"job_id":"job-{number}","campaign_id":"bench","channel":"{}","brand":"lulla.kz","segments":[{{"region":"KZ-79","recipients":["#,
        channel.as_str()
    );
    let mut kept = recipients;
    for n in 0..recipients {
        let place = number * recipients + n;
        let person = if n % ONE_IN == 0 {
            kept -= 1;
            (place / ONE_IN).wrapping_mul(STEP) % listed
        } else {
            STRANGERS + place % STRANGERS
        };
        let comma = if n == 0 { "" } else { "," };
        let (a, b, c, d) = (person / 10_000_000, person / 10_000 % 1000, person / 100 % 100, person % 100);
        write!(
            body,
            r#"{comma}{{"user_id":"U-{person}","email":"person{person}@example.kz","phone":"8 7{a:02} {b:03} {c:02} {d:02}","name":"Айгерім Сейітқызы","vars":{{"bonus":{n}}}}}"#,
        )
        .expect("a String takes text");
    }
    body.push_str("]}]}");
    (body, kept)
}
