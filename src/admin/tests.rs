//! The admin server on a real socket, asked by a client that is as simple as a client can be.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use super::*;
use crate::domain::catalogue::Catalogue;
use crate::metrics::Metrics;
use crate::service::clock::SystemClock;
use crate::service::health::{Dependency, Health, State, Warning};
use crate::service::status;

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(10);

/// Far from every test's end unless it asks for something else.
const PATIENT: Limits =
    Limits { connections_max: 8, header_timeout: LONG, connection_life: LONG, drain_timeout: LONG };

struct Server {
    address: SocketAddr,
    metrics: Arc<Metrics>,
    health: Health,
    stop: CancellationToken,
    running: JoinSet<()>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let metrics = Arc::new(Metrics::new(&Catalogue::new(vec![], vec![]), ["email"]));
        let (health, stop) = (Health::default(), CancellationToken::new());
        let pages = pages::pages(board(&metrics, &health));
        let mut running = JoinSet::new();
        running.spawn(serve_within(limits, listener, pages, stop.clone()));
        Self { address, metrics, health, stop, running }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    }

    async fn ask(&self, method: &str, path: &str) -> Answer {
        let mut stream = self.connect();
        send(&mut stream, method, path);
        Answer::read(stream).await
    }

    /// Waits until the server has ended.
    async fn ended(&mut self) {
        timeout(LONG, self.running.join_next()).await.expect("it ends").unwrap().unwrap();
    }
}

/// What the page shows when nothing was looked at yet.
fn board(metrics: &Arc<Metrics>, health: &Health) -> Board {
    Board::new(status::Parts {
        process: page::tests::process(),
        catalogue: Arc::new(Catalogue::new(vec![], vec![])),
        zone: jiff::tz::TimeZone::UTC,
        metrics: Arc::clone(metrics),
        health: health.clone(),
        requests: tokio::sync::watch::channel(None).1,
        clock: Arc::new(SystemClock),
    })
}

