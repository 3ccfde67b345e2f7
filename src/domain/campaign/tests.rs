//! The sums do not depend on the order of the parts, nor on how often each comes.

use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn part(index: u32, of: u32, regions: &[(&str, u64, u64)]) -> FilteredPart {
    let sums = |received, kept| {
        let mut sums = Sums { received, kept, ..Sums::default() };
        sums.removed[Removal::OptOut as usize] = received - kept;
        sums
    };
    FilteredPart {
        campaign: CampaignKey::of("nauryz"),
        name: "nauryz".into(),
        job: JobMark::of(&format!("j-{index}")),
        index,
        of,
        channel: Channel::Sms,
        brand: "lulla.kz".into(),
        purpose: Purpose::Marketing,
        revision: 100 + u64::from(index),
        filtered_at: Timestamp::from_second(1_795_000_000 + i64::from(index)).unwrap(),
        past_send_until: false,
        regions: regions
            .iter()
            .map(|(code, received, kept)| ((*code).into(), sums(*received, *kept)))
            .collect(),
    }
}

fn all(parts: &[FilteredPart]) -> Campaign {
    let mut campaign = Campaign::begin(&parts[0], NOW);
    for part in &parts[1..] {
        campaign.add(part, NOW);
    }
    campaign
}

#[test]
fn the_sums_are_those_of_all_parts_and_regions_come_in_the_order_of_the_parts() {
    let parts =
        [part(1, 2, &[("KZ-75", 10, 9), ("KZ-10", 5, 5)]), part(0, 2, &[("KZ-79", 7, 7), ("KZ-75", 1, 0)])];
    let campaign = all(&parts);
    assert!(campaign.is_complete() && campaign.missing().is_empty());
    assert_eq!((campaign.revision, campaign.filtered_at), (100, parts[0].filtered_at));
    let regions = campaign.in_order();
    let rows: Vec<_> = regions.iter().map(|(name, sums)| (&***name, sums.received, sums.kept)).collect();
    assert_eq!(rows, [("KZ-79", 7, 7), ("KZ-75", 11, 9), ("KZ-10", 5, 5)]);
    assert_eq!(regions[1].1.removed(Removal::OptOut), 2);
}

#[test]
fn what_parts_differ_in_is_told_of_none() {
    let (mut other, first) = (part(1, 3, &[]), part(0, 3, &[]));
    (other.channel, other.past_send_until) = (Channel::Email, true);
    let campaign = all(&[first, other]);
    let head = &campaign.head;
    assert_eq!((head.channel, head.brand.as_deref()), (None, Some("lulla.kz")));
    assert_eq!((head.purpose, campaign.past_send_until), (Some(Purpose::Marketing), true));
}

#[test]
fn the_first_job_of_an_index_and_the_first_number_of_parts_count() {
    let mut campaign = all(&[part(0, 3, &[("KZ-79", 2, 1)])]);
    let known = campaign.clone();
    let mut afresh = part(0, 3, &[("KZ-79", 2, 0)]);
    afresh.revision = 7;
    assert_eq!(campaign.add(&afresh, NOW), Taken::Repeated, "filtered afresh after a crash");
    assert_eq!(campaign, known);
    let mut other = part(0, 3, &[]);
    other.job = JobMark::of("another");
    assert_eq!(campaign.add(&other, NOW), Taken::Conflicting);
    assert_eq!(campaign.add(&part(1, 4, &[]), NOW), Taken::Conflicting);
    assert_eq!((campaign.head.conflicts, campaign.head.parts, campaign.head.of), (2, 1, 3));
}

#[test]
fn what_is_missing_is_told_in_ranges() {
    for (of, there, missing) in [
        (1, &[0][..], vec![]),
        (3, &[0], vec![1..=2]),
        (9, &[1, 2, 8], vec![0..=0, 3..=7]),
        (PARTS_MAX, &[PARTS_MAX - 1], vec![0..=PARTS_MAX - 2]),
    ] {
        let parts: Vec<_> = there.iter().map(|index| part(*index, of, &[])).collect();
        assert_eq!(all(&parts).missing(), missing);
    }
}

#[test]
fn of_a_long_name_a_beginning_is_kept() {
    let long = "Ә".repeat(NAME_BYTES_MAX);
    assert_eq!(cut(&long).len(), NAME_BYTES_MAX);
    assert_eq!(cut(&format!("x{long}")).len(), NAME_BYTES_MAX - 1);
    assert_eq!(cut("nauryz"), "nauryz");
}

/// Regions with who is kept and who is not.
type Numbers = Vec<(usize, u64, u64)>;

fn numbers() -> impl Strategy<Value = Numbers> {
    proptest::collection::vec((0..4usize, 0..50u64, 0..50u64), 0..4)
}

/// The parts of a campaign, and an order in which each comes at least once.
fn deliveries() -> impl Strategy<Value = (Vec<FilteredPart>, Vec<usize>)> {
    let parts = proptest::collection::vec((numbers(), 0..9u64, any::<bool>()), 1..12).prop_map(|all| {
        let of = u32::try_from(all.len()).unwrap();
        let one = |(index, (regions, revision, past)): (u32, (Numbers, u64, bool))| {
            let mut named: Vec<(&str, u64, u64)> = Vec::new();
            for (region, kept, more) in regions {
                let code = ["KZ-10", "KZ-71", "KZ-75", "KZ-79"][region];
                if !named.iter().any(|(there, ..)| *there == code) {
                    named.push((code, kept + more, kept));
                }
            }
            let mut part = part(index, of, &named);
            (part.revision, part.past_send_until) = (revision, past);
            part.channel = if revision == 0 { Channel::Email } else { Channel::Sms };
            part
        };
        (0..of).zip(all).map(one).collect::<Vec<_>>()
    });
    parts.prop_flat_map(|parts| {
        let again = proptest::collection::vec(0..parts.len(), 0..12);
        let order = again.prop_map({
            let count = parts.len();
            move |again| (0..count).chain(again).collect::<Vec<_>>()
        });
        (Just(parts), order.prop_shuffle())
    })
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_of_parts_gives_the_same_sums((parts, order) in deliveries()) {
        let arrived: Vec<_> = order.iter().map(|index| parts[*index].clone()).collect();
        let campaign = all(&arrived);
        prop_assert!(campaign.is_complete());
        prop_assert_eq!(&campaign, &all(&parts));
        let (received, out) = campaign.in_order().iter().fold((0, 0), |(received, out), (_, sums)| {
            (received + sums.received, out + sums.kept + sums.removed.iter().sum::<u64>())
        });
        prop_assert_eq!(received, out, "received = kept + Σ removed");
    }
}
