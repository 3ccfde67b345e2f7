//! `suppressd look-up`: what the list holds against one person, and every record of the ledger that says so.
//!
//! The look-up is written down before anything is read of the person; where that fails there is no answer. The list
//! is proven whole first, as for a job, so that what was acknowledged before is in the answer.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::core::{Core, amqp_user};
use super::init::{CONNECT_TIMEOUT, connect};
use super::who::who;
use super::{Progress, Stop};
use crate::domain::digest::{Digest, KeyCheck};
use crate::domain::fold::Working;
use crate::domain::words::IdentifierKind;
use crate::service::ports::List;
use crate::service::trace_person::{Found, Untraceable, trace};
use crate::settings::Settings;
use crate::store::LookUp;

/// How long the list may take to be proven.
const READY_TIMEOUT: Duration = Duration::from_mins(1);

/// Whom somebody wants to know about.
#[derive(Debug, Clone)]
pub struct Question {
    /// The identifiers, each under every key.
    pub about: Vec<(IdentifierKind, Vec<Digest>)>,
    /// The keys, in the order of the digests.
    pub keys: Vec<KeyCheck>,
    /// A past instant; `None`: now.
    pub as_of: Option<Timestamp>,
}

/// What is known.
#[derive(Debug)]
pub struct Answer {
    /// By which name the look-up was written down.
    pub noted_as: String,
    /// The records, as ledger and list agree on them.
    pub found: Found,
    /// This person's part of the list, as of the instant that was asked about.
    pub then: Working,
}

/// Looks up.
pub async fn look_up(
    settings: &Settings,
    question: &Question,
    progress: &(dyn Progress + Sync),
) -> Result<Answer, Stop> {
    let (core, _inputs) = Core::without_mirror(settings)?;
    let answer = with_core(&core, settings, question, progress).await;
    core.shutdown().await;
    answer
}

async fn with_core(
    core: &Core,
    settings: &Settings,
    question: &Question,
    progress: &(dyn Progress + Sync),
) -> Result<Answer, Stop> {
    connect(&core.broker, CONNECT_TIMEOUT).await?;
    // An outage is told at once; a list that must be proven, or filled, takes its time.
    core.list.head().await?;
    core.ready(Some(READY_TIMEOUT)).await?;
    let noted_as = note(core, settings, question).await?;
    let pass = core.gate.pass().await.map_err(|closed| Stop::Internal(closed.to_string()))?;
    let wanted: BTreeSet<Digest> =
        question.about.iter().flat_map(|(_, digests)| digests.iter().copied()).collect();
    let heard = |records, of| progress.applied(records, of);
    let found = trace(&core.broker, &*core.list, &wanted, pass.position, &heard).await?;
    let then = found.trace.fold(found.head.list, &found.deciding, question.as_of);
    let then = then.map_err(|fault| Stop::Internal(fault.to_string()))?;
    Ok(Answer { noted_as, found, then })
}

/// Writes the look-up down, in Redis and in the log.
async fn note(core: &Core, settings: &Settings, question: &Question) -> Result<String, Stop> {
    let who = who();
    let look_up = LookUp {
        at: core.clock.now(),
        os_user: who.os_user,
        login_user: who.login_user,
        host: who.host,
        amqp_user: amqp_user(settings)?,
        about: question.about.clone(),
        as_of: question.as_of,
    };
    let noted = core.list.note(&look_up).await;
    let name = noted.map_err(|fault| {
        Stop::Unavailable(format!("the look-up cannot be written down, so it is not answered: {fault}"))
    })?;
    tracing::info!(
        name,
        os_user = look_up.os_user,
        login_user = look_up.login_user,
        host = look_up.host,
        amqp_user = look_up.amqp_user,
        about = look_up.about(),
        as_of = look_up.as_of.map(|as_of| as_of.to_string()),
        "a person is looked up"
    );
    Ok(name)
}

impl From<Untraceable> for Stop {
    fn from(fault: Untraceable) -> Self {
        let text = fault.to_string();
        match fault {
            Untraceable::Broker(_)
            | Untraceable::List(_)
            | Untraceable::Lost
            | Untraceable::Moving
            | Untraceable::Silent => Self::Unavailable(text),
            Untraceable::Trimmed | Untraceable::Unreadable(_) | Untraceable::Version(_) => {
                Self::Configuration(text)
            }
            Untraceable::Fold(_)
            | Untraceable::TooMany(_)
            | Untraceable::AnotherLedger(_)
            | Untraceable::Differs(_) => Self::Internal(text),
        }
    }
}
