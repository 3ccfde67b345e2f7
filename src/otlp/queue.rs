//! The queue of spans and the task that empties it.
//!
//! The queue is bounded by messages, each with its bounded number of spans. The task takes what came within
//! [`LINGER`], or a full batch, and sends it; while it waits for the collector the queue fills up, and what does not
//! fit is dropped there, at once, by whoever brings it.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use opentelemetry_proto::tonic::resource::v1::Resource;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::post::Endpoint;
use super::{Collector, wire};
use crate::metrics::{Metrics, SpanFate};
use crate::service::traces::{Ended, SpanSink};
use crate::tls::TlsRefused;

/// Messages whose spans wait.
pub(super) const MESSAGES_MAX: usize = 2048;

/// Spans of one request; the last message of a batch may bring a few more.
const BATCH_SPANS_MAX: usize = 512;

/// A span waits this long for others to go with it.
const LINGER: Duration = Duration::from_secs(1);

/// Tries of one batch.
const TRIES: usize = 2;

/// Between them.
const RETRY: Duration = Duration::from_secs(1);

/// Between lines of the log about a collector that takes nothing.
const COMPLAINT_PAUSE: Duration = Duration::from_mins(10);

/// Takes spans, as long as there is room.
pub struct Queue {
    spans: mpsc::Sender<Vec<Ended>>,
    metrics: Arc<Metrics>,
}

/// Sends what the queue took.
pub struct Exporter {
    spans: mpsc::Receiver<Vec<Ended>>,
    endpoint: Endpoint,
    resource: Resource,
    metrics: Arc<Metrics>,
    complained: Option<Instant>,
}

/// A queue with what empties it. Connects to nothing.
pub fn queue(collector: &Collector, metrics: Arc<Metrics>) -> Result<(Queue, Exporter), TlsRefused> {
    let (sender, receiver) = mpsc::channel(MESSAGES_MAX);
    let exporter = Exporter {
        spans: receiver,
        endpoint: Endpoint::new(collector)?,
        resource: wire::resource(collector),
        metrics: metrics.clone(),
        complained: None,
    };
    Ok((Queue { spans: sender, metrics }, exporter))
}

impl SpanSink for Queue {
    fn take(&self, spans: Vec<Ended>) {
        let count = spans.len();
        if self.spans.try_send(spans).is_err() {
            self.metrics.spans(SpanFate::NoRoom, count);
        }
    }
}

impl Exporter {
    /// Sends until it is told to stop, then what is left. Who stops it says how long that may take.
    pub async fn run(mut self, stop: CancellationToken) {
        while let Some(batch) = self.batch(&stop).await {
            self.send(batch, &stop).await;
        }
    }

    /// The next spans. `None`: it is over, and there are no more.
    async fn batch(&mut self, stop: &CancellationToken) -> Option<Vec<Ended>> {
        let mut batch = if let Some(first) = stop.run_until_cancelled(self.spans.recv()).await {
            first?
        } else {
            self.spans.close();
            self.spans.recv().await?
        };
        let until = Instant::now() + LINGER;
        while batch.len() < BATCH_SPANS_MAX {
            let more = stop.run_until_cancelled(timeout_at(until, self.spans.recv())).await;
            match more {
                Some(Ok(Some(more))) => batch.extend(more),
                Some(Ok(None) | Err(_)) => break,
                None => match self.spans.try_recv() {
                    Ok(more) => batch.extend(more),
                    Err(_) => break,
                },
            }
        }
        Some(batch)
    }

    async fn send(&mut self, batch: Vec<Ended>, stop: &CancellationToken) {
        let count = batch.len();
        let request = Bytes::from(wire::request(&self.resource, batch));
        for left in (0..TRIES).rev() {
            let not_taken = match self.endpoint.post(request.clone()).await {
                Ok(answer) => return self.taken(count, wire::rejected(&answer)),
                Err(not_taken) => not_taken,
            };
            let last = left == 0 || stop.is_cancelled() || !not_taken.passes();
            if last {
                self.metrics.spans(SpanFate::NotTaken, count);
                return self.complain(&not_taken.to_string());
            }
            let _ = stop.run_until_cancelled(sleep(RETRY)).await;
        }
    }

    fn taken(&mut self, count: usize, rejected: usize) {
        let rejected = rejected.min(count);
        self.metrics.spans(SpanFate::Exported, count - rejected);
        self.metrics.spans(SpanFate::NotTaken, rejected);
        if rejected > 0 {
            self.complain("takes some spans and rejects others");
        } else if self.complained.take().is_some() {
            tracing::info!("spans are exported again");
        }
    }

    /// Seldom: messages go on, and the metric counts.
    fn complain(&mut self, why: &str) {
        if self.complained.is_none_or(|at| at.elapsed() >= COMPLAINT_PAUSE) {
            self.complained = Some(Instant::now());
            tracing::warn!(
                why,
                "the collector does not take spans: they are dropped, and messages go on without them"
            );
        }
    }
}
