//! Tests of the filter against lists of a few lines.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::domain::digest::HashKey;
use IdentifierKind::{Email, Phone, UserId};

/// A list for one test: which identifier is restricted where, and why.
struct List(HashMap<(Digest, String), Removal>);

impl View for List {
    type Table = String;

    fn table(&self, region: &str, channel: Channel, brand: &str) -> String {
        format!("{region} {channel} {brand}")
    }

    fn removal(&self, point: &String, digest: &Digest) -> Option<Removal> {
        self.0.get(&(*digest, point.clone())).copied()
    }
}

const POINT: &str = "KZ-79 sms lulla.kz";

fn keys() -> KeyRing {
    let texts = ["000102030405060708090a0b0c0d0e0f", "101112131415161718191a1b1c1d1e1f"];
    KeyRing::new(texts.map(|text| HashKey::from_file_text(&text.repeat(2)).unwrap()).to_vec()).unwrap()
}

/// `bad…` does not parse; the canonical form is the trimmed text.
fn canonical<'r>(_: IdentifierKind, text: &'r str, buffer: &'r mut String) -> Option<&'r str> {
    buffer.push_str(text.trim());
    (!text.starts_with("bad")).then_some(buffer)
}

/// Statements are written under the key with this index.
fn list(key: usize, statements: &[(IdentifierKind, &str, &str, Removal)]) -> List {
    let digest = |kind, text| keys().keys()[key].digest(kind, text);
    let entry =
        |&(kind, text, point, removal): &(_, _, &str, _)| ((digest(kind, text), point.into()), removal);
    List(statements.iter().map(entry).collect())
}

fn person<'a>(given: &[(IdentifierKind, &'a str)]) -> Identifiers<'a> {
    let mut identifiers = Identifiers::default();
    for &(kind, text) in given {
        let unusable = text == "{}";
        identifiers.set(kind, if unusable { Given::Unusable } else { Given::Text(text.into()) });
    }
    identifiers
}

