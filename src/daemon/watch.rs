//! Tasks that look at the parts of the worker and say how they are: readiness, gauges, alarms, consumption.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::core::Core;
use crate::amqp::{Broker, BrokerState, Consumption};
use crate::domain::calendar::Calendar;
use crate::domain::words::IdentifierKind;
use crate::metrics::{Metrics, Queue};
use crate::service::alarms::{Alarm, Alarms};
use crate::service::apply_ledger::LedgerState;
use crate::service::clock::Clock;
use crate::service::follow_feed::Shown;
use crate::service::gate::{Glance, clock_is_off};
use crate::service::health::{Dependency, Health, State, Warning};
use crate::service::ports::{Campaigns, Input, List};

/// How often the identifiers on the list are counted, and what waits in our queues.
const COUNT_EVERY: Duration = Duration::from_secs(5);

/// How often the calendar is asked how far it reaches.
const CALENDAR_EVERY: Duration = Duration::from_mins(1);

const INPUTS: [Input; 2] = [Input::Jobs, Input::OptOuts];

/// Starts the watching tasks of a worker.
pub(super) fn start(
    core: &Core,
    health: &Health,
    metrics: &Arc<Metrics>,
    alarms: &Alarms,
    skew_max: Duration,
    calendar: Arc<Calendar>,
) {
    let (broker, glance) = (core.broker.state(), core.gate.glance());
    core.spawn(follow(broker, health.clone(), |state, health| health.set(Dependency::Amqp, amqp(state))));
    let gauges = metrics.clone();
    core.spawn(follow(glance, health.clone(), move |glance, health| {
        health.set(Dependency::Redis, redis(glance));
        if glance.identity.is_some() {
            gauges.set_revision(glance.revision);
        }
        let skew = clock_is_off(glance, skew_max)
            .then(|| format!("this clock is {} ms off Redis's: no events are taken", glance.skew_ms));
        health.warn(Warning::Clock, skew);
    }));
    core.spawn(follow(core.ledger_state.clone(), health.clone(), |state, health| {
        health.set(Dependency::Ledger, ledger(state));
    }));
    let gauges = metrics.clone();
    core.spawn(follow(core.mirror.shown(), health.clone(), move |shown, health| {
        health.set(Dependency::Mirror, mirror(shown));
        if shown.list.is_some() {
            gauges.set_mirror_revision(shown.revision);
        }
    }));
    core.spawn(raise(core.gate.glance(), core.ledger_state.clone(), alarms.clone()));
    core.spawn(count(core.list.clone(), metrics.clone(), health.clone()));
    core.spawn(count_messages(core.broker.clone(), metrics.clone()));
    core.spawn(look_ahead(calendar, core.clock.clone(), health.clone()));
}

/// From now on messages are wanted, and being ready includes that they come in.
pub(super) fn consume(core: &Core, health: &Health, hold_max: Duration, skew_max: Duration) {
    for input in INPUTS {
        core.broker.resume(input);
    }
    let (glance, ledger) = (core.gate.glance(), core.ledger_state.clone());
    for input in INPUTS {
        let work = Workable { input, glance: glance.clone(), ledger: ledger.clone(), skew_max };
        core.spawn(hold(work, core.broker.clone(), hold_max));
    }
    core.spawn(follow(core.broker.state(), health.clone(), |state, health| {
        let pending = INPUTS.map(|input| state.consumption(input)).contains(&Consumption::Pending);
        let state = if pending && state.connected().is_ok() {
            State::NotReady("a consumer is not registered yet".into())
        } else {
            amqp(state)
        };
        health.set(Dependency::Amqp, state);
    }));
}

/// Says how something is, now and whenever it changes.
async fn follow<T>(mut seen: watch::Receiver<T>, health: Health, say: impl Fn(&T, &Health)) {
    loop {
        say(&seen.borrow_and_update(), &health);
        if seen.changed().await.is_err() {
            return;
        }
    }
}

fn amqp(state: &BrokerState) -> State {
    state.connected().map_or_else(State::NotReady, |()| State::Ready)
}

fn redis(glance: &Glance) -> State {
    if glance.open { State::Ready } else { State::NotReady(glance.why.clone()) }
}

fn ledger(state: &LedgerState) -> State {
    if state.whole { State::Ready } else { State::NotReady(state.why.clone()) }
}

fn mirror(shown: &Shown) -> State {
    match (shown.list, shown.loading) {
        (Some(_), _) => State::Ready,
        (None, Some((read, of))) => State::NotReady(format!("loading: {} %", 100 * read / of)),
        (None, None) => State::NotReady("not loaded yet".into()),
    }
}

/// Alarms what was lost.
async fn raise(mut glance: watch::Receiver<Glance>, ledger: watch::Receiver<LedgerState>, alarms: Alarms) {
    let mut losses = Losses::default();
    loop {
        let ledger = ledger.borrow().clone();
        let (lost, open) = {
            let glance = glance.borrow_and_update();
            (losses.see(glance.lost, glance.open, &ledger), glance.open)
        };
        if lost.is_some() {
            alarms.is(Alarm::ListLost, lost).await;
        }
        if open {
            alarms.is(Alarm::ListLost, None).await;
        }
        if ledger.lost || ledger.whole {
            alarms.is(Alarm::LedgerLost, ledger.lost.then_some(&*ledger.why)).await;
        }
        if glance.changed().await.is_err() {
            return;
        }
    }
}

/// What was lost from the list and is not told yet. Barriers and the applier both look, and either may be too late:
/// what is lost can be back within milliseconds.
#[derive(Default)]
struct Losses {
    untold: Option<&'static str>,
    counted: u64,
}

