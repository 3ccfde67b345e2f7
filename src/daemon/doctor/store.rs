//! Redis: whether it lets us in, keeps what it is told, takes what it is told, and is the right one.

use std::time::Duration;

use url::Url;

use super::check::{Check, MEND_TLS, at_least, counted};
use super::list;
use crate::domain::fold::Head;
use crate::service::clock::Clock;
use crate::service::ports::List;
use crate::store::{Facts, Heard, Inspection, RedisConfig, RedisList, Unseen, digests_a_hash};
use crate::tls::is_advice;

/// The oldest that the tests run on.
const OLDEST: (u32, u32) = (7, 0);

/// Of its bound, in percent: from here on somebody should make room.
const FULL_SOON_PERCENT: u64 = 75;
/// From here on there is none.
const FULL_PERCENT: u64 = 95;

/// Small hashes are not of one size: on average they must stay so far below what Redis keeps small, in percent.
const HASH_FILL_PERCENT: u64 = 75;

/// With fewer Sentinels, one that is lost takes the majority with it.
const SENTINELS_LEAST: usize = 3;

const MIB: u64 = 1 << 20;

/// Redis's own.
const DEFAULT_PORT: u16 = 6379;

const SERVER: &str = "redis";
const SENTINELS: &str = "redis sentinels";
const PERMISSIONS: &str = "redis permissions";
const EVICTION: &str = "redis eviction";
const MEMORY: &str = "redis memory";
const PERSISTENCE: &str = "redis persistence";
const REPLICAS: &str = "redis replicas";
const HASHES: &str = "redis hashes";
const CLOCK: &str = "clock";

/// What was seen.
pub(super) struct Looked {
    /// Its address, without the password.
    at: String,
    seen: Result<Inspection, Unseen>,
    /// What the Sentinels say, if there are any.
    sentinels: Option<Heard>,
    /// How many replicas a write waits for.
    wait: usize,
    /// The list.
    pub(super) list: list::Read,
}

impl Looked {
    /// Where the list stands, if there is one and it can be read.
    pub(super) fn head(&self) -> Option<&Head> {
        let (head, _) = self.list.as_ref()?.as_ref().ok()?.as_ref()?;
        Some(head)
    }
}

/// Looks at everything.
pub(super) async fn look(config: &RedisConfig, clock: &dyn Clock) -> Looked {
    let mut at = address(&config.url);
    let list = match RedisList::new(config) {
        Ok(list) => list,
        Err(refused) => {
            let seen = Err(Unseen::Refused(refused.to_string()));
            return Looked { at, seen, sentinels: None, wait: 0, list: None };
        }
    };
    let sentinels = list.hear_sentinels().await;
    let seen = list.inspect(clock).await;
    if let Some((host, port)) = list.primary().await {
        at = format!("{host}:{port}");
    }
    let wait = list.wait_replicas();
    let list = match &seen {
        Ok(_) => Some(list.head().await),
        Err(_) => None,
    };
    Looked { at, seen, sentinels, wait, list }
}

/// Host and port alone: the rest may hold a password.
fn address(url: &str) -> String {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(|url| Some((url.host_str()?, url.port().unwrap_or(DEFAULT_PORT))));
    host.map_or_else(|| "a socket of this machine".into(), |(host, port)| format!("{host}:{port}"))
}

/// What is to be said.
pub(super) fn judge(looked: &Looked, skew_max: Duration) -> Vec<Check> {
    let mut checks = judge_server(looked, skew_max);
    checks.extend(looked.sentinels.as_ref().map(sentinels));
    checks
}

