//! `[redis]`: where the list is kept.

use std::time::Duration;

use super::secret::{self, Secret};
use super::section::Section;
use super::tls;
use super::values::{milliseconds, name, whole};
use crate::tls::TlsFiles;

/// The scheme of Redis over TLS.
const SECURED: &str = "rediss";

/// How to reach Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redis {
    /// `redis://`, `rediss://` or `redis+unix://`, with user, password and database.
    pub url: Secret,
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
        let url = section.or("url", default, secret::url(&["redis", SECURED, "redis+unix"]));
        Self {
            tls: tls::take(section, &url, SECURED),
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
        tls::in_the_clear("redis.url", &self.url, SECURED)
    }
}
