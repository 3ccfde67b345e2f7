//! Work that computes for longer than a task should without giving way.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Work on a body of fewer bytes is over before it pays to hand the thread's other tasks on: about a
/// millisecond.
const SHORT_BYTES_MAX: usize = 256 << 10;

/// Runs work on a body of so many bytes here; if it is long, tells the runtime, so that other tasks go on
/// elsewhere.
pub(super) fn work<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let long = bytes > SHORT_BYTES_MAX;
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread if long => tokio::task::block_in_place(work),
        _ => work(),
    }
}
