//! `suppressd dead`: the dead queue listed, and its letters shown, moved back or dropped.
//!
//! It needs RabbitMQ alone. Who sees a body, and who drops what and why, is a line of the log.

use jiff::Timestamp;

use super::core::{addresses, amqp_user, broker_settings};
use super::init::{CONNECT_TIMEOUT, connect};
use super::who::{Who, who};
use super::{Progress, Stop};
use crate::amqp::{Broker, BrokerSettings};
use crate::service::dead_letters::{DeadDesk, Letter, LetterId, Looked, Pass, Redriven, Selection};
use crate::service::envelope::grave::Grave;
use crate::service::message::Properties;
use crate::service::ports::{Buried, DeadFault};
use crate::settings::Settings;

/// One letter in full.
pub struct Shown {
    /// What may be told of it.
    pub letter: Letter,
    /// What its headers say.
    pub grave: Grave,
    /// What it was published with.
    pub routing_key: String,
    /// Its properties.
    pub properties: Properties,
    /// Its body. It speaks of people.
    pub body: Vec<u8>,
}

/// Letters that are dropped, with who does it and why.
#[derive(Debug)]
pub struct Dropped {
    /// When.
    pub at: Timestamp,
    /// The user that the program runs as.
    pub os_user: String,
    /// The user who logged in, where the system knows.
    pub login_user: Option<String>,
    /// The machine.
    pub host: String,
    /// The user of `amqp.url`.
    pub amqp_user: String,
    /// In their own words.
    pub why: String,
    /// These.
    pub letters: Vec<Letter>,
    /// How far the look for them came.
    pub pass: Pass,
}

/// Looks at all letters.
pub async fn list_dead(
    settings: &Settings,
    selection: &Selection,
    progress: &dyn Progress,
) -> Result<Looked, Stop> {
    at_the_queue(settings, progress, async |_, desk| Ok(desk.look(selection).await)).await
}

/// Looks for one. `personal`: its body will be shown, which is written to the log.
pub async fn show_dead(
    settings: &Settings,
    id: LetterId,
    personal: bool,
    progress: &dyn Progress,
) -> Result<Result<Option<Shown>, DeadFault>, Stop> {
    let found = at_the_queue(settings, progress, async |_, desk| Ok(desk.find(id).await)).await?;
    if personal && matches!(found, Ok(Some(_))) {
        let Who { os_user, login_user, host } = who();
        tracing::warn!(%id, os_user, login_user, host, "the body of a dead letter is shown");
    }
    let shown = |(letter, grave, buried): (Letter, Grave, Buried)| {
        let Buried { routing_key, properties, body, .. } = buried;
        Shown { letter, grave, routing_key, properties, body }
    };
    Ok(found.map(|found| found.map(shown)))
}

/// Publishes originals to where they came from.
pub async fn redrive_dead(
    settings: &Settings,
    selection: &Selection,
    progress: &dyn Progress,
) -> Result<Redriven, Stop> {
    let own_user = amqp_user(settings)?;
    let work =
        async |broker: &Broker, desk: &mut DeadDesk<'_>| Ok(desk.redrive(selection, broker, &own_user).await);
    let done = at_the_queue(settings, progress, work).await?;
    let Who { os_user, login_user, host } = who();
    let moved = done.moved.len();
    tracing::info!(moved, os_user, login_user, host, "dead letters were put back to where they came from");
    Ok(done)
}

/// Drops letters for good, once `tell` has told of them.
pub async fn drop_dead(
    settings: &Settings,
    selection: &Selection,
    why: &str,
    now: Timestamp,
    progress: &dyn Progress,
    tell: impl FnOnce(&Dropped) -> Result<(), Stop>,
) -> Result<Pass, Stop> {
    let amqp_user = amqp_user(settings)?;
    let work = async |_: &Broker, desk: &mut DeadDesk<'_>| {
        let mut taken = desk.take(selection).await;
        let Who { os_user, login_user, host } = who();
        let (letters, pass) = (std::mem::take(&mut taken.letters), std::mem::take(&mut taken.pass));
        let dropped =
            Dropped { at: now, os_user, login_user, host, amqp_user, why: why.to_owned(), letters, pass };
        log(&dropped);
        tell(&dropped)?;
        desk.drop_for_good(taken).await?;
        Ok(dropped.pass)
    };
    at_the_queue(settings, progress, work).await
}

/// Says which letters are dropped, by whom and why.
fn log(dropped: &Dropped) {
    let Dropped { os_user, login_user, host, amqp_user, why, letters, .. } = dropped;
    let ids: Vec<String> =
        letters.iter().map(|letter| format!("{}:{}", letter.id, letter.cause.as_str())).collect();
    let ids = ids.join(" ");
    tracing::warn!(ids, why, os_user, login_user, host, amqp_user, "dead letters are dropped for good");
}

/// Opens the dead queue, works at it, and puts back what is left.
async fn at_the_queue<T>(
    settings: &Settings,
    progress: &dyn Progress,
    work: impl AsyncFnOnce(&Broker, &mut DeadDesk<'_>) -> Result<T, Stop>,
) -> Result<T, Stop> {
    // A letter that workers could not read lies there too, and must not hide the others.
    let legible = BrokerSettings { legible: true, ..broker_settings(settings)? };
    let (broker, _inputs) = Broker::start(legible);
    let key = &settings.hashing.key_ring.keys()[0];
    let addresses = addresses(broker.names());
    let heard = |looked, of| progress.applied(looked, of);
    let working = async {
        connect(&broker, CONNECT_TIMEOUT).await?;
        let mut queue = broker.dead_letters().await?;
        let done = work(&broker, &mut DeadDesk::new(&mut queue, key, &addresses, &heard)).await;
        queue.close().await;
        done
    };
    let done = working.await;
    broker.shutdown().await;
    done
}

impl From<DeadFault> for Stop {
    fn from(fault: DeadFault) -> Self {
        Self::Unavailable(fault.to_string())
    }
}
