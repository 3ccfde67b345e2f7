//! What may come in, and what the ledger will say of it.

use std::borrow::Cow;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::domain::catalogue::Region;

const KEYS: [KeyCheck; 2] = [KeyCheck([1; 8]), KeyCheck([2; 8])];
const CANARY: &str = "CANARY";
const RESTRICTING: [EventKind; 4] =
    [EventKind::OptOut, EventKind::Complaint, EventKind::Bounce, EventKind::Hold];
const LIFTING: [EventKind; 2] = [EventKind::OptIn, EventKind::Release];

fn instant(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

fn catalogue() -> Catalogue {
    let region = |code: &str, aliases: &[&str]| Region {
        code: code.into(),
        name: format!("Region {code}"),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
    };
    let regions = vec![region("KZ-61", &["YUZ"]), region("KZ-75", &[]), region("KZ-79", &["YUZ", "SHY"])];
    Catalogue::new(regions, vec!["lulla.kz".to_owned(), "bilal.kz".to_owned()])
}

fn sources() -> BTreeMap<String, SourcePolicy> {
    let source = |may: &[EventKind], users: Option<&[&str]>| SourcePolicy {
        may: may.iter().copied().collect(),
        users: users.map(|users| users.iter().map(|user| (*user).to_owned()).collect()),
        clock: SourceClock::Received,
    };
    BTreeMap::from([
        ("call_center".to_owned(), source(EventKind::ALL, Some(&["callcenter", "backup"]))),
        ("email".to_owned(), source(&RESTRICTING, None)),
        ("closed".to_owned(), source(EventKind::ALL, Some(&[]))),
    ])
}

fn person<'a>(given: &[(IdentifierKind, Given<'a>)]) -> Identifiers<'a> {
    let mut identifiers = Identifiers::default();
    for (kind, given) in given {
        identifiers.set(*kind, given.clone());
    }
    identifiers
}

fn written(text: &str) -> Given<'_> {
    Given::Text(Cow::Borrowed(text))
}

fn event(kind: EventKind) -> Event<'static> {
    let phone = |text| person(&[(IdentifierKind::Phone, written(text))]);
    let changes = kind == EventKind::IdentifierChanged;
    Event {
        event_id: "cc-1",
        source: "call_center",
        kind,
        occurred_at: instant(0),
        subject: if kind.settles() { Identifiers::default() } else { phone("+7 777") },
        also: vec![],
        new_subject: if changes { phone("+7 701") } else { Identifiers::default() },
        scope: Wanted::default(),
        request_id: None,
        requested_by: RequestedBy::Subject,
        agent: Some("op-17"),
        review: None,
        rule: None,
    }
}

/// Everything parses but `bad…`; one digest a key, told by the kind and the key.
fn digests(kind: IdentifierKind, text: &str) -> Option<Vec<Digest>> {
    (!text.starts_with("bad")).then(|| vec![Digest([kind as u8; 16]), Digest([kind as u8 + 10; 16])])
}

fn decided(event: &Event<'_>) -> Result<EventRecord, Refused> {
    let (sources, catalogue) = (sources(), catalogue());
    let future_max = SignedDuration::from_mins(5);
    let calendar = Calendar::none();
    let policy = Policy { sources: &sources, catalogue: &catalogue, calendar: &calendar, future_max };
    let content = vec![[3; 16], [4; 16]];
    decide(event, Taken { received_at: instant(60), keys: &KEYS, content }, &policy, digests)
}

fn permitted(source: &'static str, kind: EventKind, user: Option<&str>) -> bool {
    let (sources, catalogue) = (sources(), catalogue());
    let future_max = SignedDuration::from_mins(5);
    let calendar = Calendar::none();
    let policy = Policy { sources: &sources, catalogue: &catalogue, calendar: &calendar, future_max };
    match permit(&Event { source, ..event(kind) }, user, &policy) {
        Ok(()) => true,
        Err(refused) => {
            assert_eq!((refused.reason, refused.receipt), (DeadReason::NotPermitted, false));
            assert!(refused.detail.starts_with('/'), "{}", refused.detail);
            false
        }
    }
}

fn listed(names: &[&str]) -> Names {
    Names::only(names.iter().map(|name| Arc::from(*name))).unwrap()
}

/// Checks why an event is refused, and that the source hears of it.
fn check_refused(event: &Event<'_>, reason: DeadReason, pointer: &str) {
    let refused = decided(event).unwrap_err();
    assert_eq!((refused.reason, refused.receipt), (reason, true), "{}", event.kind);
    assert_eq!(refused.detail.split(": ").next(), Some(pointer));
    assert!(!refused.detail.contains(CANARY));
}