impl Losses {
    /// What there is to tell now, given what the newest barrier found lost and whether it proved the list whole.
    fn see(&mut self, lost: Option<&'static str>, open: bool, ledger: &LedgerState) -> Option<&'static str> {
        if let Some((times, what)) = ledger.missed.filter(|(times, _)| *times > self.counted) {
            self.counted = times;
            self.untold = Some(what);
        }
        // Without a ledger nothing was ever there to be lost.
        self.untold = lost.or(self.untold).filter(|_| !ledger.empty);
        if ledger.whole || open { self.untold.take() } else { None }
    }
}

/// Counts the campaigns that wait for parts, and the identifiers on the list, by the key under which most are known.
async fn count(list: Arc<crate::store::RedisList>, metrics: Arc<Metrics>, health: Health) {
    let mut ticks = interval(COUNT_EVERY);
    loop {
        ticks.tick().await;
        list.follow_sentinels().await;
        if let Ok(short) = list.replicas_short().await {
            let lost = |half| {
                format!("redis.wait_replicas should be {half}: a failover may lose acknowledged opt-outs")
            };
            health.warn(Warning::Replicas, short.map(lost));
        }
        if let Ok((count, since)) = list.incomplete().await {
            metrics.set_campaigns_incomplete(count, since);
        }
        let Ok(Some((head, fold))) = list.head().await else { continue };
        for kind in IdentifierKind::ALL {
            let counts = head.counts.iter().filter(|((_, of), _)| of == kind).map(|(_, count)| *count);
            metrics.set_identifiers(*kind, counts.max().unwrap_or_default());
        }
        let other = fold != crate::domain::fold::FOLD_VERSION;
        let mixed = || {
            format!(
                "the list is kept by another version (fold {fold}): this worker filters and does not apply; when all \
                 are of this version, run `suppressd rebuild`"
            )
        };
        health.warn(Warning::Fold, other.then(mixed));
    }
}

/// Counts what waits in our queues.
async fn count_messages(broker: Broker, metrics: Arc<Metrics>) {
    let mut ticks = interval(COUNT_EVERY);
    // While RabbitMQ is away a look takes longer than that.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for queue in Queue::ALL {
            match broker.depth(*queue).await {
                Ok(messages) => metrics.set_queue_messages(*queue, messages),
                Err(fault) => tracing::debug!(%fault, queue = queue.as_str(), "a queue cannot be looked at"),
            }
        }
    }
}

/// Says what the calendar lacks, before a deadline needs it.
async fn look_ahead(calendar: Arc<Calendar>, clock: Arc<dyn Clock>, health: Health) {
    let mut ticks = interval(CALENDAR_EVERY);
    loop {
        ticks.tick().await;
        health.warn(Warning::Calendar, calendar.lack(clock.now()).map(|lack| lack.to_string()));
    }
}

/// Gives deliveries back that were held for so long that RabbitMQ might take them away, and takes them again
/// when they can be worked on.
async fn hold(mut work: Workable, broker: Broker, hold_max: Duration) {
    while work.until(false).await {
        if timeout(hold_max, work.until(true)).await.is_ok() {
            continue;
        }
        let input = work.input;
        tracing::warn!(
            ?input,
            "deliveries were held too long: they are given back until they can be worked on"
        );
        broker.pause(input);
        if !work.until(true).await {
            return;
        }
        broker.resume(input);
    }
}

/// Whether deliveries can be worked on. Jobs need a list that is proven; events a clock and a ledger besides.
struct Workable {
    input: Input,
    glance: watch::Receiver<Glance>,
    ledger: watch::Receiver<LedgerState>,
    skew_max: Duration,
}

impl Workable {
    /// Waits until they can, or cannot. `false`: nobody will say any more.
    async fn until(&mut self, wanted: bool) -> bool {
        loop {
            let able = {
                let glance = self.glance.borrow_and_update();
                let whole = self.ledger.borrow_and_update().whole;
                let dated = whole && !clock_is_off(&glance, self.skew_max);
                glance.open && (dated || self.input == Input::Jobs)
            };
            if able == wanted {
                return true;
            }
            let seen = tokio::select! {
                seen = self.glance.changed() => seen,
                seen = self.ledger.changed() => seen,
            };
            if seen.is_err() {
                return false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLDER: &str = "Redis has an older list than before";

    fn ledger(whole: bool, missed: Option<(u64, &'static str)>) -> LedgerState {
        LedgerState { whole, missed, ..LedgerState::default() }
    }

    #[test]
    fn a_loss_is_told_however_soon_it_is_mended() {
        for (case, seen) in [
            (
                "at a barrier",
                vec![(Some(OLDER), false, ledger(true, None)), (None, true, ledger(true, None))],
            ),
            (
                "at a barrier, the ledger being read anew",
                vec![(Some(OLDER), false, ledger(false, None)), (None, true, ledger(true, None))],
            ),
            ("by the applier alone", vec![(None, true, ledger(true, Some((1, OLDER))))]),
        ] {
            let mut losses = Losses::default();
            let told: Vec<_> =
                seen.iter().filter_map(|(lost, open, state)| losses.see(*lost, *open, state)).collect();
            assert_eq!(told, [OLDER], "{case}");
            let after = losses.see(None, true, &seen.last().unwrap().2);
            assert_eq!(after, None, "{case}: told once");
        }
    }

    #[test]
    fn where_nothing_was_ever_kept_nothing_is_lost() {
        let mut losses = Losses::default();
        let empty = LedgerState { empty: true, ..LedgerState::default() };
        assert_eq!(losses.see(Some("Redis has no list"), false, &empty), None);
        assert_eq!(losses.see(None, true, &ledger(true, None)), None, "nor is it told later");
    }
}