fn prepared(channel: Channel, people: &[Identifiers<'_>]) -> Prepared {
    prepare(channel, [("KZ-79".into(), people)], &keys(), canonical)
}

fn removal(
    channel: Channel,
    purpose: Purpose,
    given: &[(IdentifierKind, &str)],
    list: &List,
) -> Option<Removal> {
    judge(&prepared(channel, &[person(given)]), purpose, "lulla.kz", list).removals()[0]
}

#[test]
fn any_identifier_of_a_recipient_removes_it_under_any_key() {
    let given = [(UserId, "U-1"), (Email, "a@b.kz"), (Phone, " +7777 ")];
    for key in 0..2 {
        for (kind, text) in [(UserId, "U-1"), (Email, "a@b.kz"), (Phone, "+7777")] {
            let list = list(key, &[(kind, text, POINT, Removal::OptOut)]);
            assert_eq!(removal(Channel::Sms, Purpose::Marketing, &given, &list), Some(Removal::OptOut));
        }
        // The same text under another kind's name is another identifier.
        let list = list(key, &[(Email, "U-1", POINT, Removal::OptOut)]);
        assert_eq!(removal(Channel::Sms, Purpose::Marketing, &given, &list), None);
    }
}

#[test]
fn a_statement_for_another_point_removes_nobody() {
    for point in ["KZ-75 sms lulla.kz", "KZ-79 call lulla.kz", "KZ-79 sms bilal.kz"] {
        let list = list(0, &[(Phone, "+7", point, Removal::Hold)]);
        assert_eq!(removal(Channel::Sms, Purpose::Marketing, &[(Phone, "+7")], &list), None);
    }
}

#[test]
fn the_strongest_reason_is_reported() {
    let mut reasons = vec![Removal::Hold, Removal::OptOut, Removal::Complaint, Removal::Bounce];
    while let Some(weakest) = reasons.pop() {
        for &stronger in &reasons {
            for (first, second) in [(weakest, stronger), (stronger, weakest)] {
                let list = list(0, &[(UserId, "1", POINT, first), (Phone, "+7", POINT, second)]);
                let given = [(UserId, "1"), (Phone, "+7")];
                assert_eq!(removal(Channel::Sms, Purpose::Marketing, &given, &list), Some(stronger));
            }
        }
        // An address that cannot be checked is the weakest reason of all.
        let list = list(0, &[(UserId, "1", POINT, weakest)]);
        let given = [(UserId, "1"), (Phone, "bad")];
        assert_eq!(removal(Channel::Sms, Purpose::Marketing, &given, &list), Some(weakest));
    }
}

#[test]
fn a_purpose_obeys_what_the_contract_says() {
    let none = list(0, &[]);
    for &purpose in Purpose::ALL {
        for reason in [Removal::Hold, Removal::OptOut, Removal::Complaint, Removal::Bounce] {
            let obeyed = match purpose {
                Purpose::Marketing => true,
                Purpose::LegalNotice => false,
                Purpose::Transactional | Purpose::ServiceNotice => reason == Removal::Hold,
            };
            let list = list(0, &[(Phone, "+7", POINT, reason)]);
            let removed = removal(Channel::Sms, purpose, &[(Phone, "+7")], &list);
            assert_eq!(removed, obeyed.then_some(reason), "{purpose} {reason}");
        }
        let removed = removal(Channel::Sms, purpose, &[], &none);
        let obeyed = purpose != Purpose::LegalNotice;
        assert_eq!(removed, obeyed.then_some(Removal::Unidentifiable), "{purpose}");
    }
}

#[test]
fn who_cannot_be_checked_is_not_sent_to() {
    let none = list(0, &[]);
    for (channel, given, removed) in [
        (Channel::Sms, &[][..], true),
        (Channel::Sms, &[(Phone, "bad")][..], true),
        (Channel::Sms, &[(Phone, "{}"), (UserId, "1")], true),
        (Channel::Call, &[(Phone, "bad"), (UserId, "1")], true),
        (Channel::Email, &[(Email, "bad"), (Phone, "+7")], true),
        (Channel::Email, &[(Phone, "bad")], true),
        (Channel::Email, &[(Phone, "bad"), (UserId, "1")], false),
        (Channel::Sms, &[(Email, "{}"), (Phone, "+7")], false),
        (Channel::Sms, &[(UserId, "1")], false),
    ] {
        let verdict = removal(channel, Purpose::Marketing, given, &none);
        assert_eq!(verdict, removed.then_some(Removal::Unidentifiable), "{channel} {given:?}");
    }
}

#[test]
fn unusable_identifiers_that_are_not_the_channels_address_are_counted() {
    let people =
        [person(&[(Email, "bad"), (Phone, "+7"), (UserId, "{}")]), person(&[(Email, "{}"), (Phone, "bad")])];
    let prepared = prepared(Channel::Sms, &people);
    assert_eq!([UserId, Email, Phone].map(|kind| prepared.ignored(kind)), [1, 2, 0]);
}

#[test]
fn every_segment_is_judged_for_its_own_region_and_counted_apart() {
    let people = [person(&[(Phone, "+1")]), person(&[(Phone, "+2")]), person(&[])];
    let segments =
        [("KZ-75".into(), &people[..2]), ("KZ-10".into(), &people[..0]), ("KZ-79".into(), &people)];
    let prepared = prepare(Channel::Sms, segments, &keys(), canonical);
    let list =
        list(0, &[(Phone, "+1", POINT, Removal::OptOut), (Phone, "+2", "KZ-75 sms lulla.kz", Removal::Hold)]);
    let verdicts = judge(&prepared, Purpose::Marketing, "lulla.kz", &list);
    let removed = [None, Some(Removal::Hold), Some(Removal::OptOut), None, Some(Removal::Unidentifiable)];
    assert_eq!(verdicts.removals(), removed);
    let sums: Vec<_> = verdicts.tallies().iter().map(|t| (&*t.region, t.received, t.kept)).collect();
    assert_eq!(sums, [("KZ-75", 2, 1), ("KZ-10", 0, 0), ("KZ-79", 3, 1)]);
    assert_eq!(verdicts.tallies()[2].removed(Removal::OptOut), 1);
    assert_eq!(verdicts.tallies()[2].removed(Removal::Hold), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn received_is_kept_and_removed_for_any_people(
        texts in prop::collection::vec(prop::collection::vec("bad|[0-9]", 0..4), 0..20),
        listed in prop::collection::vec("[0-9]", 0..6),
    ) {
        let people: Vec<_> = texts.iter().map(|texts| {
            person(&IdentifierKind::ALL.iter().copied().zip(texts.iter().map(String::as_str)).collect::<Vec<_>>())
        }).collect();
        let statements: Vec<_> = listed.iter().map(|t| (Phone, &**t, POINT, Removal::Bounce)).collect();
        let verdicts =
            judge(&prepared(Channel::Sms, &people), Purpose::Marketing, "lulla.kz", &list(1, &statements));
        let tally = &verdicts.tallies()[0];
        prop_assert_eq!(tally.received, people.len() as u64);
        prop_assert_eq!(tally.received, tally.kept + tally.removed_in_all());
        for (texts, removal) in texts.iter().zip(verdicts.removals()) {
            let phone = texts.get(Phone as usize);
            let kept = !texts.is_empty() && texts.iter().any(|text| text != "bad")
                && phone.is_none_or(|phone| phone != "bad" && !listed.contains(phone));
            prop_assert_eq!(removal.is_none(), kept);
        }
    }
}
