//! The scripts in Redis, held to the rule that they carry out, under the shipped permissions; and what a campaign
//! costs there.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use suppressd::domain::campaign::{Campaign, FilteredPart, PARTS_MAX, Sums};
use suppressd::domain::record::{CampaignKey, JobMark, Nonce};
use suppressd::domain::words::{Channel, Purpose};
use suppressd::service::ports::{Campaigns, Standing, Taken};
use suppressd::store::{Listed, RedisConfig, RedisList};
use suppressd::tls::TlsFiles;

use crate::faults::random::Random;
use crate::support::{Persistence, Redis, SOON, eventually, leash};

const KEPT: Duration = Duration::from_hours(1);
const ME: Nonce = Nonce([1; 16]);
const YOU: Nonce = Nonce([2; 16]);

fn redis() -> Redis {
    Redis::start(&leash::directory("campaigns-"), Persistence::None)
}

fn connect(redis: &Redis) -> RedisList {
    let config = RedisConfig {
        url: redis.url(),
        sentinels: None,
        password: None,
        tls: TlsFiles::default(),
        prefix: "suppressd".into(),
        response_timeout: SOON,
        wait_replicas: None,
    };
    RedisList::new(&config).unwrap()
}

fn part(campaign: &str, index: u32, of: u32, regions: u32) -> FilteredPart {
    let sums = |n: u32| Sums { received: u64::from(n) + 9, kept: u64::from(n) + 4, removed: [0, 3, 1, 0, 1] };
    FilteredPart {
        campaign: CampaignKey::of(campaign),
        name: campaign.into(),
        job: JobMark::of(&format!("job {index}")),
        index,
        of,
        channel: Channel::Sms,
        brand: "lulla.kz".into(),
        purpose: Purpose::Marketing,
        revision: 18_231,
        filtered_at: Timestamp::from_second(1_795_000_000 + i64::from(index)).unwrap(),
        past_send_until: false,
        regions: (0..regions).map(|region| (format!("KZ-{}", 10 + region).into(), sums(region))).collect(),
    }
}