fn judge_server(looked: &Looked, skew_max: Duration) -> Vec<Check> {
    let seen = match &looked.seen {
        Ok(seen) => seen,
        Err(Unseen::Refused(why)) => {
            let to_do = "correct user and password in redis.url or redis.password_file, or the user in Redis";
            return vec![Check::fault(SERVER, why.clone(), to_do)];
        }
        Err(Unseen::Away(why)) => {
            let start = "start Redis, or correct redis.url; a worker waits for it meanwhile";
            let to_do = if is_advice(why) { MEND_TLS } else { start };
            return vec![Check::unavailable(SERVER, why.clone(), to_do)];
        }
    };
    let mut checks = vec![permissions(seen)];
    match &seen.facts {
        None => checks.push(Check::skipped(SERVER, "Redis tells our user nothing of itself (INFO)", None)),
        Some(facts) => {
            let digests = looked.head().map_or(0, |head| head.counts.values().sum());
            checks.insert(0, server(&looked.at, facts));
            checks.extend([
                eviction(facts),
                memory(facts),
                persistence(facts),
                replicas(facts, looked.wait, looked.sentinels.is_some()),
                hashes(facts, digests),
            ]);
        }
    }
    checks.extend(seen.skew_ms.map(|skew_ms| clock(skew_ms, skew_max)));
    checks
}

/// Failovers need a majority of them, and whoever looks for the primary one.
fn sentinels(heard: &Heard) -> Check {
    let Heard { asked, answered, .. } = heard;
    let found = format!("{answered} of {asked} that redis.url names answer");
    if heard.primary.is_none() {
        let found = format!("{found}: {}", heard.silent.join("; "));
        return Check::unavailable(SENTINELS, found, "start them, or correct redis.url");
    }
    if answered < asked {
        let found = format!("{found}: {}", heard.silent.join("; "));
        return Check::warning(SENTINELS, found, "start those that are away, or take them out of redis.url");
    }
    if *asked < SENTINELS_LEAST {
        let to_do = "run three or more on machines of their own, and name all of them in redis.url";
        return Check::warning(SENTINELS, format!("{found}: a failover needs a majority of them"), to_do);
    }
    Check::ok(SENTINELS, found)
}

fn permissions(seen: &Inspection) -> Check {
    if seen.refused.is_empty() {
        return Check::ok(PERMISSIONS, "our user may run every command that is needed");
    }
    let found = format!("our user may not run {} on keys under redis.prefix", seen.refused.join(", "));
    Check::fault(PERMISSIONS, found, "give it what deploy/redis/users.acl gives to `suppressd`")
}

fn server(at: &str, facts: &Facts) -> Check {
    let is = format!("Redis {} at {at}", facts.version);
    if !at_least(&facts.version, OLDEST) {
        let found = format!("{is} is older than {}.{}", OLDEST.0, OLDEST.1);
        return Check::fault(SERVER, found, "upgrade Redis");
    }
    if !facts.primary {
        return Check::fault(SERVER, format!("{is} is a replica"), "let redis.url lead to the primary");
    }
    Check::ok(SERVER, format!("{is}, a primary"))
}

fn eviction(facts: &Facts) -> Check {
    let policy = &facts.policy;
    if policy == "noeviction" {
        return Check::ok(EVICTION, "it never evicts keys");
    }
    let found = format!("it may evict keys (maxmemory-policy {policy}), which loses opt-outs silently");
    Check::fault(EVICTION, found, "set `maxmemory-policy noeviction` in redis.conf and by CONFIG SET")
}

fn memory(facts: &Facts) -> Check {
    let (bound, of) = match facts.max_bytes {
        0 => (facts.machine_bytes, "the machine has"),
        max => (max, "maxmemory allows"),
    };
    if bound == 0 {
        return Check::skipped(MEMORY, "Redis does not tell how much it may use", None);
    }
    let percent = facts.used_bytes.saturating_mul(100) / bound;
    let found = format!("it uses {} of the {} MiB that {of}", mib(facts.used_bytes), bound / MIB);
    let to_do = "give it room: once it is full it refuses writes, and nothing goes out";
    match percent {
        FULL_PERCENT.. => Check::fault(MEMORY, found, to_do),
        FULL_SOON_PERCENT.. => Check::warning(MEMORY, found, to_do),
        _ => Check::ok(MEMORY, found),
    }
}

