//! `suppressd requests`: what a person must decide, and the decision.

use serde_json::{Value, json};

use crate::scene::{CANARIES, Scene, but, event};
use crate::support::{Finished, Stage};

fn requests(stage: &Stage, arguments: &[&str]) -> Finished {
    let told = stage.run(&[&["requests"][..], arguments].concat());
    for text in [&told.stdout, &told.stderr] {
        let found = CANARIES.iter().find(|canary| text.contains(*canary));
        assert_eq!(found, None, "{told:?}");
    }
    told
}

/// The list.
fn listed(stage: &Stage, arguments: &[&str]) -> Value {
    let told = requests(stage, &[arguments, &["--json"]].concat());
    assert_eq!(told.code, Some(0), "{told:?}");
    serde_json::from_str(&told.stdout).unwrap_or_else(|error| panic!("{error}: {told:?}"))
}

/// The receipt of a decision.
fn decided(stage: &Stage, arguments: &[&str]) -> Value {
    listed(stage, arguments)
}

/// Names and rules of the requests listed.
fn names(list: &Value) -> Value {
    let requests = list["requests"].as_array().expect("it is a list");
    requests.iter().map(|request| json!([request["request_id"], request["asks"][0]["rule"]])).collect()
}

/// An opt-out that its source is not sure of.
fn unsure(id: &str, subject: Value, review: &str) -> Value {
    but(event(id, "opt_out", subject), json!({"review": review, "rule": "unsure.object"}))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_review_is_listed_by_its_deadline_and_applied_or_dismissed_by_command() {
    let mut scene = Scene::new().await;
    let stage_empty = requests(&scene.stage, &[]);
    assert_eq!((stage_empty.code, stage_empty.stdout.as_str()), (Some(0), "no request\n"), "{stage_empty:?}");
    for (id, subject) in [
        ("e-1", json!({"user_id": "U-canary"})),
        ("e-2", json!({"user_id": "U-canary-2", "email": "aigerim@example.kz"})),
        ("e-3", json!({"user_id": "U-canary-3"})),
    ] {
        let receipt = scene.event(unsure(id, subject, if id == "e-3" { "ask" } else { "hold" })).await;
        assert_eq!(receipt["status"], "review", "{receipt}");
    }
    let people = json!([{"user_id": "U-canary"}, {"user_id": "U-canary-2"}, {"user_id": "U-canary-3"}]);
    assert_eq!(scene.kept("sms", people.clone()).await.0, ["U-canary-3"], "held until somebody decides");

    let list = listed(&scene.stage, &["--status", "review"]);
    let rule = "unsure.object";
    let [one, two, three] = ["call_center:e-1", "call_center:e-2", "call_center:e-3"];
    assert_eq!(names(&list), json!([[one, rule], [two, rule], [three, rule]]));
    let first = &list["requests"][0];
    assert_eq!((&first["source"], &first["status"]), (&json!("call_center"), &json!("review")), "{first}");
    assert_eq!((&first["asks"][0]["hold"], &first["asks"][0]["names"]), (&json!(true), &json!(["user_id"])));
    assert!(first["due_strict_at"].as_str() <= first["due_at"].as_str(), "{first}");
    let told = requests(&scene.stage, &[]);
    assert!(told.stdout.contains("opt_out (held)") && told.stdout.contains("user_id email"), "{told:?}");
    assert_eq!(names(&listed(&scene.stage, &["--status", "overdue"])), json!([]));

    let look_up = scene.stage.run(&["look-up", "--user-id", "U-canary", "--json"]);
    let look_up: Value = serde_json::from_str(&look_up.stdout).unwrap();
    let line = &look_up["identifiers"][0]["in_force"][0];
    assert_eq!((&line["reason"], &line["provisional"]), (&json!("hold"), &json!(true)), "{look_up}");
    assert_eq!(line["said_by"]["request_id"], one, "{look_up}");

    let applied = decided(&scene.stage, &["apply", one]);
    assert_eq!((&applied["status"], &applied["kind"]), (&json!("applied"), &json!("apply")), "{applied}");
    let dismissed = requests(&scene.stage, &["dismiss", two]);
    assert_eq!(dismissed.code, Some(0), "{dismissed:?}");
    assert!(dismissed.stdout.starts_with("applied"), "{dismissed:?}");
    assert_eq!(scene.kept("sms", people).await.0, ["U-canary-2", "U-canary-3"]);
    assert_eq!(names(&listed(&scene.stage, &[])), json!([[three, rule]]));
    let again = decided(&scene.stage, &["dismiss", one]);
    assert_eq!(again["status"], "superseded", "{again}");

    let look_up = scene.stage.run(&["look-up", "--user-id", "U-canary", "--json"]);
    let look_up: Value = serde_json::from_str(&look_up.stdout).unwrap();
    let line = &look_up["identifiers"][0]["in_force"][0];
    assert_eq!(
        (&line["reason"], &line["said_by"]["event_id"]),
        (&json!("opt_out"), &json!("e-1")),
        "{look_up}"
    );
    let history = look_up["history"].as_array().unwrap().iter();
    let history: Vec<_> =
        history.map(|record| json!([record["kind"], record["status"], record["by"]])).collect();
    assert_eq!(
        json!(history),
        json!([
            ["opt_out", "review", "identifier"],
            ["apply", "applied", "request"],
            ["dismiss", "superseded", "request"],
        ])
    );
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_by_command_settles_the_request_that_it_names() {
    let mut scene = Scene::new().await;
    let receipt = scene.event(unsure("e-1", json!({"user_id": "U-canary"}), "hold")).await;
    assert_eq!(receipt["status"], "review", "{receipt}");
    let told = scene.stage.run(&[
        "opt-out",
        "--user-id",
        "U-2",
        "--user-id",
        "U-3",
        "--request-id",
        "call_center:e-1",
    ]);
    assert_eq!(told.code, Some(0), "{told:?}");
    let people = json!([{"user_id": "U-canary"}, {"user_id": "U-2"}, {"user_id": "U-3"}]);
    assert_eq!(scene.kept("sms", people).await.0, ["U-canary"], "two of a kind, and the hold is over");
    assert_eq!(names(&listed(&scene.stage, &[])), json!([]));
    let look_up = scene.stage.run(&["look-up", "--user-id", "U-canary"]);
    assert_eq!(look_up.code, Some(0), "{look_up:?}");
    assert!(look_up.stdout.starts_with("user_id: nothing is in force\n"), "{look_up:?}");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decided_has_its_exit_code() {
    let scene = Scene::new().await;
    let told = requests(&scene.stage, &["apply", "nobody's"]);
    assert_eq!(told.code, Some(65), "{told:?}");
    assert!(told.stdout.starts_with("rejected: unknown_request"), "{told:?}");
    for (wrong, code) in [
        (&["--status", "lost"][..], 64),
        (&["apply"], 64),
        (&["forget", "x"], 64),
        (&["apply", "x", "--source", "nobody"], 64),
        (&["apply", "x", "--source", "email"], 65),
        (&["apply", ""], 65),
    ] {
        let told = requests(&scene.stage, wrong);
        assert_eq!((told.code, told.stdout.as_str()), (Some(code), ""), "{wrong:?}: {told:?}");
    }
    let mut scene = scene;
    scene.worker.sigterm();
    assert_eq!(scene.worker.exit_code().await, Some(0));
    let told = requests(&scene.stage, &["dismiss", "x", "--timeout", "1"]);
    assert_eq!(told.code, Some(69), "{told:?}");
    scene.worker = scene.stage.start("w2");
    scene.worker.wait_ready().await;
    scene.expect_metric("suppressd_events_total", &[("source", "operator")], 1).await;
    scene.stage.configure("[redis]\nurl = \"redis://127.0.0.1:1/\"\n");
    assert_eq!(requests(&scene.stage, &[]).code, Some(69));
    scene.end().await;
}
