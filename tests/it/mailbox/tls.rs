//! Whom the worker talks to, and as whom.

use super::scene::{MailScene, opt_out};
use crate::support::{Dovecot, Stage};

fn server(stage: &Stage) -> Dovecot {
    Dovecot::start(stage.directory())
}

#[tokio::test(flavor = "multi_thread")]
async fn starttls_reads_as_well() {
    let mut mail = MailScene::on(server, Dovecot::settings_starttls, |_| ()).await;
    mail.reading().await;
    mail.dovecot.deliver("INBOX", &opt_out(1));
    mail.all_done("INBOX", 1).await;
    mail.excluded("u1@example.kz").await;
    assert!(mail.dovecot.log().contains("TLS"), "the login is protected");
    mail.scene.worker.sigterm();
    assert_eq!(mail.scene.worker.exit_code().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_certificate_somebody_else_signed_is_not_talked_to() {
    let settings = |dovecot: &Dovecot| dovecot.settings().replace("/ca.pem", "/stranger.pem");
    let mut mail = MailScene::on(server, settings, |dovecot| dovecot.deliver("INBOX", &opt_out(1))).await;
    mail.unread_because("no authority in mailbox.ca_file has signed").await;
    let ready = mail.scene.worker.get("/ready").unwrap();
    assert_eq!(ready.status, 200, "it filters all the same");
    let warnings = ready.json()["warnings"].clone();
    assert!(warnings.as_array().unwrap().iter().any(|warning| warning["name"] == "mailbox"), "{warnings}");
    assert!(!mail.dovecot.log().contains("Login"), "no password was sent");
    assert!(mail.is_sent_to("u1@example.kz").await);
    mail.scene.expect_metric("suppressd_ready", &[("dependency", "mailbox")], 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_and_jobs_go_on() {
    let mut mail = MailScene::with(|dovecot| dovecot.set_password("another")).await;
    mail.unread_because("refuses mailbox.user or the password").await;
    assert_eq!(mail.scene.worker.get("/ready").unwrap().status, 200);
    assert!(mail.is_sent_to("u1@example.kz").await);
    mail.scene.expect_metric("suppressd_mailbox_faults_total", &[("fault", "login")], 1).await;
    let log = mail.scene.worker.output();
    assert!(!log.contains(crate::support::PASSWORD));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_is_away_at_the_start_is_found_when_it_is_there() {
    let mut mail = MailScene::with(Dovecot::kill9).await;
    mail.unread_because("connection refused").await;
    mail.dovecot.start_again();
    mail.dovecot.deliver("INBOX", &opt_out(1));
    mail.all_done("INBOX", 1).await;
    mail.excluded("u1@example.kz").await;
}
