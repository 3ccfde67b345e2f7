//! What is at which path.
//!
//! `/live` says that the process runs, and only that: restarting a worker because Redis is away helps nobody.
//! `/ready` says whether it can work, and what it lacks; `/` shows people how it is, in their language, and
//! `/runbook` says what they can do.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use tokio::runtime::Handle;

use super::page;
use crate::metrics::CONTENT_TYPE;
use crate::service::health::{self, Snapshot};
use crate::service::status::Board;

/// From a request to its answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

const NOT_FOUND: &str = "There is nothing here. Try:\n\
    /         how the worker is, for people\n\
    /runbook  what to do, by the names of the alerts\n\
    /metrics  everything that is measured, for Prometheus\n\
    /live     200 while the process runs\n\
    /ready    200 if the worker can do its work, else 503, with what it lacks, as JSON\n";

const TEXT: &str = "text/plain; charset=utf-8";

type Typed<T> = ([(HeaderName, &'static str); 1], T);

/// What a page of which nothing is loaded, and which loads nothing, tells the browser.
const FOR_BROWSERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::CACHE_CONTROL, "no-store"),
    (header::VARY, "Accept-Language"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Every path.
pub(super) fn pages(board: Board) -> Router {
    Router::new()
        .route("/", get(status))
        .route("/runbook", get(runbook))
        .route("/metrics", get(all_metrics))
        .route("/live", get(live))
        .route("/ready", get(ready))
        .fallback(not_found)
        .layer(middleware::from_fn(in_time))
        .with_state(board)
}

async fn in_time(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await;
    answer.unwrap_or_else(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())
}

async fn live() -> &'static str {
    "ok"
}

async fn runbook() -> Typed<&'static str> {
    typed(TEXT, page::RUNBOOK)
}

async fn not_found() -> (StatusCode, Typed<&'static str>) {
    (StatusCode::NOT_FOUND, typed(TEXT, NOT_FOUND))
}

async fn ready(State(board): State<Board>) -> (StatusCode, Typed<Vec<u8>>) {
    let snapshot = board.health().snapshot();
    let status = if snapshot.ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, typed("application/json", readiness(&snapshot)))
}

/// 200 whatever it shows: `/ready` is for machines.
async fn status(
    State(board): State<Board>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<impl IntoResponse, StatusCode> {
    let wishes = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let request = page::Request::new(uri.query().unwrap_or_default(), wishes);
    let language = [
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(request.language.tag())),
        (header::CONTENT_SECURITY_POLICY, page::security_policy()),
    ];
    // It formats some ten thousand numbers: nothing for a thread that others wait for.
    let drawn = tokio::task::spawn_blocking(move || page::draw(&board.status(), request)).await;
    drawn.map(|page| (FOR_BROWSERS, language, page)).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn all_metrics(State(board): State<Board>) -> Result<Typed<String>, StatusCode> {
    let metrics = board.metrics().clone();
    let snapshot = board.health().snapshot();
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
