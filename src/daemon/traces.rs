//! Traces, if they are exported: what makes spans, and the task that sends them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Stop;
use super::core::{Core, configuration};
use crate::metrics::Metrics;
use crate::otlp::{self, Collector};
use crate::service::traces::Traces;
use crate::settings::Settings;

/// What is left when the worker stops must be out within this.
const FLUSH_MAX: Duration = Duration::from_secs(3);

/// Traces of a running worker.
pub(super) struct Tracing {
    /// Makes spans, or nothing.
    pub(super) traces: Traces,
    exporter: TaskTracker,
    stop: CancellationToken,
}

impl Tracing {
    pub(super) fn start(settings: &Settings, core: &Core, metrics: &Arc<Metrics>) -> Result<Self, Stop> {
        let (exporter, stop) = (TaskTracker::new(), CancellationToken::new());
        let Some(collector) = collector(settings, core.worker.to_string()) else {
            return Ok(Self { traces: Traces::off(), exporter, stop });
        };
        let (queue, sends) = otlp::queue(&collector, metrics.clone()).map_err(configuration)?;
        exporter.spawn(sends.run(stop.clone()));
        let (host, port, sample_ratio) = (&collector.host, collector.port, settings.tracing.sample_ratio);
        tracing::info!(host, port, sample_ratio, "traces are exported");
        let traces = Traces::new(Arc::new(queue), core.clock.clone(), sample_ratio);
        Ok(Self { traces, exporter, stop })
    }

    /// Sends what is left, if that goes quickly.
    pub(super) async fn end(&self) {
        self.stop.cancel();
        self.exporter.close();
        if timeout(FLUSH_MAX, self.exporter.wait()).await.is_err() {
            tracing::warn!("the last spans are not exported: the collector did not take them in time");
        }
    }
}

/// Whether the collector's files are what they should be.
pub(super) fn check(settings: &Settings) -> Result<(), Stop> {
    let collector = collector(settings, String::new());
    collector.map_or(Ok(()), |collector| collector.check().map_err(configuration))
}

fn collector(settings: &Settings, instance: String) -> Option<Collector> {
    let tracing = &settings.tracing;
    tracing.collector.as_ref().map(|collector| Collector {
        secured: collector.secured,
        host: collector.host.clone(),
        port: collector.port,
        path: collector.path.clone(),
        tls: tracing.tls.clone(),
        service_name: tracing.service_name.clone(),
        instance,
    })
}
