//! `suppressd filter` against the live list: a worker without deliveries, for as long as the file takes.

use std::time::Duration;

use tokio::runtime::Runtime;

use super::console::Console;
use super::exit::Exit;
use super::filter::{FilterArgs, run_live};
use crate::daemon::{Core, Stop};
use crate::domain::filter::judge;
use crate::domain::words::Purpose;
use crate::service::look_up::at_barrier;
use crate::settings::{Rules, Settings};

/// About what a batch of rows weighs.
const BATCH_BYTES: usize = 1 << 20;

/// How long the list may take to be proven and loaded.
const READY_TIMEOUT: Duration = Duration::from_mins(1);

/// Cleans the file. Names on the command line are checked before anything is connected to.
pub(super) fn filter(
    args: &FilterArgs,
    settings: &Settings,
    runtime: &Runtime,
    console: &mut Console<'_>,
) -> Result<Exit, Stop> {
    if let Err(failure) = args.campaign(&settings.catalogue) {
        console.say(&failure);
        return Ok(failure.exit);
    }
    let _inside = runtime.enter();
    let (core, _inputs) = Core::start(settings)?;
    let cleaned = runtime.block_on(core.ready(Some(READY_TIMEOUT))).map(|()| {
        run_live(
            args,
            &Rules::from(settings),
            &settings.hashing.key_ring,
            |campaign, prepared| {
                let judged = at_barrier(&core.gate, &core.mirror, BATCH_BYTES, |mirror| {
                    judge(prepared, Purpose::Marketing, &campaign.brand, mirror)
                });
                runtime.block_on(judged).map(|(verdicts, _)| verdicts)
            },
            console,
        )
    });
    runtime.block_on(core.shutdown());
    cleaned
}
