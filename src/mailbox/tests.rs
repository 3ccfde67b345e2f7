//! The adapter against a server that says what the test wants: the odd, the wrong and the hostile.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::task::JoinHandle;

use super::*;
use crate::service::ports::{MailFaultKind, Mark};

const GREETING: &str = "* OK ready\r\n";
const SELECTED: &str = "* 1 EXISTS\r\n* OK [PERMANENTFLAGS (\\Flagged \\*)] ok\r\n\
     * OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2] ok\r\n";

/// What a server answers to a command, before its `OK`: the first whose word is in the line, and how it ends.
type Answers = Vec<(&'static str, String, &'static str)>;

/// A server with these answers in place of the ordinary ones.
fn serve(stream: DuplexStream, greeting: &'static str, odd: Answers) -> JoinHandle<()> {
    let ordinary = |word, text: &str| (word, text.to_owned(), "OK done");
    let usual = [
        ordinary("CAPABILITY", "* CAPABILITY IMAP4rev1 IDLE MOVE\r\n"),
        ordinary("LIST", "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* LIST (\\Junk) \"/\" Spam\r\n"),
        ordinary("SELECT", SELECTED),
        ordinary("SEARCH", "* SEARCH 1\r\n"),
        ordinary("", ""),
    ];
    let answers: Answers = odd.into_iter().chain(usual).collect();
    #[expect(clippy::disallowed_methods, reason = "the other end of a test's connection ends with it")]
    tokio::spawn(async move {
        let mut stream = BufReader::new(stream);
        let _ = stream.write_all(greeting.as_bytes()).await;
        let mut line = String::new();
        while stream.read_line(&mut line).await.is_ok_and(|length| length > 0) {
            let (tag, command) = line.split_once(' ').unwrap_or(("*", &line));
            let (_, text, end) = answers.iter().find(|(word, ..)| command.contains(word)).unwrap();
            let reply = format!("{text}{tag} {end}\r\n");
            if stream.write_all(reply.as_bytes()).await.is_err() {
                return;
            }
            line.clear();
        }
    })
}

fn settings() -> ImapSettings {
    ImapSettings {
        host: "localhost".into(),
        port: 0,
        protection: Protection::Nothing,
        ca_file: None,
        user: "info".into(),
        password: Zeroizing::new("secret \"word\"".into()),
        since: "2026-11-01".parse().ok(),
    }
}

/// Logs in to such a server.
async fn log_in(greeting: &'static str, odd: Answers) -> Result<connect::Logged, MailFault> {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let _ends_with_the_test = serve(theirs, greeting, odd);
    connect::log_in(&settings(), Box::new(ours)).await
}

/// The inbox of such a server.
async fn inbox(odd: Answers) -> ImapFolder {
    let logged = log_in(GREETING, odd).await.map_err(|fault| fault.what).unwrap();
    ImapFolder::open(logged, "INBOX", settings().since).await.unwrap().unwrap()
}

fn odd(word: &'static str, text: &str, end: &'static str) -> Answers {
    vec![(word, text.to_owned(), end)]
}

const DONE: Mark = Mark { done: true, person: false };

#[tokio::test]
async fn a_mail_is_found_fetched_and_marked() {
    let text = "* 1 FETCH (UID 1 INTERNALDATE \" 1-Nov-2026 10:15:00 +0500\" RFC822.SIZE 5 BODY[]<0> {5}\r\nhello)\r\n";
    let mut folder = inbox(odd("FETCH", text, "OK done")).await;
    assert_eq!(folder.unhandled(1).await.unwrap(), [1]);
    assert!(folder.unhandled(2).await.unwrap().is_empty(), "`*` is the last mail, even below");
    let mail = folder.fetch(1, 100).await.unwrap().unwrap();
    assert_eq!((mail.bytes.as_slice(), mail.whole), (&b"hello"[..], true));
    assert_eq!(mail.arrived.to_string(), "2026-11-01T05:15:00Z");
    assert!(folder.mark(1, DONE).await.is_ok());
    assert!(folder.move_to(1, "Done").await.is_ok());
}

#[tokio::test]
async fn a_mail_that_is_gone_and_one_that_was_cut_are_noticed() {
    let mut folder = inbox(vec![]).await;
    assert!(folder.fetch(1, 100).await.unwrap().is_none());
    let text = "* 1 FETCH (UID 1 INTERNALDATE \"01-Nov-2026 10:15:00 +0500\" RFC822.SIZE 50 BODY[]<0> {5}\r\nhello)\r\n";
    let mail = inbox(odd("FETCH", text, "OK done")).await.fetch(1, 5).await.unwrap().unwrap();
    assert!(!mail.whole);
}

