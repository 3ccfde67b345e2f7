//! Work that computes for longer than a task should without giving way.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs it here, telling the runtime so that other tasks go on elsewhere.
pub(super) fn work<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}
