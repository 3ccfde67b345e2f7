//! `suppressd doctor`: whether everything is there that the promise stands on, and what to do where it is not.
//!
//! The adapters read, and what they read is judged here by pure functions, one file a server. Nothing is changed
//! anywhere, nothing is created, and no answer holds a password or anything about a person. A check whose server is
//! away is left out: one line says why, and not ten.

mod broker;
mod check;
mod ledger;
mod list;
mod machine;
mod mail;
mod store;

use std::time::Duration;

use tokio::time::timeout;

pub use self::check::{Check, Verdict};
use super::Stop;
use super::core::{broker_settings, redis_config};
use crate::amqp::BrokerSettings;
use crate::domain::digest::HashKey;
use crate::service::clock::Clock;
use crate::settings::{Mistakes, Settings};
use crate::store::RedisConfig;

/// How long one server may take to be looked at.
const LOOK_TIMEOUT: Duration = Duration::from_mins(1);

/// Looks at everything. The configuration could be read.
pub async fn doctor(settings: &Settings, clock: &dyn Clock) -> Vec<Check> {
    let (redis_config, broker_settings) = match adapters(settings) {
        Ok(both) => both,
        Err(stop) => return vec![check::unusable(&stop.to_string()), check::all_else()],
    };
    let mut checks = check::configuration(&settings.warnings);
    checks.push(machine::keys(&settings.hashing.key_ring));
    checks.push(machine::calendar(&settings.deadlines.calendar, clock.now()));
    let servers = servers(settings, &redis_config, &broker_settings, clock);
    let (admin, servers, mailbox) =
        tokio::join!(machine::admin(settings.admin.listen), servers, mail::look(settings.mailbox.as_ref()));
    checks.push(admin);
    checks.extend(servers);
    checks.extend(mailbox);
    checks
}

/// What is wrong with a configuration that cannot be read.
pub fn misconfigured(mistakes: &Mistakes) -> Vec<Check> {
    let mut checks: Vec<_> = mistakes.0.iter().map(|mistake| check::unusable(&mistake.to_string())).collect();
    checks.push(check::all_else());
    checks
}

/// What the adapters are made of; they may refuse what the settings let through.
fn adapters(settings: &Settings) -> Result<(RedisConfig, BrokerSettings), Stop> {
    super::check(settings)?;
    Ok((redis_config(settings), broker_settings(settings)?))
}

/// RabbitMQ, Redis, and whether what they have belongs together.
async fn servers(
    settings: &Settings,
    redis_config: &RedisConfig,
    broker_settings: &BrokerSettings,
    clock: &dyn Clock,
) -> Vec<Check> {
    let redis = store::look(redis_config, clock).await;
    let head = redis.head();
    let position = head.map(|head| head.position);
    let looked = timeout(LOOK_TIMEOUT, broker::look(broker_settings, position)).await;
    let looked = looked.unwrap_or_else(|_| Err(broker::too_slow(LOOK_TIMEOUT)));
    let (mut checks, said) = match &looked {
        Ok(looked) => {
            let said = ledger::Said::of(looked, broker_settings);
            let begun = said.is_begun() || position.is_some_and(|position| position > 0);
            (broker::judge(looked, broker_settings, begun), Some(said))
        }
        Err(check) => (vec![check.clone()], None),
    };
    let keys = settings.hashing.key_ring.keys().iter().map(HashKey::check).collect();
    checks.extend(said.as_ref().map(|said| ledger::judge(said, head)));
    checks.extend(store::judge(&redis, settings.limits.clock_skew_max));
    checks.extend(list::judge(&redis.list, &keys, said.as_ref()));
    checks.extend(check::unseen(broker_settings));
    checks
}