#[tokio::test]
async fn a_server_that_refuses_is_not_taken_to_agree() {
    for (word, end, kind) in [
        ("SEARCH", "NO not now", MailFaultKind::Refused),
        ("FETCH", "NO [SERVERBUG] u1@example.kz", MailFaultKind::Refused),
        ("STORE", "NO [OVERQUOTA] full", MailFaultKind::Mark),
        ("STORE", "BAD what", MailFaultKind::Mark),
        ("MOVE", "NO [TRYCREATE] no such folder", MailFaultKind::Mark),
    ] {
        let mut folder = inbox(odd(word, "", end)).await;
        let fault = match word {
            "SEARCH" => folder.unhandled(1).await.map(|_| ()),
            "FETCH" => folder.fetch(1, 100).await.map(|_| ()),
            "STORE" => folder.mark(1, DONE).await,
            _ => folder.move_to(1, "Done").await,
        };
        let fault = fault.expect_err(word);
        assert_eq!(fault.kind, kind, "{word}: {fault}");
        assert!(!fault.what.contains("example.kz"), "{fault}");
        assert_eq!(fault.what.contains("no room"), end.contains("OVERQUOTA"), "{fault}");
    }
}

#[tokio::test]
async fn a_mark_that_is_forgotten_at_once_is_noticed() {
    let mut folder = inbox(odd("STORE", "* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n", "OK done")).await;
    assert_eq!(folder.mark(1, DONE).await.unwrap_err().kind, MailFaultKind::Mark);
}

#[tokio::test]
async fn a_server_that_keeps_no_keywords_is_asked_for_none() {
    let selected = SELECTED.replace(" \\*", "");
    let mut folder = inbox(odd("SELECT", &selected, "OK [READ-ONLY] done")).await;
    assert!(!folder.about().keeps_marks);
    assert!(folder.mark(1, DONE).await.is_ok(), "there is nothing to keep");
}

#[tokio::test]
async fn an_answer_that_cannot_be_understood_is_not_repeated() {
    let text = "* 1 FETCH (UID 1 BODY[] Отписаться u1@example.kz)\r\n";
    let fault = inbox(odd("FETCH", text, "OK done")).await.fetch(1, 100).await;
    let fault = fault.err().expect("it is no answer");
    assert_eq!(fault.kind, MailFaultKind::Protocol, "{fault}");
    assert!(!fault.what.contains("example.kz") && !fault.what.contains("Отписаться"), "{fault}");
}

#[tokio::test]
async fn a_server_that_sends_more_than_it_was_asked_for_is_hung_up_on() {
    let large = "x".repeat(6 << 20);
    let text = format!("* 1 FETCH (UID 1 BODY[] {{{}}}\r\n{large})\r\n", large.len());
    let fault = inbox(odd("FETCH", &text, "OK done")).await.fetch(1, 1 << 20).await;
    let fault = fault.err().expect("it is too much");
    assert!(fault.what.contains("more than it was asked for"), "{fault}");
}

#[tokio::test]
async fn logins_are_refused_for_good_or_for_now() {
    let login = async |end| log_in(GREETING, odd("LOGIN", "", end)).await.err().expect("it is refused").kind;
    assert_eq!(login("NO [AUTHENTICATIONFAILED] no").await, MailFaultKind::Login);
    assert_eq!(login("NO [UNAVAILABLE] later").await, MailFaultKind::Refused);
    for greeting in ["* BYE too many\r\n", "* PREAUTH you are somebody\r\n"] {
        let fault = log_in(greeting, vec![]).await.err().expect("nobody may log in");
        assert!(fault.what.starts_with("greeting"), "{fault}");
    }
}

#[tokio::test]
async fn the_junk_folder_is_found_by_its_use_and_another_is_not() {
    let open = async |name| {
        let logged = log_in(GREETING, vec![]).await.map_err(|fault| fault.what).unwrap();
        ImapFolder::open(logged, name, None).await.unwrap().is_some()
    };
    assert!(open("Junk").await && open("inbox").await && open("Spam").await);
    assert!(!open("Archive").await);
}

#[tokio::test(start_paused = true)]
async fn mail_that_comes_between_a_search_and_the_wait_is_news() {
    let mut folder = inbox(odd("STORE", "* 2 EXISTS\r\n", "OK done")).await;
    folder.unhandled(1).await.unwrap();
    folder.mark(1, DONE).await.unwrap();
    let waited = tokio::time::timeout(Duration::from_secs(1), folder.news(PATIENCE)).await;
    assert_eq!(waited, Ok(Ok(())));
}

#[tokio::test]
async fn a_server_that_offers_idle_and_refuses_it_is_told_of() {
    let mut folder = inbox(odd("IDLE", "", "NO no")).await;
    folder.unhandled(1).await.unwrap();
    assert_eq!(folder.news(PATIENCE).await.unwrap_err().kind, MailFaultKind::Refused);
}

const PATIENCE: Duration = Duration::from_secs(30);
