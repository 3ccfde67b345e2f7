//! Each judgement, over what a Redis may say.

use super::super::check::Verdict;
use super::*;

/// A Redis with which nothing is wrong.
fn well() -> Facts {
    Facts {
        version: "7.0.15".into(),
        primary: true,
        replicas: 0,
        policy: "noeviction".into(),
        used_bytes: 10 * MIB,
        max_bytes: 100 * MIB,
        machine_bytes: 4096 * MIB,
        appends: true,
        disk_failed: false,
        fsync: Some("everysec".into()),
        hash_entries_max: Some(512),
        replicas_min: Some(0),
    }
}

fn says(check: &Check, verdict: Verdict, word: &str) {
    assert_eq!(check.verdict, verdict, "{check:?}");
    let text = format!("{} {}", check.found, check.to_do.as_deref().unwrap_or_default());
    assert!(text.contains(word), "{word} is not in {check:?}");
    let mendable = matches!(verdict, Verdict::Warning | Verdict::Fault | Verdict::Unavailable);
    assert_eq!(check.to_do.is_some(), mendable, "{check:?}");
}

#[test]
fn a_server_is_new_enough_and_a_primary() {
    says(&server("h:1", &well()), Verdict::Ok, "7.0.15 at h:1");
    says(&server("h:1", &Facts { version: "6.2.7".into(), ..well() }), Verdict::Fault, "older than 7.0");
    says(&server("h:1", &Facts { version: "8.0.0".into(), ..well() }), Verdict::Ok, "8.0.0");
    says(&server("h:1", &Facts { primary: false, ..well() }), Verdict::Fault, "lead to the primary");
}

#[test]
fn a_server_that_may_evict_is_a_fault() {
    says(&eviction(&well()), Verdict::Ok, "never");
    says(&eviction(&Facts { policy: "allkeys-lru".into(), ..well() }), Verdict::Fault, "noeviction");
}

#[test]
fn memory_is_measured_by_the_bound_that_there_is() {
    says(&memory(&well()), Verdict::Ok, "10 of the 100 MiB that maxmemory allows");
    says(&memory(&Facts { used_bytes: 75 * MIB, ..well() }), Verdict::Warning, "room");
    says(&memory(&Facts { used_bytes: 95 * MIB, ..well() }), Verdict::Fault, "refuses writes");
    says(&memory(&Facts { max_bytes: 0, ..well() }), Verdict::Ok, "4096 MiB that the machine has");
    says(&memory(&Facts { max_bytes: 0, machine_bytes: 0, ..well() }), Verdict::Skipped, "not tell");
}

#[test]
fn persistence_saves_time_and_a_failing_disk_is_a_fault() {
    says(&persistence(&well()), Verdict::Ok, "appendfsync everysec");
    says(&persistence(&Facts { fsync: None, ..well() }), Verdict::Ok, "appendonly yes");
    says(&persistence(&Facts { appends: false, ..well() }), Verdict::Warning, "appendonly yes");
    says(&persistence(&Facts { fsync: Some("no".into()), ..well() }), Verdict::Warning, "everysec");
    says(&persistence(&Facts { disk_failed: true, ..well() }), Verdict::Fault, "disk");
}

#[test]
fn replicas_are_waited_for_by_half_of_the_servers() {
    for (there, min, wait, verdict, word) in [
        (0, 0, 0, Verdict::Ok, "0 replicas"),
        (0, 0, 1, Verdict::Fault, "set redis.wait_replicas to 0"),
        (1, 1, 0, Verdict::Warning, "set redis.wait_replicas to 1"),
        (1, 1, 1, Verdict::Ok, "1 replica,"),
        (2, 1, 1, Verdict::Ok, "2 replicas"),
        (2, 0, 1, Verdict::Warning, "min-replicas-to-write"),
        (4, 2, 1, Verdict::Warning, "set redis.wait_replicas to 2"),
        (1, 1, 2, Verdict::Fault, "nothing would be acknowledged"),
    ] {
        let facts = Facts { replicas: there, replicas_min: Some(min), ..well() };
        says(&replicas(&facts, wait, false), verdict, word);
    }
    says(&replicas(&well(), 1, true), Verdict::Fault, "start the replicas that are away");
}