#[test]
fn a_source_may_send_what_its_settings_list_and_nothing_else() {
    for kind in EventKind::ALL {
        assert!(permitted("call_center", *kind, Some("callcenter")));
        assert_eq!(permitted("email", *kind, None), RESTRICTING.contains(kind), "{kind}");
        assert!(!permitted("unknown", *kind, Some("callcenter")), "an unknown source may nothing");
        assert!(!permitted("Email", *kind, None), "sources are spelled exactly");
        assert!(!permitted("", *kind, None));
    }
}

#[test]
fn only_the_users_of_a_source_may_speak_for_it() {
    for (user, speaks) in [
        (Some("callcenter"), true),
        (Some("backup"), true),
        (Some("Callcenter"), false),
        (Some("orders"), false),
        (Some(""), false),
        (None, false),
    ] {
        assert_eq!(permitted("call_center", EventKind::OptOut, user), speaks, "{user:?}");
        assert!(permitted("email", EventKind::OptOut, user), "a source without users takes anybody");
        assert!(
            !permitted("closed", EventKind::OptOut, user),
            "a source whose users are nobody takes nobody"
        );
    }
}

#[test]
fn what_is_decided_is_all_in_the_record() {
    let mut event = event(EventKind::OptOut);
    event.scope.channels = Some(vec!["sms", "call", "sms"]);
    let record = decided(&event).unwrap();
    assert_eq!(record.key, EventKey::of("call_center", "cc-1"));
    assert_eq!((record.at, record.received_at), (instant(0), instant(60)));
    assert_eq!(record.keys, KEYS);
    assert_eq!(record.content, [[3; 16], [4; 16]]);
    let phone = Subject { kind: IdentifierKind::Phone, digests: vec![Digest([2; 16]), Digest([12; 16])] };
    assert_eq!(record.subject, [phone]);
    assert_eq!(record.scope.channels, Channels::only([Channel::Sms, Channel::Call]).unwrap());
    assert_eq!((&record.scope.regions, &record.scope.brands), (&Names::All, &Names::All));
    assert_eq!(record.remarks, Remarks::default());
    assert_eq!((record.request.as_str(), record.agent.as_deref()), ("call_center:cc-1", Some("op-17")));
    assert_eq!(record.review, None);
    event.request_id = Some("CRM-88");
    assert_eq!(decided(&event).unwrap().request, "CRM-88");
}

#[test]
fn an_event_from_the_future_holds_as_of_now_or_is_refused() {
    // Received at 60; five minutes ahead is still believed.
    for kind in EventKind::ALL {
        for past in [-1_000_000, 0, 60, 360] {
            let occurred_at = instant(past);
            assert_eq!(decided(&Event { occurred_at, ..event(*kind) }).unwrap().at, occurred_at);
        }
        for ahead in [instant(361), Timestamp::MAX] {
            let event = Event { occurred_at: ahead, ..event(*kind) };
            if kind.restricts() {
                assert_eq!(decided(&event).unwrap().at, instant(60), "{kind}");
            } else {
                check_refused(&event, DeadReason::FutureDated, "/occurred_at");
            }
        }
    }
    let just_beyond = instant(360) + SignedDuration::from_micros(1);
    let event = Event { occurred_at: just_beyond, ..event(EventKind::OptIn) };
    check_refused(&event, DeadReason::FutureDated, "/occurred_at");
}

#[test]
fn regions_are_named_by_code_and_by_alias_which_may_stand_for_several() {
    for kind in RESTRICTING.into_iter().chain(LIFTING) {
        for (names, codes) in [
            (vec!["KZ-79"], vec!["KZ-79"]),
            (vec!["shy", "KZ-79"], vec!["KZ-79"]),
            (vec!["YUZ"], vec!["KZ-61", "KZ-79"]),
            (vec!["YUZ", "Region KZ-75"], vec!["KZ-61", "KZ-75", "KZ-79"]),
        ] {
            let mut event = event(kind);
            event.scope.regions = Some(names);
            let record = decided(&event).unwrap();
            assert_eq!(record.scope.regions, listed(&codes));
            assert_eq!(record.remarks.widened, 0);
        }
    }
    let mut event = event(EventKind::OptIn);
    event.scope.brands = Some(vec!["LULLA.kz"]);
    assert_eq!(decided(&event).unwrap().scope.brands, listed(&["lulla.kz"]));
}

