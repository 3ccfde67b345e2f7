//! The laws of the merge, against a brute-force expansion of every point.

use proptest::prelude::*;

use super::super::scope::Channels;
use super::*;

const REGIONS: [&str; 3] = ["KZ-10", "KZ-75", "KZ-79"];
const BRANDS: [&str; 2] = ["bilal.kz", "lulla.kz"];

fn names(all: &'static [&'static str]) -> impl Strategy<Value = Names> {
    prop_oneof![
        Just(Names::All),
        proptest::sample::subsequence(all, 1..=all.len())
            .prop_map(|chosen| Names::only(chosen.into_iter().map(Name::from)).unwrap()),
    ]
}

fn scopes() -> impl Strategy<Value = Scope> {
    let channels = prop_oneof![Just(Channels::ALL), (1u8..8).prop_map(|b| Channels::from_bits(b).unwrap())];
    (names(&REGIONS), channels, names(&BRANDS)).prop_map(|(regions, channels, brands)| Scope {
        regions,
        channels,
        brands,
    })
}

fn statement() -> impl Strategy<Value = Statement> {
    let kinds = proptest::sample::select(&EventKind::ALL[..6]);
    (kinds, 0i64..6, scopes())
        .prop_map(|(kind, second, scope)| Statement::of(kind, instant(second), scope).unwrap())
}

fn instant(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn several() -> impl Strategy<Value = Vec<Statement>> {
    proptest::collection::vec(statement(), 0..7)
}

/// The contract in its own words: per point and family the latest wins, at equal times the restricting one.
fn brute_force(said: &[Statement], region: &str, channel: Channel, brand: &str) -> Option<Removal> {
    Families::EACH.into_iter().find_map(|(family, removal)| {
        let best = said
            .iter()
            .filter(|s| s.families.meets(family) && s.scope.covers(region, channel, brand))
            .max_by_key(|s| (s.at, s.restricts))?;
        best.restricts.then_some(removal)
    })
}

/// Every point, one region, brand that nobody names among them.
fn points() -> impl Iterator<Item = (&'static str, Channel, &'static str)> {
    REGIONS.into_iter().chain(["KZ-99"]).flat_map(|region| {
        Channel::ALL.iter().flat_map(move |channel| {
            BRANDS.into_iter().chain(["new.kz"]).map(move |brand| (region, *channel, brand))
        })
    })
}

proptest! {
    #[test]
    fn a_list_answers_like_the_expansion_of_every_point(said in several()) {
        let list = Statements::new(said.clone());
        for (region, channel, brand) in points() {
            prop_assert_eq!(
                list.removal(region, channel, brand),
                brute_force(&said, region, channel, brand)
            );
        }
    }

    #[test]
    fn merging_is_commutative_associative_and_idempotent(a in several(), b in several(), c in several()) {
        let (a, b, c) = (Statements::new(a), Statements::new(b), Statements::new(c));
        prop_assert_eq!(a.merge(&b), b.merge(&a));
        prop_assert_eq!(a.merge(&b).merge(&c), a.merge(&b.merge(&c)));
        prop_assert_eq!(a.merge(&a), a);
    }

    #[test]
    fn one_at_a_time_in_any_order_gives_the_same_list(
        (said, order) in several().prop_flat_map(|s| (Just(s.clone()), Just(s).prop_shuffle()))
    ) {
        let at_once = Kept::new(said);
        let one_by_one = order.into_iter().fold(Kept::default(), |kept, s| kept.with([s]));
        prop_assert_eq!(one_by_one, at_once);
    }

    #[test]
    fn nothing_that_was_said_is_forgotten(said in several()) {
        let kept = Kept::new(said.clone());
        prop_assert_eq!(Kept::new(kept.all().cloned()), kept.clone());
        for statement in &said {
            for (family, _) in Families::EACH {
                let there = kept.all().any(|k| k.families.meets(family) && k.precedence(statement).is_eq());
                prop_assert!(there || !statement.families.meets(family));
            }
        }
    }

    #[test]
    fn a_statement_stands_where_it_decides_a_point(said in several(), one in statement()) {
        let list = Statements::new(said.iter().cloned().chain([one.clone()]));
        let own = one.own_family();
        let decides = |region, channel, brand| {
            one.scope.covers(region, channel, brand)
                && said.iter().all(|s| {
                    !s.families.meets(own) || !s.scope.covers(region, channel, brand)
                        || (s.at, s.restricts) < (one.at, one.restricts)
                })
        };
        if points().any(|(r, c, b)| decides(r, c, b)) {
            prop_assert!(list.stands(&one));
        }
    }
}

#[test]
fn the_size_is_bounded_by_the_points_and_not_by_the_events() {
    let year = (0..2_000).map(|second| {
        let kind = if second % 2 == 0 { EventKind::OptOut } else { EventKind::OptIn };
        Statement::of(kind, instant(second), Scope::ALL).unwrap()
    });
    let kept = Kept::new(year);
    assert_eq!(kept.standing.as_slice().len(), 1);
    assert_eq!(kept.superseded.len(), SUPERSEDED_MAX);
}

#[test]
fn a_release_uncovers_what_lay_beneath() {
    let said = |kind, second| Statement::of(kind, instant(second), Scope::ALL).unwrap();
    let held = Statements::new([said(EventKind::OptOut, 1), said(EventKind::Hold, 2)]);
    assert_eq!(held.removal("KZ-79", Channel::Sms, "lulla.kz"), Some(Removal::Hold));
    let released = held.merge(&Statements::new([said(EventKind::Release, 3)]));
    assert_eq!(released.removal("KZ-79", Channel::Sms, "lulla.kz"), Some(Removal::OptOut));
}

#[test]
fn an_opt_in_lifts_complaints_and_bounces_but_not_a_hold() {
    let said = |kind, second| Statement::of(kind, instant(second), Scope::ALL).unwrap();
    let list = Statements::new([
        said(EventKind::Complaint, 1),
        said(EventKind::Bounce, 2),
        said(EventKind::OptOut, 3),
        said(EventKind::OptIn, 4),
    ]);
    assert_eq!(list.removal("KZ-79", Channel::Email, "lulla.kz"), None);
    let held = list.merge(&Statements::new([said(EventKind::Hold, 0)]));
    assert_eq!(held.removal("KZ-79", Channel::Email, "lulla.kz"), Some(Removal::Hold));
}

#[test]
fn a_late_complaint_stays_lifted_by_an_opt_in_that_a_later_opt_out_superseded() {
    let said = |kind, second| Statement::of(kind, instant(second), Scope::ALL).unwrap();
    let list = Statements::new([
        said(EventKind::OptIn, 5),
        said(EventKind::OptOut, 6),
        said(EventKind::Complaint, 4),
    ]);
    assert_eq!(list.removal("KZ-79", Channel::Email, "lulla.kz"), Some(Removal::OptOut));
    assert!(!list.stands(&said(EventKind::OptIn, 5)), "it stands for complaints, not in its own family");
}
