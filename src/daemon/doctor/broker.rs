//! RabbitMQ: whether it lets us in, what its objects are like, what waits in them.

use std::time::Duration;

use super::check::{Check, MEND_TLS, at_least, counted};
use crate::amqp::{BrokerSettings, Endpoint, Fault, Inspected, Inspector, Names, greeting};
use crate::tls::is_advice;

/// The oldest that the tests run on.
const OLDEST: (u32, u32) = (3, 10);

const SERVER: &str = "rabbitmq";
const PERMISSIONS: &str = "give the user of amqp.url what deploy/rabbitmq/definitions.json gives to `suppressd` (rabbitmqctl set_permissions)";

/// What was seen.
pub(super) struct Looked {
    /// The server's version, if it is told.
    pub(super) version: Option<String>,
    /// Every object.
    pub(super) objects: Vec<Inspected>,
    /// Whether it takes messages at present.
    pub(super) takes_messages: bool,
    /// The oldest record of the ledger with its offset, if it could be read.
    pub(super) first: Option<(u64, Vec<u8>)>,
    /// What the ledger has where the list's last record should be, or the next one behind that place.
    pub(super) last_applied: Option<(u64, Vec<u8>)>,
}

/// Looks at everything; `position`: how many records the list has.
pub(super) async fn look(settings: &BrokerSettings, position: Option<u64>) -> Result<Looked, Check> {
    let version = greeting(&settings.endpoint).await;
    let inspector = Inspector::open(settings).await.map_err(|fault| no_session(&fault))?;
    let looked = inspect(&inspector, &settings.names, position, version).await;
    inspector.close().await;
    looked.map_err(|fault| no_session(&fault))
}

async fn inspect(
    inspector: &Inspector,
    names: &Names,
    position: Option<u64>,
    version: Option<String>,
) -> Result<Looked, Fault> {
    let mut objects = inspector.objects().await?;
    let readable = objects.iter().any(|object| {
        object.name == names.ledger
            && object.there.is_some()
            && object.differs.is_none()
            && object.refused.is_empty()
    });
    let (mut first, mut last_applied) = (None, None);
    if readable {
        first = inspector.record_from(0).await?;
        if let Some(last) = position.and_then(|position| position.checked_sub(1)).filter(|_| first.is_some())
        {
            last_applied = inspector.record_from(last).await?;
        }
    }
    let takes_messages = inspector.may_publish(&mut objects).await?;
    Ok(Looked { version, objects, takes_messages, first, last_applied })
}

/// There is no session with RabbitMQ.
fn no_session(fault: &Fault) -> Check {
    if fault.is_configuration() {
        let to_do = "correct user, password and virtual host in amqp.url, or create them in RabbitMQ";
        return Check::fault(SERVER, fault.to_string(), to_do);
    }
    let found = fault.to_string();
    let start = "start RabbitMQ, or correct host and port in amqp.url; a worker waits for it meanwhile";
    let to_do = if is_advice(&found) { MEND_TLS } else { start };
    Check::unavailable(SERVER, found, to_do)
}

/// It answers, but not to the end.
pub(super) fn too_slow(within: Duration) -> Check {
    let found = format!("RabbitMQ could not be looked at within {} s", within.as_secs());
    Check::unavailable(SERVER, found, "find out what keeps it busy; a worker waits for it meanwhile")
}

/// What is to be said; `begun`: this installation is not new.
pub(super) fn judge(looked: &Looked, settings: &BrokerSettings, begun: bool) -> Vec<Check> {
    let names = &settings.names;
    let mut objects: Vec<_> = looked.objects.iter().collect();
    // A worker declares first what the others need; people look for it last.
    objects.sort_by_key(|seen| seen.name == names.dead);
    let objects = objects.into_iter().map(|seen| object(seen, names, begun));
    [server(looked, &settings.endpoint)].into_iter().chain(objects).collect()
}

fn server(looked: &Looked, endpoint: &Endpoint) -> Check {
    let at = match &looked.version {
        Some(version) if at_least(version, OLDEST) => format!("RabbitMQ {version} at {endpoint}"),
        Some(version) => {
            let found = format!("RabbitMQ {version} at {endpoint} is older than {}.{}", OLDEST.0, OLDEST.1);
            return Check::fault(
                SERVER,
                found,
                "upgrade RabbitMQ: the ledger is a stream, which older ones lack",
            );
        }
        None => format!("RabbitMQ at {endpoint}; it does not tell its version without a login"),
    };
    if !looked.takes_messages {
        let found = format!("{at} takes no messages: it is short of memory or disk");
        return Check::unavailable(SERVER, found, "give it room; `rabbitmqctl status` names the alarm");
    }
    Check::ok(SERVER, at)
}

