//! The HTTP side: `/metrics`, `/live` and `/ready` for machines that watch, `/` and `/runbook` for people.
//!
//! There is no login and nothing here changes anything. Connections are counted, every wait has an end, and
//! a client that stalls costs one connection for a while: nothing that a client does reaches the worker.
//! The connections are driven here and not by `axum::serve`, which bounds neither their number nor how long
//! a request may take to arrive, and which waits at the end for as long as a client likes.

mod page;
mod pages;
#[cfg(test)]
mod tests;

use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::service::status::Board;

/// What a client may use up.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Connections at once; more wait in the kernel to be accepted.
    connections_max: usize,
    /// From the first moment that a request could come to the end of its headers.
    header_timeout: Duration,
    /// Then the client may connect again: a stalled one does not keep its place.
    connection_life: Duration,
    /// For what is being answered when the end comes.
    drain_timeout: Duration,
}

const LIMITS: Limits = Limits {
    connections_max: 64,
    header_timeout: Duration::from_secs(30),
    connection_life: Duration::from_mins(10),
    drain_timeout: Duration::from_secs(2),
};

/// A request with all its headers fits in.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Header lines of a request.
const HEADERS_MAX: usize = 64;

/// After a connection could not be accepted, for want of file descriptors, say.
const ACCEPT_RETRY: Duration = Duration::from_secs(1);

/// Answers until the token is cancelled, then finishes what is being answered, within two seconds.
pub async fn serve(listener: TcpListener, board: Board, stop: CancellationToken) {
    serve_within(LIMITS, listener, pages::pages(board), stop).await;
}

async fn serve_within(limits: Limits, listener: TcpListener, pages: Router, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept(), if connections.len() < limits.connections_max => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(limits, stream, pages.clone(), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "the admin address accepts no connection");
                    sleep(ACCEPT_RETRY).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    // Nobody connects to an address that answers no more.
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Answers the requests of one connection, one after the other.
async fn converse(limits: Limits, stream: TcpStream, pages: Router, stop: CancellationToken) {
    // Answers are one write each: without this they only come later.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(pages));
    let mut connection = pin!(connection);
    tokio::select! {
        // What goes wrong is between the client and itself.
        _ = connection.as_mut() => return,
        () = stop.cancelled() => {}
        () = sleep(limits.connection_life) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(limits.drain_timeout, connection).await;
}