fn send(stream: &mut TcpStream, method: &str, path: &str) {
    let request = format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    async fn read(stream: TcpStream) -> Self {
        let text = read_all(stream).await;
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    fn has_header(&self, line: &str) -> bool {
        self.head.lines().any(|one| one == line)
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Everything until the server hangs up.
async fn read_all(mut stream: TcpStream) -> String {
    let reading = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        match stream.read_to_end(&mut bytes) {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => {
                panic!("it does not hang up: {error}")
            }
            _ => String::from_utf8(bytes).unwrap(),
        }
    });
    reading.await.unwrap()
}

#[tokio::test]
async fn a_process_that_runs_is_alive_whatever_it_lacks() {
    let server = Server::start(PATIENT).await;
    let answer = server.ask("GET", "/live").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
}

#[tokio::test]
async fn a_worker_that_lacks_something_is_not_ready_and_says_why() {
    let server = Server::start(PATIENT).await;
    for dependency in Dependency::ALL {
        server.health.set(*dependency, State::Ready);
    }
    server.health.set(Dependency::Redis, State::NotReady("no answer in time".into()));
    let answer = server.ask("GET", "/ready").await;
    assert_eq!(answer.status, 503);
    assert!(answer.has_header("content-type: application/json"), "{}", answer.head);
    let expected = serde_json::json!({
        "ready": false,
        "dependencies": {
            "amqp": {"ready": true, "why": null},
            "redis": {"ready": false, "why": "no answer in time"},
            "ledger": {"ready": true, "why": null},
            "mirror": {"ready": true, "why": null},
            "mailbox": {"ready": true, "why": null},
        },
        "warnings": [],
    });
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn a_worker_with_a_warning_is_ready() {
    let server = Server::start(PATIENT).await;
    for dependency in Dependency::ALL {
        server.health.set(*dependency, State::Ready);
    }
    server.health.warn(Warning::UnroutableJobs, Some("3 jobs wait for a binding".into()));
    let answer = server.ask("GET", "/ready").await;
    assert_eq!((answer.status, &answer.json()["ready"]), (200, &serde_json::Value::Bool(true)));
    let warning = serde_json::json!([{"name": "unroutable_jobs", "why": "3 jobs wait for a binding"}]);
    assert_eq!(answer.json()["warnings"], warning);
}

#[tokio::test]
async fn metrics_are_prometheus_text_and_agree_with_readiness() {
    let server = Server::start(PATIENT).await;
    server.metrics.set_revision(7);
    server.health.set(Dependency::Mirror, State::Ready);
    server.health.warn(Warning::Clock, Some("90 s ahead of Redis".into()));
    let answer = server.ask("GET", "/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.has_header("content-type: text/plain; version=0.0.4"), "{}", answer.head);
    for line in [
        "# TYPE suppressd_revision gauge",
        "suppressd_revision 7",
        "suppressd_ready{dependency=\"mirror\"} 1",
        "suppressd_ready{dependency=\"amqp\"} 0",
        "suppressd_warning{name=\"clock\"} 1",
        "suppressd_warning{name=\"fold\"} 0",
    ] {
        assert!(answer.body.lines().any(|one| one == line), "{line}");
    }
}

#[tokio::test]
async fn any_other_path_names_those_that_there_are() {
    let server = Server::start(PATIENT).await;
    for path in ["//", "/metric", "/ready/", "/%00"] {
        let answer = server.ask("GET", path).await;
        assert_eq!(answer.status, 404, "{path}");
        for known in ["/ ", "/metrics", "/live", "/ready"] {
            assert!(answer.body.contains(known), "{}", answer.body);
        }
    }
}

#[tokio::test]
async fn there_is_nothing_to_write_to() {
    let server = Server::start(PATIENT).await;
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(server.ask(method, "/ready").await.status, 405, "{method}");
    }
    let answer = server.ask("HEAD", "/metrics").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
}

#[tokio::test]
async fn a_request_with_an_endless_head_is_refused() {
    let server = Server::start(PATIENT).await;
    let mut stream = server.connect();
    let endless = format!("GET /live HTTP/1.1\r\nX-Long: {}", "a".repeat(HEAD_BYTES_MAX));
    stream.write_all(endless.as_bytes()).unwrap();
    assert_eq!(Answer::read(stream).await.status, 431);
    assert_eq!(server.ask("GET", "/live").await.status, 200);
}

#[tokio::test]
async fn a_client_that_never_ends_its_request_is_hung_up_on() {
    let server = Server::start(Limits { header_timeout: SHORT, ..PATIENT }).await;
    let mut stream = server.connect();
    stream.write_all(b"GET /live HTTP/1.1\r\nHost:").unwrap();
    assert!(!read_all(stream).await.contains("200 OK"));
}

#[tokio::test]
async fn a_connection_does_not_last_for_ever() {
    let server = Server::start(Limits { connection_life: SHORT, drain_timeout: SHORT, ..PATIENT }).await;
    let mut stream = server.connect();
    stream.write_all(b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let answers = read_all(stream).await;
    assert!(answers.starts_with("HTTP/1.1 200 OK") && answers.ends_with("ok"), "{answers}");
}

#[tokio::test]
async fn a_connection_beyond_the_limit_waits_until_another_ends() {
    let server = Server::start(Limits { connections_max: 1, ..PATIENT }).await;
    // An answer proves that the first one is in.
    let mut first = server.connect();
    first.write_all(b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let first = tokio::task::spawn_blocking(move || {
        assert_ne!(first.read(&mut [0; 1024]).unwrap(), 0);
        first
    });
    let first = first.await.unwrap();
    let mut second = server.connect();
    send(&mut second, "GET", "/live");
    second.set_read_timeout(Some(SHORT)).unwrap();
    let second = tokio::task::spawn_blocking(move || {
        assert_eq!(second.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
        second.set_read_timeout(Some(LONG)).unwrap();
        second
    });
    let second = second.await.unwrap();
    drop(first);
    assert_eq!(Answer::read(second).await.status, 200);
}

#[tokio::test]
async fn it_stops_when_told_to_and_takes_no_more_connections() {
    let mut server = Server::start(PATIENT).await;
    let idle = server.connect();
    assert_eq!(server.ask("GET", "/live").await.status, 200);
    server.stop.cancel();
    server.ended().await;
    assert_eq!(read_all(idle).await, "");
    assert_eq!(TcpStream::connect(server.address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_client_that_stalls_does_not_hold_up_the_end() {
    let mut server = Server::start(Limits { drain_timeout: SHORT, ..PATIENT }).await;
    let mut stalled = server.connect();
    stalled.write_all(b"GET /live HTTP/1.1\r\n").unwrap();
    assert_eq!(server.ask("GET", "/live").await.status, 200);
    server.stop.cancel();
    server.ended().await;
    assert_eq!(read_all(stalled).await, "");
}
