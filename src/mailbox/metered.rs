//! A connection that a server cannot fill our memory through.
//!
//! The vendor keeps an answer whole, up to half a gigabyte, and a server may send more than it was asked for. So
//! each command says how much may come for it; what exceeds that ends the connection.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What the answers to one ordinary command may have: lists of folders and UIDs.
pub(super) const ANSWER_BYTES_MAX: usize = 4 << 20;

/// How much may still come.
#[derive(Debug, Clone)]
pub(super) struct Allowance(Arc<AtomicUsize>);

impl Allowance {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicUsize::new(ANSWER_BYTES_MAX)))
    }

    /// From now on so much may come.
    pub(super) fn set(&self, bytes: usize) {
        self.0.store(bytes, Ordering::Relaxed);
    }
}

/// A link with an allowance.
#[derive(Debug)]
pub(super) struct Metered<L> {
    link: L,
    allowance: Allowance,
}

impl<L> Metered<L> {
    pub(super) fn new(link: L, allowance: Allowance) -> Self {
        Self { link, allowance }
    }

    /// The link alone.
    pub(super) fn into_link(self) -> L {
        self.link
    }
}

impl<L: AsyncRead + Unpin> AsyncRead for Metered<L> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.link).poll_read(context, buffer);
        let came = buffer.filled().len() - before;
        let left = self.allowance.0.load(Ordering::Relaxed);
        match left.checked_sub(came) {
            Some(left) => self.allowance.set(left),
            None => return Poll::Ready(Err(Error::from(ErrorKind::FileTooLarge))),
        }
        read
    }
}

impl<L: AsyncWrite + Unpin> AsyncWrite for Metered<L> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.link).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.link).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.link).poll_shutdown(context)
    }
}
