//! From a mail's delivery to its effect.

use std::time::{Duration, Instant};

use super::scene::{MailScene, opt_out};
use crate::support::{Dovecot, Stage};

/// What is promised.
const EFFECT_MAX: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_is_in_no_job_two_seconds_later_whichever_folder_the_mail_is_in() {
    // The source insists on whom it trusts: the worker says who it is.
    let trusted = |dovecot: &Dovecot| dovecot.settings() + "[sources.email]\nusers = [\"suppressd\"]\n";
    let server = |stage: &Stage| Dovecot::start(stage.directory());
    let mut mail = MailScene::on(server, trusted, |_| ()).await;
    mail.reading().await;
    assert!(mail.is_sent_to("u1@example.kz").await);
    for (number, folder) in (1..).zip(["INBOX", "Junk", "INBOX"]) {
        let began = Instant::now();
        mail.dovecot.deliver(folder, &opt_out(number));
        while mail.is_sent_to(&format!("u{number}@example.kz")).await {
            assert!(began.elapsed() < EFFECT_MAX, "{folder}");
        }
        let took = began.elapsed();
        println!("from delivery into {folder} to a job without its sender: {took:?}");
        assert!(took < EFFECT_MAX, "{folder}: {took:?}");
    }
    let event = mail.event().await;
    assert_eq!((&event["source"], &event["kind"]), (&"email".into(), &"opt_out".into()));
    assert_eq!(event["subject"], serde_json::json!({"email": "u1@example.kz"}));
    mail.all_done("INBOX", 2).await;
    mail.all_done("Junk", 1).await;
    let log = mail.scene.worker.output();
    let line = log.lines().find(|line| line.contains("a mail was decided")).expect("it is logged");
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["folder"], &line["uid"]), (&"INBOX".into(), &1.into()));
    assert_eq!(line["event_id"], event["event_id"]);
    assert!(!log.contains("example.kz"), "nobody is named");
    mail.scene.end().await;
}
