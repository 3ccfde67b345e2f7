//! `[amqp]`: RabbitMQ and how much is in flight with it.

use std::time::Duration;

use super::secret::{self, Secret};
use super::section::Section;
use super::tls;
use super::values::{name, seconds, whole};
use crate::tls::TlsFiles;

/// The scheme of RabbitMQ over TLS.
const SECURED: &str = "amqps";

/// How to reach RabbitMQ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amqp {
    /// `amqp://` or `amqps://`, with user, password and virtual host.
    pub url: Secret,
    /// Replaces the password of `url`.
    pub password: Option<Secret>,
    /// By what the server is known with `amqps://`, and we are known to it.
    pub tls: TlsFiles,
    /// How the names of exchanges and queues begin.
    pub prefix: String,
    /// A peer that is silent for twice this long is gone; RabbitMQ may take three times as long to notice us gone.
    pub heartbeat: Duration,
    /// How many jobs a worker holds at once.
    pub jobs_prefetch: u16,
    /// How many events a worker holds at once.
    pub events_prefetch: u16,
    /// How many channels publish side by side.
    pub publish_channels: u16,
    /// A publish that is not confirmed by then has an unknown result.
    pub confirm_timeout: Duration,
}

impl Amqp {
    pub(super) fn take(section: &mut Section<'_>) -> Self {
        let default = Secret::new("amqp://guest:guest@127.0.0.1:5672/%2f");
        let url = section.or("url", default, secret::url(&["amqp", SECURED]));
        Self {
            tls: tls::take(section, tls::scheme_of(&url), SECURED),
            url,
            password: section.take("password_file", secret::password_in_file),
            prefix: section.or("prefix", "suppressd", name(64, "-_.")),
            heartbeat: section.or("heartbeat_s", Duration::from_secs(8), seconds(1..=600)),
            jobs_prefetch: section.or("jobs_prefetch", 30_u16, whole(1..=1000)),
            events_prefetch: section.or("events_prefetch", 256_u16, whole(1..=10_000)),
            publish_channels: section.or("publish_channels", 64_u16, whole(1..=1000)),
            confirm_timeout: section.or("confirm_timeout_s", Duration::from_secs(30), seconds(1..=600)),
        }
    }

    /// What somebody should know.
    pub(super) fn warning(&self) -> Option<String> {
        tls::in_the_clear("amqp.url", &self.url, SECURED)
    }
}
