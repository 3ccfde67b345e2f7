//! What Redis is and how it is set up, for `suppressd doctor`. Everything is asked for and nothing written.
//!
//! A server may refuse to tell of itself; what it does not tell is `None`, and no reason to fail.

use std::collections::HashMap;

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, FromRedisValue, RedisError, ServerErrorKind, cmd};

use super::connection::{LOGIN_REFUSED, describe};
use super::keys::BUCKETS;
use super::list::RedisList;
use super::permissions;
use super::sentinels::Heard;
use crate::service::clock::Clock;
use crate::service::ports::ListFault;

/// Why nothing is known of a Redis.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unseen {
    /// It is away, for now.
    #[error("{0}")]
    Away(String),
    /// It does not let us in: somebody must mend that.
    #[error("{0}")]
    Refused(String),
}

/// What was asked of Redis.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// Our clock minus its own, in milliseconds.
    pub skew_ms: Option<i64>,
    /// Commands that the user may not run, as `users.acl` names them.
    pub refused: Vec<String>,
    /// What it says of itself.
    pub facts: Option<Facts>,
}

/// What Redis says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Its version.
    pub version: String,
    /// Whether it is a primary.
    pub primary: bool,
    /// How many replicas it has.
    pub replicas: usize,
    /// What it does when it is full.
    pub policy: String,
    /// Bytes in use.
    pub used_bytes: u64,
    /// Bytes that it may use; 0: any number.
    pub max_bytes: u64,
    /// Bytes that the machine has.
    pub machine_bytes: u64,
    /// Whether it writes down what it is told.
    pub appends: bool,
    /// Whether that, or its last snapshot, failed: it may refuse writes.
    pub disk_failed: bool,
    /// How often what it writes down is made safe.
    pub fsync: Option<String>,
    /// How many fields a small hash may have.
    pub hash_entries_max: Option<u64>,
    /// How many replicas must be there for it to take writes.
    pub replicas_min: Option<u64>,
}

/// How many digests, on average, are in one small hash of a list that has so many.
pub fn digests_a_hash(digests: u64) -> u64 {
    digests.div_ceil(u64::from(BUCKETS))
}

impl RedisList {
    /// What every Sentinel says, if there are any.
    pub async fn hear_sentinels(&self) -> Option<Heard> {
        let sentinels = self.sentinels.as_ref()?;
        Some(sentinels.hear(usize::MAX).await)
    }

    /// Host and port of the server that is asked, by the Sentinels' word.
    pub async fn primary(&self) -> Option<(String, u16)> {
        self.work.at().await
    }

    /// Asks all that a command on a command line wants to know.
    pub async fn inspect(&self, clock: &dyn Clock) -> Result<Inspection, Unseen> {
        let mut connection = match self.work.get().await {
            Ok(connection) => connection,
            Err(fault) if fault.to_string().ends_with(LOGIN_REFUSED) => {
                return Err(Unseen::Refused(fault.to_string()));
            }
            Err(fault) => return Err(Unseen::Away(fault.to_string())),
        };
        let before = clock.now();
        let time: Option<(i64, i64)> = asked(&mut connection, &["TIME"]).await?;
        let skew_ms = time.map(|(seconds, micros)| {
            // As of the middle of the question and the answer.
            let ours = i64::midpoint(before.as_microsecond(), clock.now().as_microsecond());
            (ours - seconds * 1_000_000 - micros) / 1000
        });
        let key = format!("{}doctor", self.keys.tag());
        let refused = match permissions::refused(&mut connection, &key).await {
            Ok(refused) => refused,
            Err(error) => permitted::<()>(Err(error))?.map_or_else(|| vec!["EVAL".into()], |()| vec![]),
        };
        let info: Option<String> = asked(&mut connection, &["INFO"]).await?;
        let mut settings = HashMap::new();
        for name in ["appendfsync", "hash-max-listpack-entries", "min-replicas-to-write"] {
            let told: Option<HashMap<String, String>> =
                asked(&mut connection, &["CONFIG", "GET", name]).await?;
            settings.extend(told.unwrap_or_default());
        }
        Ok(Inspection { skew_ms, refused, facts: info.map(|info| read(&info, &settings)) })
    }
}