#[test]
fn an_unknown_name_widens_its_dimension_when_restricting_and_refuses_when_lifting() {
    for (bit, pointer) in ["/scope/regions", "/scope/channels", "/scope/brands"].into_iter().enumerate() {
        for unknown in [vec![CANARY], vec!["KZ-79", CANARY], vec![""], vec![]] {
            let wanted = || {
                let mut wanted = Wanted {
                    regions: Some(vec!["KZ-79"]),
                    channels: Some(vec!["sms"]),
                    brands: Some(vec!["lulla.kz"]),
                };
                match bit {
                    0 => wanted.regions = Some(unknown.clone()),
                    1 => wanted.channels = Some(unknown.clone()),
                    _ => wanted.brands = Some(unknown.clone()),
                }
                wanted
            };
            for kind in RESTRICTING {
                let record = decided(&Event { scope: wanted(), ..event(kind) }).unwrap();
                assert_eq!(record.remarks.widened, 1 << bit);
                assert_eq!(record.scope.regions == Names::All, bit == 0);
                assert_eq!(record.scope.channels == Channels::ALL, bit == 1);
                assert_eq!(record.scope.brands == Names::All, bit == 2);
            }
            for kind in LIFTING {
                let event = Event { scope: wanted(), ..event(kind) };
                check_refused(&event, DeadReason::UnknownScope, pointer);
            }
        }
    }
}

#[test]
fn the_scope_of_a_changed_identifier_or_a_dismiss_says_nothing() {
    for kind in [EventKind::IdentifierChanged, EventKind::Dismiss, EventKind::Apply] {
        let scope = Wanted { regions: Some(vec![CANARY]), ..Wanted::default() };
        let record = decided(&Event { scope, ..event(kind) }).unwrap();
        assert_eq!((record.scope, record.remarks), (Scope::ALL, Remarks::default()));
    }
}

#[test]
fn without_a_usable_identifier_what_restricts_is_for_review_and_what_lifts_is_refused() {
    let unusable = || {
        person(&[(IdentifierKind::Phone, written("bad CANARY")), (IdentifierKind::UserId, Given::Unusable)])
    };
    for kind in RESTRICTING {
        let record = decided(&Event { subject: unusable(), ..event(kind) }).unwrap();
        assert!(record.review == Some(ReviewMode::Ask) && record.subject.is_empty(), "{kind}");
        assert_eq!(record.remarks.ignored, 0b101);
    }
    for kind in LIFTING.into_iter().chain([EventKind::IdentifierChanged]) {
        let event = Event { subject: unusable(), ..event(kind) };
        check_refused(&event, DeadReason::NoIdentifier, "/subject");
    }
    let event = Event { new_subject: unusable(), ..event(EventKind::IdentifierChanged) };
    check_refused(&event, DeadReason::NoIdentifier, "/new_subject");
}

#[test]
fn what_cannot_be_parsed_is_named_and_the_rest_is_applied() {
    let subject = person(&[
        (IdentifierKind::UserId, written("U-1")),
        (IdentifierKind::Email, written("bad")),
        (IdentifierKind::Phone, written("+7")),
    ]);
    let new_subject =
        person(&[(IdentifierKind::Email, written("a@b.kz")), (IdentifierKind::Phone, Given::Unusable)]);
    for kind in RESTRICTING.into_iter().chain(LIFTING) {
        let record = decided(&Event { subject: subject.clone(), ..event(kind) }).unwrap();
        let kinds: Vec<_> = record.subject.iter().map(|subject| subject.kind).collect();
        assert_eq!(kinds, [IdentifierKind::UserId, IdentifierKind::Phone]);
        assert_eq!((record.remarks.ignored, record.review), (0b010, None));
    }
    let changed = Event { subject, new_subject, ..event(EventKind::IdentifierChanged) };
    let record = decided(&changed).unwrap();
    assert_eq!(record.new_subject.len(), 1);
    assert_eq!(record.remarks.ignored, 0b100_010);
}

fn names() -> impl Strategy<Value = Option<Vec<&'static str>>> {
    let known = ["KZ-61", "KZ-75", "KZ-79", "YUZ", "sms", "call", "email", "lulla.kz", "bilal.kz", "nobody"];
    proptest::option::of(proptest::collection::vec(proptest::sample::select(known.to_vec()), 1..3))
}