#[test]
fn sentinels_are_three_and_all_of_them_there() {
    let there = Some(("h".to_owned(), 1));
    for (asked, answered, primary, verdict, word) in [
        (3, 3, &there, Verdict::Ok, "3 of 3"),
        (3, 2, &there, Verdict::Warning, "2 of 3 that redis.url names answer: s3:1"),
        (1, 1, &there, Verdict::Warning, "run three"),
        (3, 0, &None, Verdict::Unavailable, "correct redis.url"),
    ] {
        let silent = if answered < asked { vec!["s3:1 cannot be used".into()] } else { vec![] };
        let heard = Heard { primary: primary.clone(), asked, answered, silent };
        says(&sentinels(&heard), verdict, word);
    }
}

#[test]
fn small_hashes_must_stay_small() {
    const MILLION: u64 = 1_000_000;
    let small = Facts { hash_entries_max: Some(128), ..well() };
    says(&hashes(&well(), 10 * MILLION), Verdict::Ok, "77 digests in a hash");
    says(&hashes(&small, 10 * MILLION), Verdict::Ok, "128");
    says(&hashes(&small, 16 * MILLION), Verdict::Warning, "hash-max-listpack-entries 256");
    says(&hashes(&well(), 100 * MILLION), Verdict::Warning, "hash-max-listpack-entries 1024");
    says(&hashes(&Facts { hash_entries_max: None, ..well() }, 0), Verdict::Skipped, "not tell");
    says(&hashes(&well(), 0), Verdict::Ok, "0 digests");
}

#[test]
fn a_clock_that_is_off_is_told_before_it_stops_events() {
    let minute = Duration::from_mins(1);
    for (skew_ms, verdict) in [
        (0, Verdict::Ok),
        (-30_000, Verdict::Ok),
        (30_001, Verdict::Warning),
        (-60_000, Verdict::Warning),
        (60_001, Verdict::Fault),
        (-3_600_000, Verdict::Fault),
    ] {
        says(&clock(skew_ms, minute), verdict, &skew_ms.to_string());
    }
}

fn looked(seen: Result<Inspection, Unseen>) -> Looked {
    Looked { at: "h:1".into(), seen, sentinels: None, wait: 0, list: None }
}

fn names(looked: &Looked) -> Vec<(String, Verdict)> {
    let checks = judge(looked, Duration::from_mins(1));
    checks.into_iter().map(|check| (check.name, check.verdict)).collect()
}

#[test]
fn a_server_that_is_away_is_told_in_one_line() {
    assert_eq!(names(&looked(Err(Unseen::Away("x".into())))), [("redis".into(), Verdict::Unavailable)]);
    assert_eq!(names(&looked(Err(Unseen::Refused("x".into())))), [("redis".into(), Verdict::Fault)]);
}

#[test]
fn what_may_not_be_run_is_named_and_the_rest_is_told_all_the_same() {
    let refused = vec!["HSET".into(), "SCRIPT|LOAD".into()];
    let seen = Inspection { skew_ms: None, refused: refused.clone(), facts: None };
    says(&permissions(&seen), Verdict::Fault, "HSET, SCRIPT|LOAD");
    let silent = [("redis permissions".into(), Verdict::Fault), ("redis".into(), Verdict::Skipped)];
    assert_eq!(names(&looked(Ok(seen))), silent);
    let seen = Inspection { skew_ms: Some(0), refused: vec![], facts: Some(well()) };
    let told = names(&looked(Ok(seen)));
    assert_eq!(told.len(), 8, "{told:?}");
    assert!(told.iter().all(|(_, verdict)| *verdict == Verdict::Ok), "{told:?}");
}

#[test]
fn an_address_is_told_without_whoever_logs_in_there() {
    for (url, at) in [
        ("redis://u:hunter2@h:6380/0", "h:6380"),
        ("rediss://:hunter2@h", "h:6379"),
        ("redis://[::1]:1", "[::1]:1"),
        ("redis+unix:///run/redis.sock?pass=hunter2", "a socket of this machine"),
        ("hunter2", "a socket of this machine"),
    ] {
        assert_eq!(address(url), at, "{url}");
    }
}
