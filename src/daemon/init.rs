//! `suppressd init`: the ledger's first record and an empty list. Repeating it harms nothing and proves nothing.

use std::time::Duration;

use tokio::time::timeout;

use super::Stop;
use super::core::{broker_settings, configuration, redis_config};
use crate::amqp::Broker;
use crate::codec::record;
use crate::domain::digest::HashKey;
use crate::domain::record::{Entry, Record};
use crate::service::ports::{BrokerFault, Ledger, List, ListFault, Start};
use crate::service::random;
use crate::settings::Settings;
use crate::store::RedisList;

/// How long the servers may take to answer.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// A ledger whose first record does not come within this has none.
const GENESIS_TIMEOUT: Duration = Duration::from_secs(3);

/// Creates what is missing. Answers, for people, what was there and what was created.
pub async fn init(settings: &Settings) -> Result<Vec<&'static str>, Stop> {
    let list = RedisList::new(&redis_config(settings)).map_err(configuration)?;
    list.eviction().await?.map_err(configuration)?;
    let (broker, _inputs) = Broker::start(broker_settings(settings)?);
    let created = create(settings, &list, &broker).await;
    broker.shutdown().await;
    created
}

async fn create(settings: &Settings, list: &RedisList, broker: &Broker) -> Result<Vec<&'static str>, Stop> {
    connect(broker, CONNECT_TIMEOUT).await?;
    let mut told = Vec::new();
    let head = list.head().await?;
    if let Some(_genesis) = genesis(broker).await? {
        told.push("the ledger was there already");
    } else {
        if head.as_ref().is_some_and(|(head, _)| head.position > 0) {
            let why =
                "the ledger is empty, but Redis has a list that was folded from one: run `suppressd rebuild`";
            return Err(Stop::Configuration(why.into()));
        }
        let keys = settings.hashing.key_ring.keys().iter().map(HashKey::check).collect();
        let record = Record::Genesis { ledger: random::ledger_id(), keys };
        broker.append(record::write(&Entry { id: random::record_id(), record })).await?;
        told.push("the ledger's first record was written");
    }
    match head {
        None if list.create(random::list_id()).await? => {
            told.push("an empty list was created; workers fill it from the ledger");
        }
        Some(_) | None => told.push("the list was there already"),
    }
    Ok(told)
}

/// Waits for RabbitMQ.
pub(super) async fn connect(broker: &Broker, within: Duration) -> Result<(), Stop> {
    broker
        .connected(within)
        .await
        .map_err(|fault| if fault.is_configuration() { configuration(fault) } else { unavailable(fault) })
}

/// The ledger's record 0, if there is one.
pub(super) async fn genesis(ledger: &dyn Ledger) -> Result<Option<Vec<u8>>, BrokerFault> {
    let mut reader = ledger.read_from(Start::Offset(0)).await?;
    match timeout(GENESIS_TIMEOUT, reader.next()).await {
        Ok(first) => first.map(|(_, record)| Some(record)),
        Err(_) => Ok(None),
    }
}

pub(super) fn unavailable(fault: impl std::fmt::Display) -> Stop {
    Stop::Unavailable(fault.to_string())
}

impl From<ListFault> for Stop {
    fn from(fault: ListFault) -> Self {
        unavailable(fault)
    }
}

impl From<BrokerFault> for Stop {
    fn from(fault: BrokerFault) -> Self {
        unavailable(fault)
    }
}
