//! `suppressd keys`: what the list holds under each key, and a key retired once nothing depends on it.
//!
//! A retirement is three steps. Whatever one key alone knows ends it, before anything is written. What is known under
//! the newest key too, but lacks something there, is copied there by records of the ledger. When a survey finds
//! nothing left, the record of the retirement is appended. Ended anywhere, it has only said again what stood: run it
//! again. Why nobody is lost on the way: [`survey_keys`](crate::service::survey_keys).

use std::collections::BTreeSet;
use std::time::Duration;

use super::core::{Core, amqp_user};
use super::import::appending::{Pace, append};
use super::init::{CONNECT_TIMEOUT, connect};
use super::who::{Who, who};
use super::{Progress, Stop};
use crate::domain::digest::KeyCheck;
use crate::domain::record::Record;
use crate::service::ports::List;
use crate::service::survey_keys::{Ground, Survey, Surveyor, Unsurveyed};
use crate::settings::Settings;

/// How long the list may take to be proven.
const READY_TIMEOUT: Duration = Duration::from_mins(1);

/// People in one record of what is copied.
const COPIED_MAX: usize = 256;

/// Surveys of one run. Only an export that is imported meanwhile makes a second one find something.
const ROUNDS_MAX: usize = 4;

/// A key that was retired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retired {
    /// Identifiers that something was copied for.
    pub copied: u64,
    /// Whether an earlier run had done it.
    pub before: bool,
}

/// Why a key stays.
#[derive(Debug, thiserror::Error)]
pub enum NotRetired {
    /// It is none of the list's.
    #[error("the list depends on no such key; `suppressd keys` names those that it depends on")]
    NoSuchKey,
    /// Nothing stands under another key.
    #[error(
        "it is the only key that the list depends on: name another one in hashing.key_files beside it first, and \
         restart the workers"
    )]
    Only,
    /// Somebody would be written to again.
    #[error("people or requests depend on it")]
    Depends(Box<Survey>),
    /// Another key came, or went.
    #[error("the list's keys changed meanwhile, so nothing was retired: run it again")]
    Changed,
    /// As for every command.
    #[error(transparent)]
    Stop(#[from] Stop),
}

/// Surveys. `None`: nothing depends on a key yet.
pub async fn keys(settings: &Settings, progress: &(dyn Progress + Sync)) -> Result<Option<Survey>, Stop> {
    let (core, _inputs) = Core::without_mirror(settings)?;
    let surveying = async {
        ready(&core).await?;
        let heard = |done, of| progress.applied(done, of);
        match Surveyor::begin(ground(&core, &heard)).await?.survey(None).await {
            Err(Unsurveyed::NoKeys) => Ok(None),
            survey => Ok(Some(survey?)),
        }
    };
    let survey = surveying.await;
    core.shutdown().await;
    survey
}

/// Retires a key, if nothing depends on it.
pub async fn retire_key(
    settings: &Settings,
    key: KeyCheck,
    progress: &(dyn Progress + Sync),
) -> Result<Retired, NotRetired> {
    let (core, _inputs) = Core::without_mirror(settings)?;
    let retired = with_core(&core, settings, key, progress).await;
    core.shutdown().await;
    retired
}

async fn with_core(
    core: &Core,
    settings: &Settings,
    key: KeyCheck,
    progress: &(dyn Progress + Sync),
) -> Result<Retired, NotRetired> {
    ready(core).await?;
    let heard = |done, of| progress.applied(done, of);
    let mut surveyor = Surveyor::begin(ground(core, &heard)).await.map_err(Stop::from)?;
    let of = surveyor.keys().clone();
    if surveyor.retired().contains(&key) {
        return Ok(Retired { copied: 0, before: true });
    }
    if !of.contains(&key) {
        return Err(NotRetired::NoSuchKey);
    }
    if of.len() == 1 {
        return Err(NotRetired::Only);
    }
    let mut copied = 0;
    for _ in 0..ROUNDS_MAX {
        let survey = surveyor.survey(Some(key)).await.map_err(Stop::from)?;
        let of_key = survey.keys.get(&key).ok_or(NotRetired::NoSuchKey)?;
        if !of_key.alone.is_empty() || !survey.unknown.is_empty() || survey.requests > 0 {
            return Err(NotRetired::Depends(Box::new(survey)));
        }
        if of_key.short.is_empty() {
            return record(core, settings, key, of, copied).await;
        }
        progress.note("what stands under this key is copied to the newest one");
        copied += copy(core, &surveyor, &survey, key).await?;
    }
    let why = "somebody still lacks something under the newest key, while others write: run it again later";
    Err(Stop::Unavailable(why.into()).into())
}

/// Copies what people lack under the key that stays. Answers how many they are.
async fn copy(core: &Core, surveyor: &Surveyor<'_>, survey: &Survey, key: KeyCheck) -> Result<u64, Stop> {
    let (mut pace, mut copied) = (Pace::new(core), 0);
    let short = survey.keys.get(&key).map(|of_key| &of_key.short[..]).unwrap_or_default();
    for digests in short.chunks(COPIED_MAX) {
        let people = surveyor.short(digests, survey.to).await?;
        copied += people.len() as u64;
        append(core, Record::Restored { people, requests: vec![] }).await?;
        pace.wrote(1).await?;
    }
    pace.finish().await?;
    Ok(copied)
}

/// Appends the record, and sees what came of it.
async fn record(
    core: &Core,
    settings: &Settings,
    key: KeyCheck,
    of: BTreeSet<KeyCheck>,
    copied: u64,
) -> Result<Retired, NotRetired> {
    let Who { os_user, login_user, host } = who();
    let amqp_user = amqp_user(settings)?;
    append(core, Record::KeyRetired { key, of }).await?;
    Pace::new(core).finish().await?;
    let (head, _) = core.list.head().await.map_err(Stop::from)?.ok_or(NotRetired::Changed)?;
    if !head.retired.contains(&key) {
        return Err(NotRetired::Changed);
    }
    tracing::warn!(%key, copied, os_user, login_user, host, amqp_user, "a key is retired");
    Ok(Retired { copied, before: false })
}

/// Waits until the list is proven.
async fn ready(core: &Core) -> Result<(), Stop> {
    connect(&core.broker, CONNECT_TIMEOUT).await?;
    // An outage is told at once; a list that must be proven, or filled, takes its time.
    core.list.head().await?;
    core.ready(Some(READY_TIMEOUT)).await
}

fn ground<'a>(core: &'a Core, progress: &'a (dyn Fn(u64, u64) + Sync)) -> Ground<'a> {
    Ground { ledger: &core.broker, list: &*core.list, requests: &*core.list, gate: &core.gate, progress }
}

impl From<Unsurveyed> for Stop {
    fn from(fault: Unsurveyed) -> Self {
        let text = fault.to_string();
        match fault {
            Unsurveyed::Broker(_) | Unsurveyed::List(_) | Unsurveyed::Moved | Unsurveyed::Silent => {
                Self::Unavailable(text)
            }
            Unsurveyed::Unreadable(_) | Unsurveyed::Trimmed => Self::Configuration(text),
            Unsurveyed::Closed(_) | Unsurveyed::NoKeys => Self::Internal(text),
        }
    }
}
