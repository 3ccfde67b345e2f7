//! What breaks on the way from a mail to its event, on every side.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::scene::{MailScene, mail, opt_out, reading, state};
use crate::support::{LONG, Message, SOON, Worker, eventually, lasting};

/// The ids of events, each once.
fn ids(events: &[Value]) -> BTreeSet<String> {
    events.iter().map(|event| event["event_id"].as_str().expect("an event has an id").to_owned()).collect()
}

/// The most memory that a process ever had, in bytes.
fn peak(worker: &Worker) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", worker.pid())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("it is a number");
    kib * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_mail_server_killed_again_and_again_no_mail_is_missed_and_none_is_taken_twice() {
    const MAILS: usize = 60;
    let mut mail = MailScene::new().await;
    mail.reading().await;
    for number in 1..=MAILS {
        let folder = if number % 4 == 0 { "Junk" } else { "INBOX" };
        mail.dovecot.deliver(folder, &opt_out(number));
        if number % 13 == 0 {
            // At some moment between the first event and the last mark of this stretch.
            let some = number - 6;
            let what = format!("{some} events are published");
            let count = async || (mail.scene.metric("suppressd_mails_total", &[]) > 0.0).then_some(());
            eventually(&what, SOON, count).await;
            mail.dovecot.kill9();
            mail.dovecot.start_again();
        }
    }
    mail.all_done("INBOX", MAILS - MAILS / 4).await;
    mail.all_done("Junk", MAILS / 4).await;
    let events: Vec<Value> = mail.published(MAILS).await.iter().map(Message::json).collect();
    assert_eq!(ids(&events).len(), MAILS, "none is missed");
    mail.events.expect_silence(Duration::from_millis(300)).await;
    for number in [1, 13, 26, MAILS] {
        mail.excluded(&format!("u{number}@example.kz")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_between_publishing_and_marking_leaves_one_request() {
    let mut mail = MailScene::new().await;
    mail.scene.worker.sigterm();
    assert_eq!(mail.scene.worker.exit_code().await, Some(0));
    mail.dovecot.deliver("INBOX", &opt_out(1));
    let dying = mail.scene.stage.start_with("w2", |command| {
        command.env("SUPPRESSD_FAIL_POINTS", "die-before-mark");
    });
    assert_eq!(dying.exit_code().await, None, "it dies by a signal");
    assert_eq!(mail.done("INBOX"), 0);
    mail.scene.worker = mail.scene.stage.start("w3");
    mail.scene.worker.wait_ready().await;
    mail.all_done("INBOX", 1).await;
    mail.excluded("u1@example.kz").await;
    let first = mail.scene.receipts.next().await.json();
    assert_ne!(first["status"], "duplicate");
    while let Some(more) = mail.scene.receipts.next_within(Duration::from_millis(300)).await {
        let more = more.json();
        assert_eq!((&more["status"], &more["request_id"]), (&"duplicate".into(), &first["request_id"]));
    }
    let dead = mail.scene.dead.next_within(Duration::from_millis(100)).await;
    assert!(dead.is_none(), "a repetition is no conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_workers_one_reads_and_the_other_takes_over() {
    const MAILS: usize = 12;
    let mut mail = MailScene::new().await;
    mail.reading().await;
    let second = mail.scene.stage.start("w2");
    second.wait_ready().await;
    let idle = async || (state(&second)["why"] == "another worker reads it").then_some(());
    eventually("the second worker waits for its turn", SOON, idle).await;
    assert_eq!(state(&second)["ready"], true);
    for number in 1..=MAILS {
        mail.dovecot.deliver("INBOX", &opt_out(number));
    }
    mail.all_done("INBOX", MAILS).await;
    mail.scene.worker.kill9();
    for number in MAILS + 1..=2 * MAILS {
        mail.dovecot.deliver("INBOX", &opt_out(number));
    }
    reading(&second).await;
    mail.all_done("INBOX", 2 * MAILS).await;
    let events: Vec<Value> = mail.published(2 * MAILS).await.iter().map(Message::json).collect();
    assert_eq!(ids(&events).len(), 2 * MAILS);
    mail.events.expect_silence(Duration::from_millis(300)).await;
    mail.scene.worker = second;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_mail_in_two_folders_and_without_a_message_id_is_one_request() {
    let mut mail = MailScene::with(|dovecot| {
        let twice = mail("twice@example.kz", "", "Отписаться", "Уберите меня из рассылки");
        dovecot.deliver("INBOX", &twice);
        let marked = [b"X-Spam: yes\r\nReceived: from a by b\r\n", twice.as_slice()].concat();
        dovecot.deliver("Junk", &marked);
    })
    .await;
    mail.all_done("INBOX", 1).await;
    mail.all_done("Junk", 1).await;
    mail.excluded("twice@example.kz").await;
    mail.scene.expect_metric("suppressd_mails_total", &[("outcome", "known")], 1).await;
    let receipt = mail.scene.receipts.next().await.json();
    assert_ne!(receipt["status"], "duplicate");
    mail.scene.receipts.expect_silence(Duration::from_millis(300)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_of_fifty_megabytes_is_for_a_person_and_costs_no_memory() {
    let mut mail = MailScene::new().await;
    mail.reading().await;
    mail.dovecot.deliver("INBOX", &opt_out(1));
    mail.all_done("INBOX", 1).await;
    let before = peak(&mail.scene.worker);
    let line = [b'x'; 78];
    let text = [&line[..], b"\r\n"].concat().repeat(650_000);
    let text = String::from_utf8(text).expect("it is ASCII");
    mail.dovecot.deliver("INBOX", &mail_of(&text));
    mail.all_done("INBOX", 2).await;
    let grown = peak(&mail.scene.worker).saturating_sub(before);
    println!("a mail of 50 MB: the worker's peak rose by {} MiB", grown >> 20);
    assert!(grown < 40 << 20, "{grown} bytes");
    mail.excluded("large@example.kz").await;
    let large = mail.published(2).await[1].json();
    assert_eq!(large["review"], "hold");
    let flagged = mail.dovecot.count("INBOX", &["KEYWORD", "$SuppressdReview", "FLAGGED"]);
    assert!((1..=2).contains(&flagged));
    assert!(mail.dovecot.flags("INBOX").iter().all(|flags| !flags.contains("\\Seen")));
}

fn mail_of(text: &str) -> Vec<u8> {
    mail("large@example.kz", "<large@example.kz>", "Фото", text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_is_noticed_and_read_again_once_it_speaks() {
    let mut mail = MailScene::new().await;
    mail.reading().await;
    mail.dovecot.freeze();
    let silent = async || (mail.state()["ready"] == false).then_some(());
    eventually("silence is noticed", LONG, silent).await;
    let why = mail.state()["why"].as_str().unwrap().to_owned();
    assert!(why.contains("silent"), "{why}");
    assert_eq!(mail.scene.worker.get("/ready").unwrap().status, 200);
    assert!(mail.is_sent_to("u1@example.kz").await, "jobs go on");
    mail.dovecot.deliver("INBOX", &opt_out(1));
    mail.dovecot.thaw();
    mail.all_done("INBOX", 1).await;
    mail.excluded("u1@example.kz").await;
    mail.reading().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_of_mail_systems_become_bounces_and_complaints() {
    let mut mail = MailScene::new().await;
    mail.reading().await;
    mail.dovecot.deliver("INBOX", DELIVERY_REPORT.replace('\n', "\r\n").as_bytes());
    mail.all_done("INBOX", 1).await;
    mail.dovecot.deliver("INBOX", ABUSE_REPORT.replace('\n', "\r\n").as_bytes());
    mail.all_done("INBOX", 2).await;
    let bounce = mail.event().await;
    assert_eq!(
        (&bounce["kind"], &bounce["subject"]),
        (&"bounce".into(), &json!({"email": "gone@example.kz"}))
    );
    let complaint = mail.event().await;
    assert_eq!(
        (&complaint["kind"], &complaint["subject"]),
        (&"complaint".into(), &json!({"email": "angry@example.kz"}))
    );
    mail.excluded("gone@example.kz").await;
    mail.excluded("angry@example.kz").await;
    for outcome in ["bounce", "complaint"] {
        mail.scene.expect_metric("suppressd_mails_total", &[("outcome", outcome)], 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_is_away_mails_wait_and_are_taken_once_it_is_back() {
    let mut mail = MailScene::new().await;
    mail.reading().await;
    mail.scene.stage.redis.freeze();
    mail.dovecot.deliver("INBOX", &opt_out(1));
    mail.scene.worker.wait_not_ready().await;
    lasting(Duration::from_secs(1)).await;
    assert_eq!(mail.done("INBOX"), 0);
    mail.scene.stage.redis.thaw();
    mail.all_done("INBOX", 1).await;
    mail.excluded("u1@example.kz").await;
}

const DELIVERY_REPORT: &str = r#"Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example.kz>
To: info@lulla.kz
Subject: Undelivered Mail Returned to Sender
Date: Sun, 22 Nov 2026 10:15:00 +0500
Message-ID: <dsn-1@mx.example.kz>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain; charset=us-ascii

I could not deliver your message.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.kz

Final-Recipient: rfc822; gone@example.kz
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--b1
Content-Type: text/rfc822-headers

From: info@lulla.kz
To: gone@example.kz
Subject: Nauryz

--b1--
"#;

const ABUSE_REPORT: &str = r#"Return-Path: <fbl@provider.kz>
From: Feedback <fbl@provider.kz>
To: info@lulla.kz
Subject: FW: Nauryz
Date: Sun, 22 Nov 2026 10:15:00 +0500
Message-ID: <arf-1@provider.kz>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b2"

--b2
Content-Type: text/plain; charset=us-ascii

This is an abuse report.

--b2
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Provider/1.0
Version: 1
Original-Mail-From: <info@lulla.kz>
Original-Rcpt-To: <angry@example.kz>

--b2
Content-Type: message/rfc822

From: info@lulla.kz
To: angry@example.kz
Subject: Nauryz

Sale!

--b2--
"#;
