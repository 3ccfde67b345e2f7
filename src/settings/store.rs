//! `[redis]`: where the list is kept.

use std::time::Duration;

use super::secret::{self, Secret};
use super::section::Section;
use super::sentinels::{self, Given, Sentinels};
use super::tls;
use super::values::{milliseconds, name, text, whole};
use crate::tls::TlsFiles;

/// The schemes of Redis over TLS: of one server, and of Sentinels with all that they name.
const SECURED: [&str; 2] = ["rediss", "rediss-sentinel"];

const USER_BYTES_MAX: usize = 255;

/// How to reach Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redis {
    /// `redis://`, `rediss://` or `redis+unix://`, with user, password and database. With Sentinels its host means
    /// nothing: it is whichever they name.
    pub url: Secret,
    /// Who is asked for the primary, if the URL names Sentinels.
    pub sentinels: Option<Sentinels>,
    /// Replaces the password of `url`.
    pub password: Option<Secret>,
    /// By what the server is known with `rediss://`, and we are known to it.
    pub tls: TlsFiles,
    /// How the names of all keys begin.
    pub prefix: String,
    /// How many replicas must have a change before it is acknowledged; unset, what the URL calls for.
    pub wait_replicas: Option<u32>,
    /// A command that is not answered by then has an unknown result.
    pub response_timeout: Duration,
}

impl Redis {
    pub(super) fn take(section: &mut Section<'_>) -> Self {
        let default = Secret::new("redis://127.0.0.1:6379/0");
        let set = section.has("url");
        let given = section.take("url", sentinels::url);
        // What its keys are for cannot be told of a URL that cannot be read.
        let unreadable = set && given.is_none();
        let Given { url, sentinels } = given.unwrap_or(Given { url: default, sentinels: None });
        let scheme = tls::scheme_of(&url);
        let tls = match sentinels {
            None => tls::take(section, scheme, SECURED[0]),
            Some(_) => tls::take(section, &format!("{scheme}-sentinel"), SECURED[1]),
        };
        Self {
            tls,
            sentinels: take_sentinels(section, sentinels, unreadable),
            url,
            password: section.take("password_file", secret::password_in_file),
            // No braces: the hash tag is ours.
            prefix: section.or("prefix", "suppressd", name(64, "-_.:")),
            wait_replicas: section.take("wait_replicas", whole(0..=16)),
            response_timeout: section.or(
                "response_timeout_ms",
                Duration::from_secs(5),
                milliseconds(100..=60_000),
            ),
        }
    }

    /// What somebody should know.
    pub(super) fn warning(&self) -> Option<String> {
        let Some(sentinels) = &self.sentinels else {
            return tls::in_the_clear("redis.url", &self.url, SECURED[0]);
        };
        let elsewhere = sentinels.hosts.iter().any(|(host, _)| !tls::is_this_machine(host));
        (elsewhere && tls::scheme_of(&self.url) != SECURED[0])
            .then(|| tls::unprotected("redis.url", SECURED[1]))
    }
}

/// The Sentinels with what they ask for themselves.
fn take_sentinels(
    section: &mut Section<'_>,
    given: Option<Sentinels>,
    unreadable: bool,
) -> Option<Sentinels> {
    let keys = ["sentinel_user", "sentinel_password_file"];
    let set = keys.map(|key| section.has(key));
    let user = section.take(keys[0], text(USER_BYTES_MAX));
    let password = section.take(keys[1], secret::password_in_file);
    if given.is_none() && !unreadable {
        for (key, _) in keys.iter().zip(set).filter(|(_, set)| *set) {
            section.refuse(&[key], "", "is for redis-sentinel:// alone: write that in the url, or remove it");
        }
    }
    if set == [true, false] {
        section.refuse(&[keys[0]], "", "goes with sentinel_password_file: set that too");
    }
    given.map(|sentinels| Sentinels { user, password, ..sentinels })
}
