//! One request to the collector: a connection, a POST, an answer, all of it within [`PATIENCE`].
//!
//! A connection serves one request. Requests are a second apart at least, so keeping one open would save little and
//! could be found dead. Of the answer only its status and, if it is a yes, its first bytes are read.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Collector, NAMED};
use crate::tls::{Tls, TlsRefused};

/// A collector that has not answered by then is not waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// The answer to a request says little.
const ANSWER_BYTES_MAX: usize = 64 << 10;

const PROTOBUF: &str = "application/x-protobuf";
const OURSELVES: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// Why the collector does not have a request. Never holds a word of its own.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotTaken {
    /// It cannot be reached.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// It broke off, or speaks no HTTP.
    #[error("does not answer as a collector does: {0}; look at tracing.otlp_endpoint")]
    Broken(hyper::Error),
    /// It said nothing in time.
    #[error("did not answer within {PATIENCE:?}")]
    Silent,
    /// It said no.
    #[error("refuses spans with HTTP status {0}")]
    Refused(StatusCode),
}

impl NotTaken {
    /// Whether the same request may be taken a little later.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Refused(status) => matches!(status.as_u16(), 429 | 502 | 503 | 504),
            _ => true,
        }
    }
}

/// Where requests go.
pub(super) struct Endpoint {
    host: String,
    port: u16,
    /// Both as headers and request lines have them.
    authority: String,
    path: String,
    tls: Option<Tls>,
}

impl Endpoint {
    pub(super) fn new(collector: &Collector) -> Result<Self, TlsRefused> {
        let Collector { host, port, .. } = collector;
        // A bracketed IPv6 address is one to HTTP only.
        let bare = host.trim_matches(['[', ']']);
        let tls = collector.secured.then(|| Tls::new(NAMED, bare, &collector.tls)).transpose()?;
        Ok(Self {
            host: bare.to_owned(),
            port: *port,
            authority: format!("{host}:{port}"),
            path: format!("{}/v1/traces", collector.path),
            tls,
        })
    }

    /// Hands a request over. Answers what the collector said.
    pub(super) async fn post(&self, body: Bytes) -> Result<Bytes, NotTaken> {
        timeout(PATIENCE, self.exchange(body)).await.map_err(|_| NotTaken::Silent)?
    }

    async fn exchange(&self, body: Bytes) -> Result<Bytes, NotTaken> {
        let unreachable = |error: std::io::Error| NotTaken::Unreachable(error.to_string());
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(unreachable)?;
        let Some(tls) = &self.tls else { return self.over(stream, body).await };
        let secured = tls.secure(stream).await.map_err(|error| {
            NotTaken::Unreachable(tls.advice(&error).unwrap_or_else(|| error.to_string()))
        })?;
        self.over(secured, body).await
    }

    async fn over<S>(&self, stream: S, body: Bytes) -> Result<Bytes, NotTaken>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let request = Request::post(&self.path)
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, PROTOBUF)
            .header(USER_AGENT, OURSELVES)
            .body(Full::new(body))
            .map_err(|error| NotTaken::Unreachable(error.to_string()))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(NotTaken::Broken)?;
        // The sender goes with the answer; without it the connection ends.
        let exchange =
            async move { answer(sender.send_request(request).await.map_err(NotTaken::Broken)?).await };
        let (answer, _) = tokio::join!(exchange, connection);
        answer
    }
}

async fn answer(response: Response<Incoming>) -> Result<Bytes, NotTaken> {
    let status = response.status();
    if !status.is_success() {
        return Err(NotTaken::Refused(status));
    }
    // Whatever it adds, it has the spans.
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    Ok(body.map(http_body_util::Collected::to_bytes).unwrap_or_default())
}
