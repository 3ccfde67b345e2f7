//! What is at which path.
//!
//! `/live` says that the process runs, and only that: restarting a worker because Redis is away helps nobody.
//! `/ready` says whether it can work, and what it lacks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use tokio::runtime::Handle;

use crate::metrics::{CONTENT_TYPE, Metrics};
use crate::service::health::{self, Health, Snapshot};

/// From a request to its answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

const NOT_FOUND: &str = "There is nothing here. Try:\n\
    /metrics  everything that is measured, for Prometheus\n\
    /live     200 while the process runs\n\
    /ready    200 if the worker can do its work, else 503, with what it lacks, as JSON\n";

const TEXT: &str = "text/plain; charset=utf-8";

type Typed<T> = ([(HeaderName, &'static str); 1], T);

#[derive(Clone)]
struct Shown {
    metrics: Arc<Metrics>,
    health: Health,
}

/// Every path.
pub(super) fn pages(metrics: Arc<Metrics>, health: Health) -> Router {
    Router::new()
        .route("/metrics", get(all_metrics))
        .route("/live", get(live))
        .route("/ready", get(ready))
        .fallback(not_found)
        .layer(middleware::from_fn(in_time))
        .with_state(Shown { metrics, health })
}

async fn in_time(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await;
    answer.unwrap_or_else(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())
}

async fn live() -> &'static str {
    "ok"
}

async fn not_found() -> (StatusCode, Typed<&'static str>) {
    (StatusCode::NOT_FOUND, typed(TEXT, NOT_FOUND))
}

async fn ready(State(Shown { health, .. }): State<Shown>) -> (StatusCode, Typed<Vec<u8>>) {
    let snapshot = health.snapshot();
    let status = if snapshot.ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, typed("application/json", readiness(&snapshot)))
}

async fn all_metrics(State(Shown { metrics, health }): State<Shown>) -> Result<Typed<String>, StatusCode> {
    let snapshot = health.snapshot();
    for (dependency, state) in snapshot.states() {
        metrics.set_ready(dependency, state.is_well());
    }
    for warning in health::Warning::ALL {
        metrics.set_warning(*warning, snapshot.warnings().contains_key(warning.as_str()));
    }
    metrics.set_tasks(Handle::current().metrics().num_alive_tasks());
    // It reads /proc and formats a thousand lines: nothing for a thread that others wait for.
    let encoded = tokio::task::spawn_blocking(move || metrics.encode()).await;
    encoded.map(|text| typed(CONTENT_TYPE, text)).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

fn typed<T>(content_type: &'static str, body: T) -> Typed<T> {
    ([(header::CONTENT_TYPE, content_type)], body)
}

#[derive(Serialize)]
struct Readiness<'a> {
    ready: bool,
    dependencies: BTreeMap<&'static str, DependencyState<'a>>,
    warnings: Vec<Warning<'a>>,
}

#[derive(Serialize)]
struct DependencyState<'a> {
    ready: bool,
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct Warning<'a> {
    name: &'static str,
    why: &'a str,
}

fn readiness(snapshot: &Snapshot) -> Vec<u8> {
    let states = snapshot.states().map(|(dependency, state)| match state {
        health::State::Ready => (dependency.as_str(), DependencyState { ready: true, why: None }),
        health::State::Idle(why) => (dependency.as_str(), DependencyState { ready: true, why: Some(why) }),
        health::State::NotReady(why) => {
            (dependency.as_str(), DependencyState { ready: false, why: Some(why) })
        }
    });
    let warnings = snapshot.warnings().iter().map(|(name, why)| Warning { name, why });
    let readiness =
        Readiness { ready: snapshot.ready(), dependencies: states.collect(), warnings: warnings.collect() };
    serde_json::to_vec(&readiness).expect("its keys are text")
}
