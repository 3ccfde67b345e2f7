//! `[admin]`: the HTTP address for metrics and health.

use std::net::{Ipv4Addr, SocketAddr};

use config::Value;

use super::section::Section;
use super::values::{Parsed, text};

const ADDRESS_BYTES_MAX: usize = 64;

/// The HTTP side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
}

impl Admin {
    pub(super) fn take(section: &mut Section<'_>) -> Self {
        Self { listen: section.or("listen", (Ipv4Addr::LOCALHOST, 9464), address) }
    }
}

fn address(value: &Value) -> Parsed<SocketAddr> {
    let text = text(ADDRESS_BYTES_MAX)(value)?;
    text.parse().map_err(|_| "must be an IP address and a port, such as 127.0.0.1:9464 or [::1]:9464".into())
}
