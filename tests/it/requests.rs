//! Requests that a person must decide about, from the event that opens one to the decision, and the dates of all.

use lapin::options::QueueDeleteOptions;
use serde_json::{Value, json};

use crate::scene::{Scene, but, event};
use crate::support::{Inbox, SOON, eventually};

/// One event of mail: a source whose time starts when it says.
const BY_OCCURRED_AT: &str = "[sources.email]\nclock = \"occurred_at\"";

fn ann() -> Value {
    json!({"user_id": "U-canary", "phone": "87771113111"})
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

/// An event that a person must decide about.
fn review(id: &str, mode: &str, members: Value) -> Value {
    let review = json!({
        "review": mode, "rule": "unsure.object", "occurred_at": now(), "also": [{"user_id": "U-canary-also"}]
    });
    but(but(event(id, "opt_out", ann()), review), members)
}

/// What settles a request.
fn settle(id: &str, kind: &str, request: &str) -> Value {
    let members = json!({"source": "operator", "request_id": request, "occurred_at": now()});
    but(event(id, kind, json!({})), members)
}

async fn openings(scene: &Scene) -> Inbox {
    scene.guest.inbox("test.openings", &[("suppressd.events", "review.opened")]).await
}

/// Whom a job for all three keeps, and why the others are not in it.
async fn kept(scene: &mut Scene) -> (Vec<String>, Value) {
    let people = json!([{"user_id": "U-canary"}, {"user_id": "U-canary-also"}, {"user_id": "U-2"}]);
    scene.kept("sms", people).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_holds_its_people_until_somebody_decides() {
    let mut scene = Scene::new().await;
    let mut openings = openings(&scene).await;

    let opened = scene.event(review("r-1", "hold", json!({}))).await;
    assert_eq!((&opened["status"], &opened["revision"]), (&json!("review"), &json!(1)), "{opened}");
    assert!(opened["effective_at"].is_string(), "the hold is in force: {opened}");
    let told = openings.next().await.json();
    let expected = json!({
        "request_id": "call_center:r-1", "event_id": "r-1", "source": "call_center", "kind": "opt_out",
        "rule": "unsure.object", "received_at": opened["received_at"], "due_at": opened["due_at"],
        "due_strict_at": opened["due_strict_at"], "calendar": opened["calendar"], "hold": true,
    });
    assert_eq!(told, expected);
    let (names, removed) = kept(&mut scene).await;
    assert_eq!(
        (names, &removed["hold"], &removed["opt_out"]),
        (vec!["U-2".to_owned()], &json!(2), &json!(0))
    );
    scene.expect_metric("suppressd_requests_open", &[("source", "call_center")], 1).await;
    let release = but(event("h-1", "release", ann()), json!({"occurred_at": now()}));
    scene.event(release).await;
    assert_eq!(kept(&mut scene).await.0, ["U-2"], "a release does not end it");

    let dismissed = scene.event(settle("d-1", "dismiss", "call_center:r-1")).await;
    assert_eq!(dismissed["status"], "applied", "{dismissed}");
    assert_eq!((&dismissed["due_at"], &dismissed["late"]), (&opened["due_at"], &json!(false)), "{dismissed}");
    assert_eq!(kept(&mut scene).await.0.len(), 3, "everybody is back");
    scene.expect_metric("suppressd_requests_open", &[], 0).await;
    assert!(scene.metric("suppressd_next_due_seconds", &[]).is_infinite());
    let again = scene.event(settle("d-2", "apply", "call_center:r-1")).await;
    assert_eq!((&again["status"], &again["due_at"]), (&json!("superseded"), &Value::Null), "{again}");

    scene.event(review("r-2", "hold", json!({"request_id": "CRM-88"}))).await;
    let applied = scene.event(settle("a-1", "apply", "CRM-88")).await;
    assert_eq!(applied["status"], "applied", "{applied}");
    let (names, removed) = kept(&mut scene).await;
    assert_eq!(
        (names, &removed["hold"], &removed["opt_out"]),
        (vec!["U-2".to_owned()], &json!(0), &json!(2))
    );
    let unknown = scene.event(settle("a-2", "apply", "nobody's")).await;
    assert_eq!((&unknown["status"], &unknown["reason"]), (&json!("rejected"), &json!("unknown_request")));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_only_asks_holds_nobody_and_an_event_with_its_name_settles_it() {
    let mut scene = Scene::new().await;
    let mut openings = openings(&scene).await;
    let asked = scene.event(review("r-1", "ask", json!({"request_id": "CRM-1"}))).await;
    assert_eq!((&asked["status"], &asked["revision"]), (&json!("review"), &Value::Null), "{asked}");
    assert_eq!(openings.next().await.json()["hold"], false);
    assert_eq!(kept(&mut scene).await.0.len(), 3);

    // What nobody could read is in review too, and cannot be applied as it is.
    scene.send_event(&event("r-2", "opt_out", json!({"phone": "12"}))).await;
    let unread = scene.receipts.next().await.json();
    assert_eq!((&unread["status"], &unread["revision"]), (&json!("review"), &Value::Null), "{unread}");
    assert_eq!(openings.next().await.json()["request_id"], "call_center:r-2");
    assert_eq!(scene.dead.next().await.header("x-suppressd-reason").as_deref(), Some("no_identifier"));
    let nobody = scene.event(settle("a-2", "apply", "call_center:r-2")).await;
    assert_eq!((&nobody["status"], &nobody["reason"]), (&json!("rejected"), &json!("no_identifier")));
    let held = scene.event(review("r-3", "hold", json!({"request_id": "call_center:r-2"}))).await;
    assert_eq!(held["due_at"], unread["due_at"], "one request, one date: {held}");
    assert_eq!(kept(&mut scene).await.0, ["U-2"]);
    let only =
        json!({"request_id": "call_center:r-2", "scope": {"channels": ["call"]}, "occurred_at": now()});
    let settled = scene.event(but(event("e-1", "opt_out", ann()), only)).await;
    assert_eq!((&settled["status"], &settled["due_at"]), (&json!("applied"), &unread["due_at"]), "{settled}");
    assert_eq!(kept(&mut scene).await.0.len(), 3, "the hold is over, and calls are not text messages");
    let members = json!({"request_id": "CRM-1", "occurred_at": now()});
    assert_eq!(scene.event(but(event("e-2", "opt_in", ann()), members)).await["status"], "applied");
    scene.expect_metric("suppressd_requests_open", &[], 0).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_have_the_deadlines_of_working_days_in_shymkent() {
    let mut scene = Scene::with(BY_OCCURRED_AT).await;
    for (n, (occurred_at, due_at, due_strict_at)) in [
        ("2026-11-20T18:30:00+05:00", "2026-11-23T13:30:00Z", "2026-11-22T13:30:00Z"),
        ("2026-11-21T12:00:00+05:00", "2026-11-23T19:00:00Z", "2026-11-23T07:00:00Z"),
        ("2026-03-20T16:00:00+05:00", "2026-03-26T11:00:00Z", "2026-03-22T11:00:00Z"),
        ("2025-03-20T16:00:00+05:00", "2025-03-21T11:00:00Z", "2025-03-21T11:00:00Z"),
    ]
    .into_iter()
    .enumerate()
    {
        let members = json!({"source": "email", "occurred_at": occurred_at});
        let mail = but(event(&format!("m-{n}"), "opt_out", json!({"user_id": "U-canary"})), members);
        let receipt = scene.event(mail.clone()).await;
        assert_eq!((&receipt["due_at"], &receipt["due_strict_at"]), (&json!(due_at), &json!(due_strict_at)));
        let known = !occurred_at.starts_with("2025");
        assert_eq!(receipt["calendar"].as_str().is_some_and(|name| name.starts_with("kz-2026")), known);
        let effective_at: jiff::Timestamp = receipt["effective_at"].as_str().unwrap().parse().unwrap();
        let late = effective_at > due_strict_at.parse().unwrap();
        assert_eq!(receipt["late"], late, "{receipt}");
        let again = scene.event(mail).await;
        for member in ["due_at", "due_strict_at", "calendar"] {
            assert_eq!(again[member], receipt[member], "a duplicate has the dates of the first");
        }
        if late {
            let alarm = scene.alarms.next().await;
            assert_eq!(
                (alarm.routing_key.as_str(), &alarm.json()["urgency"]),
                ("alarm.deadline", &json!("late"))
            );
        }
    }
    let received = scene.event(event("e-1", "opt_out", ann())).await;
    assert_eq!(received["late"], false, "the time of this source starts with its receipt: {received}");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_workers_one_alarms_a_request_that_is_overdue() {
    let mut scene = Scene::with(BY_OCCURRED_AT).await;
    let second = scene.stage.start("w2");
    second.wait_ready().await;
    let old = json!({"source": "email", "occurred_at": "2026-03-20T16:00:00+05:00"});
    let opened = scene.event(review("r-1", "hold", old)).await;
    assert_eq!((&opened["status"], &opened["late"]), (&json!("review"), &json!(true)), "{opened}");
    let alarm = scene.alarms.next().await.json();
    let named = json!({
        "alarm": "deadline", "urgency": "overdue", "request_id": "email:r-1", "source": "email",
        "due_at": opened["due_at"], "due_strict_at": opened["due_strict_at"], "calendar": opened["calendar"],
    });
    assert_eq!(but(alarm.clone(), named), alarm);
    for worker in [&scene.worker, &second] {
        let overdue = async || (worker.metrics().sum("suppressd_requests_overdue", &[]) > 0.5).then_some(());
        eventually("every worker shows it", SOON, overdue).await;
        let warned = async || worker.get("/ready").ok()?.body.contains("requests_overdue").then_some(());
        eventually("every worker warns", SOON, warned).await;
    }
    scene.alarms.expect_silence(std::time::Duration::from_secs(5)).await;

    let applied = scene.event(settle("a-1", "apply", "email:r-1")).await;
    assert_eq!((&applied["status"], &applied["late"]), (&json!("applied"), &json!(true)), "{applied}");
    assert_eq!(scene.alarms.next().await.json()["urgency"], "late");
    let late = async || {
        let sum =
            |worker: &crate::support::Worker| worker.metrics().sum("suppressd_late_requests_total", &[]);
        (sum(&scene.worker) + sum(&second) > 0.5).then_some(())
    };
    eventually("it is counted", SOON, late).await;
    second.sigterm();
    assert_eq!(second.exit_code().await, Some(0));
    scene.end().await;
}

/// Everything that Redis has of requests in review, whatever the list is called and in whichever order.
async fn stored(scene: &Scene) -> Vec<String> {
    let redis = &scene.stage.redis;
    let list = match redis.run("HGET {suppressd}:meta list").await {
        redis::Value::BulkString(list) => String::from_utf8(list).unwrap(),
        other => panic!("no list: {other:?}"),
    };
    let mut stored = Vec::new();
    for command in [
        format!("HGETALL {{suppressd}}:{list}:review"),
        format!("ZRANGE {{suppressd}}:{list}:due 0 -1 WITHSCORES"),
    ] {
        match redis.run(&command).await {
            redis::Value::Array(values) => stored.extend(values.iter().map(|value| format!("{value:?}"))),
            redis::Value::Map(pairs) => stored.extend(pairs.iter().map(|pair| format!("{pair:?}"))),
            other => panic!("{command}: {other:?}"),
        }
    }
    stored.sort();
    stored
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_their_dates_are_rebuilt_from_the_ledger() {
    let mut scene = Scene::with(BY_OCCURRED_AT).await;
    for n in 0..3 {
        let members = json!({"source": "email", "occurred_at": now(), "request_id": format!("CRM-{n}")});
        let opened = scene.event(review(&format!("r-{n}"), "hold", members)).await;
        assert_eq!(opened["status"], "review", "{opened}");
    }
    assert_eq!(scene.event(settle("d-1", "dismiss", "CRM-1")).await["status"], "applied");
    let before = stored(&scene).await;
    scene.stage.redis.run("FLUSHALL").await;
    assert_eq!(scene.alarms.next().await.routing_key, "alarm.list_lost");
    assert_eq!(kept(&mut scene).await.0, ["U-2"]);
    assert_eq!(stored(&scene).await, before);

    let told = scene.stage.run(&["rebuild"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(scene.alarms.next().await.routing_key, "alarm.list_lost");
    assert_eq!(kept(&mut scene).await.0, ["U-2"]);
    assert_eq!(stored(&scene).await, before);
    for request in ["CRM-0", "CRM-2"] {
        assert_eq!(scene.event(settle(request, "dismiss", request)).await["status"], "applied");
    }
    assert_eq!(kept(&mut scene).await.0.len(), 3);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_was_deleted_is_given_back_what_is_in_review() {
    let mut scene = Scene::new().await;
    let opened = scene.event(review("r-1", "hold", json!({"request_id": "CRM-1"}))).await;
    let before = stored(&scene).await;
    scene.worker.sigterm();
    assert_eq!(scene.worker.exit_code().await, Some(0));
    let channel = scene.guest.channel().await;
    channel.queue_delete("suppressd.ledger".into(), QueueDeleteOptions::default()).await.unwrap();
    let told = scene.stage.run(&["rebuild"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stderr.contains("1 requests in review"), "{told:?}");
    scene.worker = scene.stage.start("w2");
    scene.worker.wait_ready().await;
    assert_eq!(stored(&scene).await, before);
    assert_eq!(kept(&mut scene).await.0, ["U-2"]);
    let dismissed = scene.event(settle("d-1", "dismiss", "CRM-1")).await;
    assert_eq!((&dismissed["status"], &dismissed["due_at"]), (&json!("applied"), &opened["due_at"]));
    assert_eq!(kept(&mut scene).await.0.len(), 3);
    scene.end().await;
}
