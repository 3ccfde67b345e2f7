//! Looking at the mirror, at or after a barrier that is sent now: the only way to an output.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::cpu;
use super::follow_feed::SharedMirror;
use super::gate::{Closed, Gate};
use crate::fail_points::{self, FailPoint};
use crate::mirror::Mirror;

/// A mirror that does not reach a barrier within this gets another barrier: the list may be another by now.
const MIRROR_PATIENCE: Duration = Duration::from_secs(1);

/// Waits for a barrier and for the mirror to reach it, then looks at one unchanging view. Answers also when the
/// barrier was sent: what was seen is right as of then, and older by now. `bytes` is the size of what is looked up.
pub async fn at_barrier<T>(
    gate: &Gate,
    mirror: &SharedMirror,
    bytes: usize,
    look: impl Fn(&Mirror) -> T,
) -> Result<(T, Instant), Closed> {
    if fail_points::armed(FailPoint::SkipBarrier)
        && let Some(seen) = as_it_is(mirror, &look)
    {
        return Ok((seen, Instant::now()));
    }
    loop {
        let pass = gate.pass().await?;
        let list = pass.identity.list;
        match timeout(MIRROR_PATIENCE, mirror.reach(list, pass.position)).await {
            Ok(true) => {}
            Ok(false) => return Err(Closed),
            Err(_) => continue,
        }
        let seen = cpu::work(bytes, || {
            let view = mirror.view();
            let mirror = view.at(list, pass.position)?;
            // The same position after other records is another list.
            (mirror.position() > pass.position || mirror.last() == pass.last).then(|| look(mirror))
        });
        if let Some(seen) = seen {
            return Ok((seen, pass.sent_at));
        }
    }
}

/// What [`FailPoint::SkipBarrier`] does instead: believes the mirror, wherever it is.
fn as_it_is<T>(mirror: &SharedMirror, look: impl Fn(&Mirror) -> T) -> Option<T> {
    let list = mirror.shown().borrow().list?;
    mirror.view().at(list, 0).map(look)
}