/// A part like those that come in, and some that should not.
fn odd_part(random: &mut Random, of: u32) -> FilteredPart {
    let mut part = part("odd", random.below(of), of, 0);
    if random.below(9) == 0 {
        part.job = JobMark::of("another");
    }
    if random.below(9) == 0 {
        part.of += 1;
    }
    if random.below(20) == 0 {
        part.channel = Channel::Email;
        part.brand = "bilal.kz".into();
        part.purpose = Purpose::ServiceNotice;
    }
    part.revision = u64::from(random.below(5)) + u64::from(u32::MAX) * 1000;
    part.filtered_at = Timestamp::from_second(1_795_000_000 + i64::from(random.below(9))).unwrap();
    part.past_send_until = random.below(30) == 0;
    for region in ["KZ-79", "KZ-75", "0", "r0", "Ә|é"] {
        if random.below(2) == 0 {
            let mut sums = Sums { kept: u64::from(random.below(3)) << 40, ..Sums::default() };
            sums.removed[random.below(5) as usize] = 3;
            sums.received = sums.kept + 3;
            let place = random.below(u32::try_from(part.regions.len()).unwrap() + 1);
            part.regions.insert(place as usize, (region.into(), sums));
        }
    }
    part
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_counts_as_the_rule_does() {
    let redis = redis();
    let list = connect(&redis);
    let mut random = Random::new(3);
    for round in 0..60 {
        let of = [1, 2, 7, 128, 129, 300][round % 6];
        let key = CampaignKey::of("odd");
        let mut model: Option<Campaign> = None;
        for step in 0..3 * of {
            let part = odd_part(&mut random, of);
            let mut expected = Taken::Counted;
            match &mut model {
                Some(campaign) => expected = campaign.add(&part, Timestamp::UNIX_EPOCH),
                None => model = Some(Campaign::begin(&part, Timestamp::UNIX_EPOCH)),
            }
            let (taken, standing) = list.record(&part, ME, KEPT).await.unwrap();
            assert_eq!(taken, expected, "round {round}, step {step}");
            let complete = model.as_ref().unwrap().is_complete() && taken != Taken::Conflicting;
            assert_eq!(standing, if complete { Standing::Mine } else { Standing::Incomplete });
        }
        let mut found = list.campaign(key).await.unwrap().unwrap();
        let mut model = model.unwrap();
        for head in [&mut found.head, &mut model.head] {
            (head.began_at, head.last_at) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        }
        assert_eq!(found, model, "round {round}");
        assert!(list.forget_campaign(key).await.unwrap());
    }
    assert_eq!(redis.run("DBSIZE").await, redis::Value::Int(0), "nothing is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_holds_the_claim_until_it_reports_or_its_time_is_over() {
    let redis = redis();
    let list = connect(&redis);
    let only = part("c", 0, 1, 1);
    let standing = async |holder| list.record(&only, holder, KEPT).await.unwrap().1;
    assert_eq!(standing(ME).await, Standing::Mine);
    assert_eq!((standing(YOU).await, standing(ME).await), (Standing::Others, Standing::Mine));
    redis.run(&format!("HSET {{suppressd}}:campaign:{} until 1", only.campaign)).await;
    assert_eq!((standing(YOU).await, standing(ME).await), (Standing::Mine, Standing::Others));
    assert_eq!(list.incomplete().await.unwrap().0, 1);
    list.reported(only.campaign, KEPT).await.unwrap();
    assert_eq!((standing(ME).await, standing(YOU).await), (Standing::Reported, Standing::Reported));
    assert_eq!(list.incomplete().await.unwrap(), (0, None));
    list.reported(CampaignKey::of("unknown"), KEPT).await.unwrap();
    assert_eq!(list.campaign(CampaignKey::of("unknown")).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_is_forgotten_when_its_time_is_over() {
    let redis = redis();
    let list = connect(&redis);
    list.record(&part("old", 0, 2, 1), ME, Duration::from_millis(50)).await.unwrap();
    list.record(&part("new", 0, 2, 1), ME, KEPT).await.unwrap();
    let gone = async || list.campaign(CampaignKey::of("old")).await.unwrap().is_none().then_some(());
    eventually("Redis forgets it", SOON, gone).await;
    #[expect(clippy::disallowed_methods, reason = "a test stands outside: its clock is the machine's")]
    let now = Timestamp::now();
    let listed = list.campaigns(Listed::Incomplete, now, 0, 10).await.unwrap();
    assert_eq!(listed.iter().map(|head| &*head.name).collect::<Vec<_>>(), ["new"]);
    let (count, since) = list.incomplete().await.unwrap();
    assert!(count == 1 && since.is_some());
    assert_eq!(redis.run("ZCARD {suppressd}:campaigns").await, redis::Value::Int(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_of_ten_thousand_parts_in_twenty_regions_stays_small_in_redis() {
    let redis = redis();
    let list = connect(&redis);
    let mut sizes = Vec::new();
    for (name, of, parts, regions) in
        [("small", 12, 12, 1), ("large", 10_000, 10_000, 20), ("widest", PARTS_MAX, 2_000, 20)]
    {
        let began = Instant::now();
        for index in 0..parts {
            // Of the widest, so many parts that every field is there.
            let index = index * (of / parts) + of / parts - 1;
            list.record(&part(name, index, of, regions), ME, KEPT).await.unwrap();
        }
        let each = began.elapsed() / parts;
        let stats: String = redis::from_redis_value(redis.run("INFO commandstats").await).unwrap();
        let spent =
            stats.lines().find(|line| line.starts_with("cmdstat_evalsha:")).unwrap_or_default().to_owned();
        redis.run("CONFIG RESETSTAT").await;
        let key = format!("{{suppressd}}:campaign:{}", CampaignKey::of(name));
        let redis::Value::Int(bytes) = redis.run(&format!("MEMORY USAGE {key} SAMPLES 0")).await else {
            panic!("a number of bytes");
        };
        println!(
            "{name}: {of} parts, {regions} regions: {bytes} bytes, {each:?} a part with its round trip; {spent}"
        );
        sizes.push(bytes);
    }
    assert!(sizes[0] < 1_000 && sizes[1] < 100_000 && sizes[2] < 1_000_000, "{sizes:?}");
}
