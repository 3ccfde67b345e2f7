//! What stands between a server and lapin, where messages are to be [legible](super::legible): it passes everything on,
//! and counts what it had to change. lapin takes a socket and nothing else, so it talks to one of our own.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::legible::Legible;

/// What is read at once.
const PIECE_BYTES: usize = 64 << 10;

/// Passes on what both sides say, for as long as it lives.
#[derive(Default)]
pub(super) struct Relay {
    changed: Arc<AtomicU64>,
    tasks: Mutex<JoinSet<()>>,
}

impl Relay {
    /// How many frames were changed so far: whoever asks for one message at a time knows which one it was.
    pub(super) fn changed(&self) -> u64 {
        self.changed.load(Ordering::Acquire)
    }

    /// Passes everything on, until one side ends.
    pub(super) fn start(
        &self,
        server: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        ours: TcpStream,
    ) {
        let changed = self.changed.clone();
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.spawn(async move {
            if let Err(error) = pass_on(server, ours, &changed).await {
                tracing::debug!(kind = ?error.kind(), "the connection that is made legible ended");
            }
        });
    }
}

async fn pass_on(
    server: impl AsyncRead + AsyncWrite + Unpin,
    ours: TcpStream,
    changed: &AtomicU64,
) -> io::Result<()> {
    let (mut from_server, mut to_server) = server.split();
    let (mut from_us, mut to_us) = ours.into_split();
    let inwards = async {
        let (mut piece, mut legible) = (vec![0; PIECE_BYTES], Legible::default());
        loop {
            let read = from_server.read(&mut piece).await?;
            if read == 0 {
                return io::Result::Ok(());
            }
            let frames = legible.take(&piece[..read]);
            // Before lapin has them.
            changed.store(legible.changed(), Ordering::Release);
            to_us.write_all(&frames).await?;
        }
    };
    let outwards = async {
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = from_us.read(&mut piece).await?;
            if read == 0 {
                return io::Result::Ok(());
            }
            to_server.write_all(&piece[..read]).await?;
            to_server.flush().await?;
        }
    };
    tokio::select! {
        ended = inwards => ended,
        ended = outwards => ended,
    }
}
