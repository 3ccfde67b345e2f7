//! `[redis]`: where the list is kept.

use std::time::Duration;

use super::secret::{self, Secret};
use super::section::Section;
use super::values::{milliseconds, name, whole};

/// How to reach Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redis {
    /// `redis://`, `rediss://` or `redis+unix://`, with user, password and database.
    pub url: Secret,
    /// Replaces the password of `url`.
    pub password: Option<Secret>,
    /// How the names of all keys begin.
    pub prefix: String,
    /// How many replicas must have a change before it is acknowledged; unset, what the URL calls for.
    pub wait_replicas: Option<u32>,
    /// A command that is not answered by then has an unknown result.
    pub response_timeout: Duration,
}

impl Redis {
    pub(super) fn take(section: &mut Section<'_>) -> Self {
        Self {
            url: section.or(
                "url",
                Secret::new("redis://127.0.0.1:6379/0"),
                secret::url(&["redis", "rediss", "redis+unix"]),
            ),
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
}
