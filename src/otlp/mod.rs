//! The OpenTelemetry side: spans leave for a collector over OTLP, in the background.
//!
//! Tracing is for looking on, so nothing here may ever hold a message up: what does not fit into the queue, or does
//! not reach the collector within a few seconds, is dropped and counted. A collector that is down for a night costs
//! one line of the log when it goes, one now and then, and one when it comes back. Deliberately absent: retries
//! that outlive a minute, spans on disk, and any variable of the environment that would change where spans go. The
//! exporter of the OpenTelemetry SDK is not used because it reads such variables and does not count what it drops; the
//! bytes of a request are those of its own `opentelemetry-proto`.

mod post;
mod queue;
#[cfg(test)]
mod tests;
mod wire;

use crate::tls::{Named, TlsFiles, TlsRefused};

pub use self::queue::{Exporter, Queue, queue};

/// The collector, and what it is told of this worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collector {
    /// Whether over TLS.
    pub secured: bool,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What stands before `/v1/traces` in its path; empty, or begins with a slash.
    pub path: String,
    /// Whom to believe to be it, over TLS.
    pub tls: TlsFiles,
    /// What this service is called in traces.
    pub service_name: String,
    /// Tells this worker from its neighbours.
    pub instance: String,
}

/// So that words about TLS name our settings.
const NAMED: Named = Named { section: "tracing", host: "tracing.otlp_endpoint" };

impl Collector {
    /// Whether its files are what they should be. Connects to nothing.
    pub fn check(&self) -> Result<(), TlsRefused> {
        post::Endpoint::new(self).map(|_| ())
    }
}
