//! What is on this machine: keys, the calendar, the HTTP address.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::check::{Check, counted};
use crate::domain::calendar::{Calendar, Lack};
use crate::domain::digest::KeyRing;

const KEYS: &str = "hashing.key_files";
const CALENDAR: &str = "calendar";
const ADMIN: &str = "admin.listen";

/// How long whoever listens may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Of an answer; a worker's has a few hundred.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// The key files could be read.
pub(super) fn keys(ring: &KeyRing) -> Check {
    let checks: Vec<_> = ring.keys().iter().map(|key| key.check().to_string()).collect();
    let read = counted(checks.len() as u64, "key", "keys");
    Check::ok(KEYS, format!("{read}, known by {}", checks.join(", ")))
}

/// How far deadlines can be counted.
pub(super) fn calendar(calendar: &Calendar, now: Timestamp) -> Check {
    match (calendar.lack(now), calendar.horizon()) {
        (Some(lack), _) => {
            let to_do = match lack {
                Lack::Calendar => "load config/kazakhstan.toml too, or write a [calendar] of your own",
                Lack::Year(_) => "write its working days down (README.md, Working days)",
                Lack::Announcement(_) => "as it says",
            };
            Check::warning(CALENDAR, lack.to_string(), to_do)
        }
        (None, Some((version, year))) => {
            Check::ok(CALENDAR, format!("{version}, which has working days until the end of {year}"))
        }
        (None, None) => Check::ok(CALENDAR, "nothing is missing"),
    }
}

/// Who listens there: nobody yet, or a worker.
pub(super) async fn admin(listen: SocketAddr) -> Check {
    let here = match TcpListener::bind(listen).await {
        Ok(_free) => Check::ok(ADMIN, format!("{listen} is free; no worker runs with these settings here")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let answer = timeout(ANSWER_TIMEOUT, readiness(listen)).await;
            worker(listen, answer.ok().and_then(Result::ok).as_deref())
        }
        Err(error) => {
            let found = format!("{listen} cannot be used: {}", error.kind());
            Check::fault(ADMIN, found, "name an address of this machine, and a port that the user may use")
        }
    };
    if here.to_do.is_none() && !listen.ip().is_loopback() {
        let to_do = "let nobody but Prometheus reach it (a firewall), or listen on 127.0.0.1";
        return Check::warning(
            ADMIN,
            format!("{}; other machines reach it, and it has no login", here.found),
            to_do,
        );
    }
    here
}

/// Asks whoever listens whether it is a ready worker.
async fn readiness(listen: SocketAddr) -> std::io::Result<String> {
    let mut at = listen;
    if at.ip().is_unspecified() {
        at.set_ip(if at.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    let mut stream = TcpStream::connect(at).await?;
    stream.write_all(b"GET /ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer).await?;
    Ok(answer)
}

/// What the answer tells. Only what has the form of a worker's is believed, and repeated.
fn worker(listen: SocketAddr, answer: Option<&str>) -> Check {
    let body = answer.and_then(|answer| answer.split_once("\r\n\r\n")).map(|(_, body)| body);
    let told: Option<Value> = body.and_then(|body| serde_json::from_str(body).ok());
    let Some((ready, told)) = told.and_then(|told| Some((told.get("ready")?.as_bool()?, told))) else {
        let found = format!("another program listens on {listen}, or a worker that does not answer");
        return Check::fault(ADMIN, found, "name another port, or end that program");
    };
    let lacking = told["dependencies"].as_object().into_iter().flatten();
    let lacking = lacking.filter(|(_, state)| state["ready"] == false).map(|(name, _)| name.as_str());
    let warned = told["warnings"].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str());
    let (lacking, warned): (Vec<_>, Vec<_>) = (lacking.collect(), warned.collect());
    let to_do = format!("ask it why: curl http://{listen}/ready");
    match (ready, warned.is_empty()) {
        (false, _) => Check::warning(
            ADMIN,
            format!("a worker listens on {listen}, and lacks {}", lacking.join(", ")),
            to_do,
        ),
        (true, false) => Check::warning(
            ADMIN,
            format!("a worker listens on {listen}, is ready, and warns of {}", warned.join(", ")),
            to_do,
        ),
        (true, true) => Check::ok(ADMIN, format!("a worker listens on {listen}, and is ready")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;
    use crate::domain::calendar::Year;

    const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);

    #[test]
    fn only_what_answers_as_a_worker_does_is_taken_for_one() {
        let answer = |body: &str| format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{body}");
        let warned = r#"{"ready":true,"dependencies":{},"warnings":[{"name":"clock","why":"x"}]}"#;
        let lacking =
            r#"{"ready":false,"dependencies":{"redis":{"ready":false,"why":"x"},"amqp":{"ready":true}}}"#;
        for (answer, verdict, word) in [
            (Some(answer(r#"{"ready":true,"dependencies":{},"warnings":[]}"#)), Verdict::Ok, "is ready"),
            (Some(answer(warned)), Verdict::Warning, "warns of clock"),
            (Some(answer(lacking)), Verdict::Warning, "lacks redis"),
            (Some(answer(r#"{"secret":"hunter2"}"#)), Verdict::Fault, "another program"),
            (Some("SSH-2.0-hunter2".into()), Verdict::Fault, "another program"),
            (None, Verdict::Fault, "does not answer"),
        ] {
            let check = worker(HERE, answer.as_deref());
            assert!(check.verdict == verdict && check.found.contains(word), "{check:?}");
            assert!(!format!("{check:?}").contains("hunter2"));
        }
    }

    #[tokio::test]
    async fn an_address_is_free_taken_or_open_to_others() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let silent = taken.local_addr().unwrap();
        drop(taken);
        assert_eq!(admin(silent).await.verdict, Verdict::Ok);
        let open = admin((Ipv4Addr::UNSPECIFIED, 0).into()).await;
        assert!(open.verdict == Verdict::Warning && open.found.contains("no login"), "{open:?}");
        let elsewhere = admin((Ipv4Addr::new(192, 0, 2, 1), 9464).into()).await;
        assert_eq!(elsewhere.verdict, Verdict::Fault, "{elsewhere:?}");
    }

    #[test]
    fn a_calendar_is_told_with_its_end() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let none = calendar(&Calendar::none(), now);
        assert!(none.verdict == Verdict::Warning && none.found.contains("[calendar]"), "{none:?}");
        let years = [(2026, Year::default()), (2027, Year::default())].into();
        let known = Calendar::new("kz-2026.2".into(), jiff::tz::TimeZone::UTC, vec![], years);
        let found = calendar(&known, now).found;
        assert!(found.contains("kz-2026.2") && found.contains("2027"), "{found}");
        let later: Timestamp = "2027-12-15T10:00:00Z".parse().unwrap();
        let ending = calendar(&known, later);
        assert!(ending.verdict == Verdict::Warning && ending.found.contains("2028"), "{ending:?}");
    }
}