/// Whether the source's own words mean this point, taken literally.
fn asks_for(wanted: &Wanted<'_>, region: &str, channel: Channel, brand: &str) -> bool {
    let lies_in = |names: &Option<Vec<&str>>, name: &str, alias: &str| {
        names.as_ref().is_none_or(|names| names.contains(&name) || names.contains(&alias))
    };
    let alias = if region == "KZ-75" { region } else { "YUZ" };
    lies_in(&wanted.regions, region, alias)
        && lies_in(&wanted.channels, channel.as_str(), channel.as_str())
        && lies_in(&wanted.brands, brand, brand)
}

proptest! {
    #[test]
    fn what_restricts_is_never_narrower_than_asked_and_what_lifts_never_wider(
        regions in names(), channels in names(), brands in names(),
        kind in proptest::sample::select([&RESTRICTING[..], &LIFTING[..]].concat()),
    ) {
        let wanted = || Wanted { regions: regions.clone(), channels: channels.clone(), brands: brands.clone() };
        let record = decided(&Event { scope: wanted(), ..event(kind) });
        prop_assert!(record.is_ok() || kind.lifts());
        for region in ["KZ-61", "KZ-75", "KZ-79"] {
            for channel in Channel::ALL {
                for brand in ["lulla.kz", "bilal.kz"] {
                    let asked = asks_for(&wanted(), region, *channel, brand);
                    let covers = record.as_ref().is_ok_and(|r| r.scope.covers(region, *channel, brand));
                    let (narrow, wide) = if kind.lifts() { (covers, asked) } else { (asked, covers) };
                    prop_assert!(wide || !narrow);
                    let exact = record.as_ref().is_ok_and(|record| record.remarks.widened == 0);
                    prop_assert!(!exact || covers == asked, "what is known is taken as asked");
                }
            }
        }
    }
}

#[test]
fn whoever_else_is_named_gets_the_statement_too_each_once() {
    let phone = |text| person(&[(IdentifierKind::Phone, written(text))]);
    let email = || person(&[(IdentifierKind::Email, written("a@b.kz"))]);
    let also = vec![email(), phone("+7 777"), email(), phone("bad")];
    let record = decided(&Event { also, ..event(EventKind::OptOut) }).unwrap();
    let kinds: Vec<_> = record.subject.iter().map(|subject| subject.kind).collect();
    assert_eq!(kinds, [IdentifierKind::Phone, IdentifierKind::Email]);
    assert_eq!(record.remarks.ignored, 1 << 6, "one could not be read");
    let only = Event { subject: phone("bad"), also: vec![email()], ..event(EventKind::OptIn) };
    assert_eq!(decided(&only).unwrap().subject.len(), 1, "one of them is enough");
}

#[test]
fn a_source_may_ask_for_a_person_and_name_its_rule() {
    for mode in ReviewMode::ALL {
        let asked = Event { review: Some(*mode), rule: Some("unsure.object"), ..event(EventKind::OptOut) };
        let record = decided(&asked).unwrap();
        assert_eq!((record.review, record.rule.as_deref()), (Some(*mode), Some("unsure.object")));
        assert_eq!(record.subject.len(), 1);
    }
}

#[test]
fn the_time_of_a_request_runs_from_receipt_or_from_what_its_source_says() {
    let start = |clock, occurred_at| {
        let mut sources = sources();
        sources.get_mut("call_center").unwrap().clock = clock;
        let (catalogue, calendar) = (catalogue(), Calendar::none());
        let future_max = SignedDuration::from_mins(5);
        let policy = Policy { sources: &sources, catalogue: &catalogue, calendar: &calendar, future_max };
        let taken = Taken { received_at: instant(60), keys: &KEYS, content: vec![[3; 16], [4; 16]] };
        let event = Event { occurred_at: instant(occurred_at), ..event(EventKind::OptOut) };
        let record = decide(&event, taken, &policy, digests).unwrap();
        assert_eq!(record.deadline, Some(calendar.deadline(record.starts_at)));
        record.starts_at
    };
    assert_eq!(start(SourceClock::Received, 0), instant(60));
    assert_eq!(start(SourceClock::OccurredAt, 0), instant(0));
    for ahead in [61, 61 + 300, 1_000_000] {
        assert_eq!(start(SourceClock::OccurredAt, ahead), instant(60), "nothing begins in the future");
    }
}

#[test]
fn what_settles_a_request_has_no_deadline_of_its_own() {
    for kind in EventKind::ALL {
        let event = Event { request_id: Some("CRM-88"), ..event(*kind) };
        assert_eq!(decided(&event).unwrap().deadline.is_none(), kind.settles(), "{kind}");
    }
}