/// The answer; `None`: it may not be asked.
async fn asked<T: FromRedisValue>(
    connection: &mut MultiplexedConnection,
    words: &[&str],
) -> Result<Option<T>, Unseen> {
    let mut question = cmd(words[0]);
    question.arg(&words[1..]);
    permitted(question.query_async(connection).await)
}

/// Tells an outage and a refused login from a question that this user, or on this server nobody, may ask.
fn permitted<T>(answer: Result<T, RedisError>) -> Result<Option<T>, Unseen> {
    let error = match answer {
        Ok(value) => return Ok(Some(value)),
        Err(error) => error,
    };
    match (error.kind(), error.code()) {
        (ErrorKind::AuthenticationFailed, _) | (_, Some("NOAUTH" | "WRONGPASS")) => {
            Err(Unseen::Refused(ListFault::Unavailable(LOGIN_REFUSED.into()).to_string()))
        }
        (ErrorKind::Server(ServerErrorKind::NoPerm | ServerErrorKind::ResponseError), _) => Ok(None),
        _ => Err(Unseen::Away(ListFault::Unavailable(describe(&error)).to_string())),
    }
}

/// What it says of itself out of its report and its settings.
fn read(info: &str, settings: &HashMap<String, String>) -> Facts {
    let told: HashMap<&str, &str> = info.lines().filter_map(|line| line.trim_end().split_once(':')).collect();
    let text = |name: &str| told.get(name).copied().unwrap_or_default();
    let number = |name: &str| text(name).parse().unwrap_or_default();
    let set = |name: &str| settings.get(name).map(String::as_str);
    let failed = |name: &str| text(name) == "err";
    Facts {
        version: text("redis_version").to_owned(),
        primary: text("role") == "master",
        replicas: text("connected_slaves").parse().unwrap_or_default(),
        policy: text("maxmemory_policy").to_owned(),
        used_bytes: number("used_memory"),
        max_bytes: number("maxmemory"),
        machine_bytes: number("total_system_memory"),
        appends: text("aof_enabled") == "1",
        disk_failed: failed("aof_last_write_status") || failed("rdb_last_bgsave_status"),
        fsync: set("appendfsync").map(ToOwned::to_owned),
        hash_entries_max: set("hash-max-listpack-entries").and_then(|value| value.parse().ok()),
        replicas_min: set("min-replicas-to-write").and_then(|value| value.parse().ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "# Server\r\nredis_version:7.0.15\r\n# Memory\r\nused_memory:1000\r\nmaxmemory:0\r\n\
        total_system_memory:4000\r\nmaxmemory_policy:noeviction\r\n# Persistence\r\naof_enabled:1\r\n\
        aof_last_write_status:ok\r\nrdb_last_bgsave_status:err\r\n# Replication\r\nrole:master\r\n\
        connected_slaves:2\r\n";

    #[test]
    fn what_redis_says_of_itself_is_read() {
        let settings =
            [("appendfsync".into(), "everysec".into()), ("min-replicas-to-write".into(), "1".into())];
        let expected = Facts {
            version: "7.0.15".into(),
            primary: true,
            replicas: 2,
            policy: "noeviction".into(),
            used_bytes: 1000,
            max_bytes: 0,
            machine_bytes: 4000,
            appends: true,
            disk_failed: true,
            fsync: Some("everysec".into()),
            hash_entries_max: None,
            replicas_min: Some(1),
        };
        assert_eq!(read(INFO, &settings.into()), expected);
    }

    #[test]
    fn a_server_that_says_nothing_is_no_reason_to_fail() {
        assert_eq!(read("", &HashMap::new()), Facts::default());
    }

    #[test]
    fn digests_are_counted_a_hash_as_the_guide_counts_them() {
        assert_eq!(digests_a_hash(100_000_000), 763);
        assert_eq!(digests_a_hash(0), 0);
    }
}
