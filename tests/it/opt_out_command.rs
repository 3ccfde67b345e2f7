//! `suppressd opt-out`: what an operator says about a person, by the same rules as every source.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::scene::{CANARIES, Scene, event};
use crate::support::{Finished, Stage};

fn opt_out(stage: &Stage, arguments: &[&str]) -> Finished {
    let told = stage.run(&[&["opt-out"][..], arguments].concat());
    for text in [&told.stdout, &told.stderr] {
        let found = CANARIES.iter().find(|canary| text.contains(*canary));
        assert_eq!(found, None, "{told:?}");
    }
    told
}

/// The receipt of an event that was taken.
fn receipt(stage: &Stage, arguments: &[&str]) -> Value {
    let told = opt_out(stage, &[arguments, &["--json"]].concat());
    assert_eq!(told.code, Some(0), "{told:?}");
    serde_json::from_str(&told.stdout).unwrap_or_else(|error| panic!("{error}: {told:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_opted_out_by_command_is_in_no_job_from_then_on_and_a_look_up_shows_it() {
    let mut scene = Scene::new().await;
    let about = ["--user-id", "U-canary", "--phone", "8 (777) 111-31-11", "--request-id", "CRM-88"];
    let told = opt_out(&scene.stage, &about);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stdout.starts_with("applied (revision 1)"), "{told:?}");
    assert!(told.stdout.contains("\nrequest CRM-88\n"), "{told:?}");
    let people =
        json!([{"user_id": "U-canary"}, {"user_id": "U-2", "phone": "87771113111"}, {"user_id": "U-3"}]);
    assert_eq!(scene.kept("sms", people).await.0, ["U-3"]);
    let receipt = scene.receipts.next().await;
    assert_eq!(receipt.routing_key, "receipt.operator", "whoever listens hears of it as well");
    let id = receipt.json()["event_id"].as_str().unwrap().to_owned();
    assert!(told.stdout.ends_with(&format!("event {id}\n")) && told.stderr.contains(&id), "{told:?}");

    let look_up = scene.stage.run(&["look-up", "--phone", "87771113111", "--json"]);
    let look_up: Value = serde_json::from_str(&look_up.stdout).unwrap();
    let said = &look_up["identifiers"][0]["in_force"][0]["said_by"];
    assert_eq!((&said["source"], &said["request_id"]), (&json!("operator"), &json!("CRM-88")), "{look_up}");
    assert_eq!(look_up["history"][0]["event_id"], json!(id));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scope_kind_time_and_agent_go_as_they_are_given() {
    let mut scene = Scene::new().await;
    let place = ["--region", "Shymkent", "--channel", "sms", "--brand", "LULLA.kz"];
    let out = receipt(&scene.stage, &[&["--user-id", "U-canary"][..], &place].concat());
    assert_eq!((&out["status"], &out["widened"]), (&json!("applied"), &json!([])), "{out}");
    assert_eq!(out["source"], "operator");
    assert!(scene.kept("sms", json!([{"user_id": "U-canary"}])).await.0.is_empty());
    assert_eq!(scene.kept("call", json!([{"user_id": "U-canary"}])).await.0, ["U-canary"]);

    let past = ["--kind", "opt_in", "--occurred-at", "2026-11-01T10:00:00+05:00", "--user-id", "U-canary"];
    let past = [&past[..], &place].concat();
    assert_eq!(receipt(&scene.stage, &past)["status"], "superseded");
    let told = opt_out(&scene.stage, &past);
    assert!(told.stdout.starts_with("superseded"), "{told:?}");
    let agent = ["--requested-by", "authority", "--agent", "op-17", "--kind", "hold", "--email", "-"];
    let mut command = scene.stage.command(&[&["opt-out", "--json"][..], &agent].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all("aigerim@example.kz\n".as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let held: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&held["kind"], &held["status"]), (&json!("hold"), &json!("applied")), "{held}");
    let look_up = scene.stage.run(&["look-up", "--email", "aigerim@example.kz", "--json"]);
    let look_up: Value = serde_json::from_str(&look_up.stdout).unwrap();
    let record = &look_up["history"][0];
    assert_eq!((&record["requested_by"], &record["agent"]), (&json!("authority"), &json!("op-17")));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_operator_can_mend_is_refused_before_it_is_sent() {
    let mut stage = Stage::new();
    // No server is needed to find out.
    stage.configure("[redis]\nurl = \"redis://127.0.0.1:1/\"\n[amqp]\nurl = \"amqp://127.0.0.1:1/%2f\"\n");
    let person = ["--user-id", "U-canary"];
    for (wrong, code) in [
        (&["--region", "Atlantis"][..], 64),
        (&["--channel", "fax"], 64),
        (&["--brand", "x"], 64),
        (&["--source", "nobody"], 64),
        (&["--kind", "dismiss"], 64),
        (&["--requested-by", "me"], 64),
        (&["--occurred-at", "today"], 64),
        (&["--timeout", "0"], 64),
        (&["87771113111"], 64),
        (&["--source", "import", "--kind", "opt_in"], 65),
        (&["--source", "call_center"], 65),
        (&["--phone", "7.77E+10"], 65),
        (&["--email", "aigerim@"], 65),
    ] {
        let told = opt_out(&stage, &[&person[..], wrong].concat());
        assert_eq!((told.code, told.stdout.as_str()), (Some(code), ""), "{wrong:?}: {told:?}");
    }
    assert_eq!(opt_out(&stage, &[]).code, Some(64));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_by_the_worker_is_65_with_its_reason() {
    let mut scene = Scene::new().await;
    let future = ["--kind", "opt_in", "--user-id", "U-canary", "--occurred-at", "2999-01-01T00:00:00Z"];
    let told = opt_out(&scene.stage, &future);
    assert_eq!(told.code, Some(65), "{told:?}");
    assert!(told.stdout.starts_with("rejected: future_dated"), "{told:?}");
    assert_eq!(scene.dead.next().await.header("x-suppressd-reason").as_deref(), Some("future_dated"));

    // This machine's settings let through what the worker's do not.
    scene.stage.configure("[sources.elsewhere]\nmay = [\"opt_out\"]\n");
    let told = opt_out(&scene.stage, &["--source", "elsewhere", "--user-id", "U-canary", "--json"]);
    assert_eq!(told.code, Some(65), "{told:?}");
    let answer: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!((&answer["status"], &answer["reason"]), (&json!("dead"), &json!("not_permitted")), "{answer}");
    assert_eq!(scene.dead.next().await.header("x-suppressd-reason").as_deref(), Some("not_permitted"));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_worker_the_event_stays_queued_and_without_rabbitmq_nothing_is_sent() {
    let stage = Stage::new();
    stage.init();
    let person = ["--user-id", "U-canary", "--timeout", "1"];
    let told = opt_out(&stage, &person);
    assert_eq!(told.code, Some(69), "{told:?}");
    assert!(told.stdout.contains("queued") && told.stdout.contains("look-up"), "{told:?}");
    let told = opt_out(&stage, &[&person[..], &["--json"]].concat());
    let answer: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!((told.code, &answer["status"]), (Some(69), &json!("queued")), "{told:?}");
    let guest = stage.connect("guest").await;
    guest.expect_count("suppressd.opt-outs", 2).await;

    // As soon as there is a worker, they count.
    let mut scene = Scene::on(stage).await;
    scene.expect_metric("suppressd_events_total", &[("source", "operator")], 2).await;
    assert!(scene.kept("sms", json!([{"user_id": "U-canary"}])).await.0.is_empty());
    scene.send_event(&event("e", "opt_out", json!({"user_id": "U-canary"}))).await;
    // The receipts of the two may come first: nobody listened while they were queued.
    let again = loop {
        let receipt = scene.receipts.next().await.json();
        if receipt["event_id"] == "e" {
            break receipt;
        }
    };
    assert_eq!(again["status"], "superseded");
    scene.stage.configure("[amqp]\nurl = \"amqp://127.0.0.1:1/%2f\"\n");
    let told = opt_out(&scene.stage, &person);
    assert_eq!((told.code, told.stdout.as_str()), (Some(69), ""), "{told:?}");
    scene.end().await;
}
