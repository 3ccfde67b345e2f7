//! The primary, and the number of servers, by the word of the Sentinels.
//!
//! All are asked at once and a majority is enough: one that is away costs no time, and of several words the newest
//! configuration counts, so that one that was cut off does not lead back to the old primary. Their word is only where
//! to look: that a write cannot be lost is shown by `WAIT`, and that the list is whole by the fence.
//!
//! The number of servers never falls while a worker lives. A Sentinel that was reset or has just started knows of too
//! few, and with too few replicas waited for a failover loses what was acknowledged; with too many, work waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::{AsyncConnectionConfig, ConnectionInfo, RedisConnectionInfo, RedisError, cmd};
use tokio::time::timeout;

use super::connection::{LOGIN_REFUSED, RedisRefused, describe};
use super::node::{At, Node};
use crate::tls::TlsFiles;

/// How long one Sentinel may take, from the connection to its last word.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// What to do about a login.
const LOGIN: &str = "set redis.sentinel_password_file, and redis.sentinel_user if it has users";

/// Who says which server is the primary.
#[derive(Clone)]
pub struct SentinelConfig {
    /// Where they are: all of them.
    pub hosts: Vec<(String, u16)>,
    /// How they call the primary.
    pub primary: String,
    /// As whom they are asked, if they have users.
    pub user: Option<String>,
    /// What they ask for, if they do.
    pub password: Option<String>,
}

/// What all of the Sentinels together say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Host and port of the primary.
    pub primary: Option<(String, u16)>,
    /// How many were asked.
    pub asked: usize,
    /// How many answered.
    pub answered: usize,
    /// Why the others did not.
    pub silent: Vec<String>,
}

/// The Sentinels of one primary.
pub(super) struct Sentinels {
    hosts: Vec<At>,
    primary: String,
    node: Node,
    /// The most that anybody has told of: primary and replicas, those that are away too.
    servers: AtomicUsize,
}

/// One Sentinel's word.
#[derive(Debug, PartialEq, Eq)]
struct Word {
    primary: At,
    /// Grows with each failover.
    epoch: u64,
    replicas: usize,
}

impl Sentinels {
    /// Connects to nothing yet. `data` is how the servers that they name are reached: with or without TLS.
    pub(super) fn new(
        config: &SentinelConfig,
        data: &ConnectionInfo,
        files: &TlsFiles,
    ) -> Result<Self, RedisRefused> {
        let mut login = RedisConnectionInfo::default();
        if let Some(user) = &config.user {
            login = login.set_username(user);
        }
        if let Some(password) = &config.password {
            login = login.set_password(password);
        }
        let node = Node::new(data.clone().set_redis_settings(login), files, ANSWER_TIMEOUT)?;
        let (hosts, primary) = (config.hosts.clone(), config.primary.clone());
        Ok(Self { hosts, primary, node, servers: AtomicUsize::new(0) })
    }

    /// Where the primary is, or why nobody says.
    pub(super) async fn primary(&self) -> Result<At, String> {
        let majority = self.hosts.len() / 2 + 1;
        let heard = self.hear(majority).await;
        let silent = heard.silent.join("; ");
        heard.primary.ok_or_else(|| {
            format!("no Sentinel says who the primary is: start them, or correct redis.url ({silent})")
        })
    }

    /// Asks all, and takes so many answers.
    pub(super) async fn hear(&self, enough: usize) -> Heard {
        let mut answers: FuturesUnordered<_> = self.hosts.iter().map(|host| self.ask(host)).collect();
        let (mut words, mut silent) = (Vec::new(), Vec::new());
        while words.len() < enough
            && let Some(answer) = answers.next().await
        {
            match answer {
                Ok(word) => words.push(word),
                Err(why) => silent.push(why),
            }
        }
        for word in &words {
            self.count(word.replicas);
        }
        let (asked, answered) = (self.hosts.len(), words.len());
        Heard { primary: newest(words), asked, answered, silent }
    }

