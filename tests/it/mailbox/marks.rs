//! Where a mail is after it was read, and what the worker knows of it then.

use std::time::Duration;

use super::scene::{MailScene, mail, opt_out};
use crate::support::{Dovecot, SOON, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_gives_new_uids_and_forgets_marks_is_read_again_and_nothing_is_taken_twice() {
    let mut mail = MailScene::new().await;
    mail.reading().await;
    for number in 1..=3 {
        mail.dovecot.deliver("INBOX", &opt_out(number));
    }
    mail.all_done("INBOX", 3).await;
    mail.published(3).await;
    mail.dovecot.kill9();
    mail.dovecot.forget_everything();
    mail.dovecot.start_again();
    mail.dovecot.deliver("INBOX", &opt_out(4));
    mail.all_done("INBOX", 4).await;
    mail.excluded("u4@example.kz").await;
    mail.published(1).await;
    mail.events.expect_silence(Duration::from_millis(300)).await;
    mail.scene.expect_metric("suppressd_mails_total", &[("outcome", "known")], 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_may_not_be_changed_is_read_all_the_same() {
    let server = |stage: &crate::support::Stage| {
        let rights = stage.directory().join("rights");
        std::fs::write(&rights, "* owner lr\n* anyone lr\n").expect("the directory is ours");
        let more = "mail_plugins = $mail_plugins acl\nprotocol imap {\n mail_plugins = $mail_plugins acl imap_acl\n}\n";
        let dovecot = Dovecot::start(stage.directory());
        dovecot.restart_with(&format!("{more}plugin {{\n acl = vfile:{}\n}}", rights.display()));
        dovecot
    };
    let mut mail = MailScene::on(server, Dovecot::settings, |dovecot| {
        dovecot.deliver("INBOX", &opt_out(1));
    })
    .await;
    mail.reading().await;
    mail.excluded("u1@example.kz").await;
    mail.published(1).await;
    let warned = async || {
        let ready = mail.scene.worker.get("/ready").ok()?.json();
        let warnings = ready["warnings"].as_array()?.clone();
        warnings.iter().any(|warning| warning["name"] == "mailbox_marks").then_some(())
    };
    eventually("it is warned of", SOON, warned).await;
    assert_eq!(mail.done("INBOX"), 0);
    mail.scene.worker.sigterm();
    assert_eq!(mail.scene.worker.exit_code().await, Some(0));
    mail.scene.worker = mail.scene.stage.start("w2");
    mail.scene.worker.wait_ready().await;
    mail.scene.expect_metric("suppressd_mails_total", &[("outcome", "known")], 1).await;
    mail.events.expect_silence(Duration::from_millis(300)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_is_moved_away_what_is_old_is_left_alone_and_junk_is_found_by_its_use() {
    let more = "namespace inbox {\n mailbox Spam {\n  special_use = \\Junk\n }\n}";
    let settings = |dovecot: &Dovecot| {
        let moves = "move_to = \"Отписки\"\nreview_to = \"Прочесть & решить\"\nsince = \"2020-01-01\"\n";
        dovecot.settings() + moves
    };
    let start = |stage: &crate::support::Stage| Dovecot::start_with(stage.directory(), more);
    let mut mail = MailScene::on(start, settings, |dovecot| {
        dovecot.create("Spam");
        dovecot.create("Отписки");
        dovecot.create("Прочесть & решить");
        dovecot.deliver_old("INBOX", &opt_out(1));
        dovecot.deliver("INBOX", BOUNCE.replace('\n', "\r\n").as_bytes());
        let image = String::from_utf8(super::scene::mail("image@example.kz", "<i@e.kz>", "", "")).unwrap();
        dovecot.deliver("Spam", image.replace("text/plain; charset=utf-8", "image/png").as_bytes());
    })
    .await;
    mail.reading().await;
    let moved = async || (mail.dovecot.count("Отписки", &["all"]) == 1).then_some(());
    eventually("the bounce is moved", SOON, moved).await;
    let search = ["KEYWORD", "$SuppressdReview", "FLAGGED"];
    let moved = async || (mail.dovecot.count("Прочесть & решить", &search) == 1).then_some(());
    eventually("what a person must read is moved", SOON, moved).await;
    mail.excluded("gone@example.kz").await;
    mail.excluded("image@example.kz").await;
    assert!(mail.is_sent_to("u1@example.kz").await, "an old mail is left alone");
    assert_eq!(mail.dovecot.count("INBOX", &["UNKEYWORD", "$SuppressdDone"]), 1);
    assert_eq!(mail.dovecot.count("Spam", &["all"]), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_missing_is_warned_of_and_the_others_are_read() {
    let settings = |dovecot: &Dovecot| dovecot.settings() + "folders = [\"INBOX\", \"Absent\"]\n";
    let start = |stage: &crate::support::Stage| Dovecot::start(stage.directory());
    let mut mail = MailScene::on(start, settings, |_| ()).await;
    mail.reading().await;
    let warnings = mail.scene.worker.get("/ready").unwrap().json()["warnings"].clone();
    let warned = warnings.as_array().unwrap().iter().find(|warning| warning["name"] == "mailbox_folders");
    assert_eq!(warned.unwrap()["why"], "there is no folder Absent");
    let text = mail_with_a_question();
    mail.dovecot.deliver("INBOX", &text);
    mail.all_done("INBOX", 1).await;
    mail.events.next_within(Duration::from_millis(100)).await;
}

fn mail_with_a_question() -> Vec<u8> {
    mail("asks@example.kz", "<q@e.kz>", "Заказ 17", "Здравствуйте! Когда придёт мой заказ?")
}

const BOUNCE: &str = r#"Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example.kz>
To: info@lulla.kz
Subject: Undelivered Mail Returned to Sender
Date: Sun, 22 Nov 2026 10:15:00 +0500
Message-ID: <dsn-2@mx.example.kz>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.kz

Final-Recipient: rfc822; gone@example.kz
Action: failed
Status: 5.1.1

--b1--
"#;
