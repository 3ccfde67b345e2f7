//! Requests followed all the way: a mail or a call, its request, its receipt, what a look-up says of it, and the
//! report of the job that counts it.

use serde_json::{Value, json};

use super::scene::{MailScene, mail};
use crate::scene::{Scene, event, job};

/// What a look-up says is in force: kind of statement, source, request.
fn in_force(scene: &Scene, arguments: &[&str]) -> Value {
    let told = scene.stage.run(&[&["look-up", "--json"][..], arguments].concat());
    assert_eq!(told.code, Some(0), "{told:?}");
    let answer: Value = serde_json::from_str(&told.stdout).expect("it is JSON");
    let lines = answer["identifiers"][0]["in_force"].as_array().expect("it is a list");
    let one = |line: &Value| {
        json!([line["reason"], line["provisional"], line["said_by"]["source"], line["said_by"]["request_id"]])
    };
    lines.iter().map(one).collect()
}

/// Sends a job to one phone; what its report counts.
async fn removed(scene: &mut Scene, id: &str, phone: &str) -> Value {
    scene.filter(&job(id, "sms", json!([{"user_id": "U", "phone": phone}]))).await;
    let mut report = scene.reports.next().await.json();
    assert_eq!(report["job_id"], id, "{report}");
    report["segments"][0]["removed"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_with_a_number_is_followed_from_its_arrival_to_the_report() {
    let mut mailbox = MailScene::new().await;
    mailbox.reading().await;
    let text = "Здравствуйте!\r\n\r\nУберите меня, пожалуйста, из рассылки, мой номер 8 777 222 33 44.\r\n";
    mailbox.dovecot.deliver("INBOX", &mail("botagoz@example.kz", "<1@example.kz>", "Просьба", text));

    let event = mailbox.event().await;
    let request = format!("email:{}", event["event_id"].as_str().expect("it has a name"));
    let scene = &mut mailbox.scene;
    let receipt = scene.receipts.next().await.json();
    assert_eq!((&receipt["status"], &receipt["request_id"]), (&"applied".into(), &request.as_str().into()));
    assert_eq!(receipt["source"], "email");
    assert!(receipt["due_at"].is_string() && receipt["due_strict_at"].is_string(), "{receipt}");
    assert_eq!(receipt["late"], false);

    let expected = json!([["opt_out", false, "email", request]]);
    assert_eq!(in_force(scene, &["--email", "botagoz@example.kz"]), expected);
    assert_eq!(in_force(scene, &["--phone", "+77772223344"]), expected);
    assert_eq!(removed(scene, "j-1", "87772223344").await["opt_out"], 1);
    assert_eq!(scene.worker.output().matches("2223344").count(), 0, "nobody is named");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unclear_mail_holds_its_sender_until_a_person_has_decided() {
    let mut mailbox = MailScene::new().await;
    let mut opened = mailbox.scene.guest.inbox("test.opened", &[("suppressd.events", "review.opened")]).await;
    mailbox.reading().await;
    for (number, subject) in (1..).zip(["отмена", "надоели"]) {
        let from = format!("u{number}@example.kz");
        mailbox.dovecot.deliver("INBOX", &mail(&from, &format!("<{number}@example.kz>"), subject, ""));
        let receipt = mailbox.scene.receipts.next().await.json();
        assert_eq!(receipt["status"], "review", "{receipt}");
        let request = receipt["request_id"].as_str().expect("it has a name").to_owned();
        let review = opened.next().await.json();
        assert_eq!((&review["request_id"], &review["hold"]), (&request.as_str().into(), &true.into()));
        assert!(review["rule"].as_str().is_some_and(|rule| rule.starts_with("unsure.")), "{review}");
        assert!(!mailbox.is_sent_to(&from).await, "who is held is in no job");
        let scene = &mut mailbox.scene;
        assert_eq!(in_force(scene, &["--email", &from]), json!([["hold", true, "email", request]]));

        let (decision, left) =
            if number == 1 { ("apply", json!("opt_out")) } else { ("dismiss", Value::Null) };
        let told = scene.stage.run(&["requests", decision, &request]);
        assert_eq!(told.code, Some(0), "{told:?}");
        assert_eq!(scene.receipts.next().await.json()["status"], "applied");
        assert_eq!(in_force(scene, &["--email", &from])[0][0], left);
        assert_eq!(mailbox.is_sent_to(&from).await, number == 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_followed_from_its_event_to_the_report() {
    let mut scene = Scene::new().await;
    let receipt = scene.event(event("cc-1", "opt_out", json!({"phone": "8 777 222 33 44"}))).await;
    assert_eq!(
        (&receipt["status"], &receipt["source"]),
        (&"applied".into(), &"call_center".into()),
        "{receipt}"
    );
    assert!(receipt["due_at"].is_string(), "{receipt}");
    let expected = json!([["opt_out", false, "call_center", "call_center:cc-1"]]);
    assert_eq!(in_force(&scene, &["--phone", "77772223344"]), expected);
    assert_eq!(removed(&mut scene, "j-1", "+7 777 222 3344").await["opt_out"], 1);
    scene.end().await;
}