    /// Somebody knows of so many replicas.
    pub(super) fn count(&self, replicas: usize) {
        self.servers.fetch_max(replicas + 1, Ordering::Relaxed);
    }

    /// Half of the servers, rounded down: how many replicas must have what no failover may lose.
    pub(super) fn half(&self) -> usize {
        self.servers.load(Ordering::Relaxed) / 2
    }

    async fn ask(&self, host: &At) -> Result<Word, String> {
        let asking = timeout(ANSWER_TIMEOUT, self.ask_for_long(host));
        let slow = || format!("{}:{} cannot be used: no answer in time", host.0, host.1);
        asking.await.unwrap_or_else(|_| Err(slow()))
    }

    async fn ask_for_long(&self, host: &At) -> Result<Word, String> {
        let patience = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT));
        let said = |error: RedisError| format!("{}:{} cannot be used: {}", host.0, host.1, refused(&error));
        let login = |why: String| if why.ends_with(LOGIN_REFUSED) { format!("{why}; {LOGIN}") } else { why };
        let mut connection = self.node.connect(Some(host), patience).await.map_err(login)?;
        let mut about = cmd("SENTINEL");
        about.arg("MASTER").arg(&self.primary);
        // First the age of what it knows, then what it knows: never an old word for a new one.
        let about: HashMap<String, String> = about.query_async(&mut connection).await.map_err(said)?;
        let mut address = cmd("SENTINEL");
        address.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.primary);
        let primary: Option<At> = address.query_async(&mut connection).await.map_err(said)?;
        let number = |name: &str| about.get(name)?.parse().ok();
        let word =
            || Some(Word { primary: primary?, epoch: number("config-epoch")?, replicas: replicas(&about)? });
        word().ok_or_else(|| {
            format!("{}:{} cannot be used: it answers otherwise than a Sentinel", host.0, host.1)
        })
    }
}

/// How many replicas it knows of, those that are away too.
fn replicas(about: &HashMap<String, String>) -> Option<usize> {
    about.get("num-slaves")?.parse().ok()
}

/// Where the primary is by the newest configuration.
fn newest(words: Vec<Word>) -> Option<At> {
    words.into_iter().max_by_key(|word| word.epoch).map(|word| word.primary)
}

/// What a Sentinel's refusal means.
fn refused(error: &RedisError) -> String {
    match error.code() {
        Some("ERR") => "it is no Sentinel, or watches no primary of the name that redis.url has".into(),
        Some("NOAUTH" | "WRONGPASS") => {
            format!(
                "{LOGIN_REFUSED}; set redis.sentinel_password_file, and redis.sentinel_user if it has users"
            )
        }
        Some("NOPERM") => "the user may not run SENTINEL MASTER and SENTINEL GET-MASTER-ADDR-BY-NAME".into(),
        _ => describe(error),
    }
}

#[cfg(test)]
mod tests {
    use redis::IntoConnectionInfo;

    use super::*;

    fn word(host: &str, epoch: u64) -> Word {
        Word { primary: (host.into(), 6379), epoch, replicas: 1 }
    }

    #[test]
    fn the_newest_word_counts_whoever_speaks_first() {
        assert_eq!(newest(vec![]), None);
        for words in [[word("new", 3), word("old", 2)], [word("old", 2), word("new", 3)]] {
            assert_eq!(newest(words.into()).unwrap().0, "new");
        }
    }

    #[test]
    fn the_number_of_servers_never_falls() {
        let config =
            SentinelConfig { hosts: vec![("h".into(), 1)], primary: "m".into(), user: None, password: None };
        let data = "redis://u:p@redis/3".into_connection_info().unwrap();
        let sentinels = Sentinels::new(&config, &data, &TlsFiles::default()).unwrap();
        // Replicas told of, and how many must have a write from then on: half of the servers, rounded down.
        for (replicas, half) in [(0, 0), (1, 1), (2, 1), (3, 2), (1, 2), (4, 2), (5, 3)] {
            sentinels.count(replicas);
            assert_eq!(sentinels.half(), half, "{replicas}");
        }
    }
}