fn object(seen: &Inspected, names: &Names, begun: bool) -> Check {
    let name = &*seen.title;
    if !seen.refused.is_empty() {
        return Check::fault(name, seen.refused.join("; "), PERMISSIONS);
    }
    if let Some(why) = &seen.differs {
        let to_do = if seen.name == names.ledger {
            "set another amqp.prefix, or remove it if nothing in it is needed: the ledger must be a stream of our own"
        } else {
            "empty and delete it, and a worker declares it as it must be; or set another amqp.prefix"
        };
        return Check::fault(name, why.clone(), to_do);
    }
    let Some(holds) = seen.there else {
        if begun {
            return Check::warning(
                name,
                "is not there",
                "start a worker, which declares it: `suppressd run`",
            );
        }
        return Check::fault(name, "is not there", "run `suppressd init`, once an installation");
    };
    if !name.starts_with("queue ") || seen.name == names.ledger {
        return Check::ok(name, "is as it must be");
    }
    let waiting = counted(holds.messages, "message waits", "messages wait");
    if seen.name == names.dead {
        let to_do = "look at them: `suppressd dead list`";
        return if holds.messages == 0 { idle(name) } else { Check::warning(name, waiting, to_do) };
    }
    if seen.name == names.waiting {
        let found = format!("{waiting} for a binding");
        let to_do = format!("bind the queue of a sender to exchange {}", names.filtered);
        return if holds.messages == 0 { idle(name) } else { Check::warning(name, found, to_do) };
    }
    match (holds.messages, holds.consumers) {
        (0, 0) => Check::ok(name, "is empty; no worker takes from it"),
        (_, 0) => Check::warning(
            name,
            format!("{waiting}, and no worker takes them"),
            "start a worker: `suppressd run`",
        ),
        (_, workers) => Check::ok(
            name,
            format!("{waiting}; {} from it", counted(workers, "worker takes", "workers take")),
        ),
    }
}

fn idle(name: &str) -> Check {
    Check::ok(name, "is empty")
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;
    use crate::amqp::Holds;

    fn seen(name: &str, messages: u32, consumers: u32) -> Inspected {
        Inspected {
            title: format!("queue s.{name}"),
            name: format!("s.{name}"),
            there: Some(Holds { messages, consumers }),
            differs: None,
            refused: vec![],
        }
    }

    fn judged(seen: &Inspected, begun: bool) -> (Verdict, String) {
        let check = object(seen, &Names::new("s").unwrap(), begun);
        (check.verdict, check.found + " " + check.to_do.as_deref().unwrap_or_default())
    }

    #[test]
    fn what_waits_is_told_with_what_to_do() {
        for (name, messages, consumers, verdict, word) in [
            ("jobs", 0, 0, Verdict::Ok, "no worker"),
            ("jobs", 7, 0, Verdict::Warning, "suppressd run"),
            ("opt-outs", 1, 0, Verdict::Warning, "1 message waits"),
            ("opt-outs", 7, 2, Verdict::Ok, "2 workers"),
            ("waiting", 0, 0, Verdict::Ok, "empty"),
            ("waiting", 2, 1, Verdict::Warning, "s.filtered"),
            ("dead", 0, 0, Verdict::Ok, "empty"),
            ("dead", 3, 0, Verdict::Warning, "suppressd dead list"),
            ("ledger", 900, 0, Verdict::Ok, "as it must be"),
        ] {
            let (is, text) = judged(&seen(name, messages, consumers), true);
            assert!(is == verdict && text.contains(word), "{name} {messages} {consumers}: {is:?} {text}");
        }
    }

    #[test]
    fn an_object_that_is_missing_wants_init_or_a_worker() {
        let gone = Inspected { there: None, ..seen("jobs", 0, 0) };
        let (verdict, text) = judged(&gone, false);
        assert!(verdict == Verdict::Fault && text.contains("suppressd init"), "{text}");
        let (verdict, text) = judged(&gone, true);
        assert!(verdict == Verdict::Warning && text.contains("suppressd run"), "{text}");
    }

    #[test]
    fn what_is_refused_or_otherwise_is_a_fault() {
        let refused = Inspected { refused: vec!["access refused".into()], ..seen("jobs", 0, 0) };
        let (verdict, text) = judged(&refused, true);
        assert!(verdict == Verdict::Fault && text.contains("definitions.json"), "{text}");
        let other =
            Inspected { differs: Some("inequivalent arg 'x-queue-type'".into()), ..seen("ledger", 0, 0) };
        let (verdict, text) = judged(&other, true);
        assert!(
            verdict == Verdict::Fault && text.contains("x-queue-type") && text.contains("stream"),
            "{text}"
        );
    }

    #[test]
    fn an_old_server_and_a_full_one_are_told() {
        let endpoint = Endpoint::parse("amqp://u:hunter2@mq/v").unwrap();
        let looked = |version: Option<&str>, takes_messages| Looked {
            version: version.map(ToOwned::to_owned),
            objects: vec![],
            takes_messages,
            first: None,
            last_applied: None,
        };
        for (version, takes, verdict) in [
            (Some("3.10.8"), true, Verdict::Ok),
            (Some("3.9.1"), true, Verdict::Fault),
            (None, true, Verdict::Ok),
            (Some("4.1.0"), false, Verdict::Unavailable),
        ] {
            let check = server(&looked(version, takes), &endpoint);
            assert_eq!(check.verdict, verdict, "{check:?}");
            assert!(!format!("{check:?}").contains("hunter2"));
        }
    }
}