/// Rounded up: a server uses more than nothing.
fn mib(bytes: u64) -> String {
    bytes.div_ceil(MIB).to_string()
}

fn persistence(facts: &Facts) -> Check {
    if facts.disk_failed {
        let to_do = "see its log and its disk: it may refuse writes until it can write there";
        return Check::fault(PERSISTENCE, "it failed to write to its disk", to_do);
    }
    let refill = "after a restart the list is filled from the ledger, which takes its time";
    match (facts.appends, facts.fsync.as_deref()) {
        (false, _) => Check::warning(
            PERSISTENCE,
            format!("appendonly no: {refill}"),
            "set `appendonly yes` in redis.conf",
        ),
        (true, Some("no")) => Check::warning(
            PERSISTENCE,
            "appendfsync no: a power cut loses much, all of which must come back from the ledger",
            "set `appendfsync everysec` in redis.conf",
        ),
        (true, Some(fsync)) => Check::ok(PERSISTENCE, format!("appendonly yes, appendfsync {fsync}")),
        (true, None) => Check::ok(PERSISTENCE, "appendonly yes"),
    }
}

fn replicas(facts: &Facts, wait: usize, sentinels: bool) -> Check {
    let there = counted(facts.replicas as u64, "replica", "replicas");
    // Half of all servers, the primary among them, rounded down.
    let half = usize::midpoint(facts.replicas, 1);
    if wait > facts.replicas {
        let found =
            format!("redis.wait_replicas is {wait}, but there is {there}: nothing would be acknowledged");
        // One that is away still counts: fewer would do only if it never came back.
        let to_do = if sentinels {
            "start the replicas that are away".into()
        } else {
            format!("attach replicas, or set redis.wait_replicas to {half}")
        };
        return Check::fault(REPLICAS, found, to_do);
    }
    if wait < half {
        let found =
            format!("redis.wait_replicas is {wait} with {there}: a failover may lose acknowledged opt-outs");
        return Check::warning(REPLICAS, found, format!("set redis.wait_replicas to {half}"));
    }
    if facts.replicas > 0 && facts.replicas_min == Some(0) {
        let found = format!("{there}, but a primary that has lost them goes on (min-replicas-to-write 0)");
        return Check::warning(
            REPLICAS,
            found,
            "set `min-replicas-to-write` and `min-replicas-max-lag` in redis.conf",
        );
    }
    Check::ok(REPLICAS, format!("{there}, redis.wait_replicas is {wait}"))
}

fn hashes(facts: &Facts, digests: u64) -> Check {
    let Some(max) = facts.hash_entries_max else {
        return Check::skipped(HASHES, "Redis does not tell hash-max-listpack-entries", None);
    };
    let mean = digests_a_hash(digests);
    let found = format!("{} in a hash, hash-max-listpack-entries {max}", counted(mean, "digest", "digests"));
    if mean * 100 >= max * HASH_FILL_PERCENT {
        let enough = (mean * 100 / HASH_FILL_PERCENT + 1).next_power_of_two();
        let to_do = format!(
            "set `hash-max-listpack-entries {enough}` in redis.conf: beyond it the list takes three times the memory"
        );
        return Check::warning(HASHES, found, to_do);
    }
    Check::ok(HASHES, found)
}

fn clock(skew_ms: i64, max: Duration) -> Check {
    let found =
        format!("this clock is {skew_ms} ms off Redis's; limits.clock_skew_max_s allows {} s", max.as_secs());
    let (skew, to_do) = (u128::from(skew_ms.unsigned_abs()), "mend NTP on this machine or on Redis's");
    if skew > max.as_millis() {
        return Check::fault(CLOCK, format!("{found}: a worker here would take no events"), to_do);
    }
    if skew * 2 > max.as_millis() {
        return Check::warning(CLOCK, found, to_do);
    }
    Check::ok(CLOCK, found)
}

#[cfg(test)]
mod tests;
