//! `suppressd look-up`: what is in force for a person, why, since when, provable from the ledger.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::scene::{CANARIES, Scene, but, event};
use crate::support::{Finished, Stage};

/// What a look-up must never print: whatever the tests say of people but the agent, who is no such person.
fn discreet(told: &Finished) {
    for text in [&told.stdout, &told.stderr] {
        let found = CANARIES.iter().find(|canary| **canary != "op-canary" && text.contains(*canary));
        assert_eq!(found, None, "{told:?}");
    }
}

fn look_up(stage: &Stage, arguments: &[&str]) -> Finished {
    let told = stage.run(&[&["look-up"][..], arguments].concat());
    discreet(&told);
    told
}

/// The JSON answer.
fn answer(stage: &Stage, arguments: &[&str]) -> Value {
    let told = look_up(stage, &[arguments, &["--json"]].concat());
    assert_eq!(told.code, Some(0), "{told:?}");
    serde_json::from_str(&told.stdout).unwrap_or_else(|error| panic!("{error}: {told:?}"))
}

/// Reason, whether it removes, regions, source, request, whether it is another identifier's, of each line in force.
fn in_force(answer: &Value) -> Value {
    let lines = answer["identifiers"][0]["in_force"].as_array().expect("it is a list");
    let one = |line: &Value| {
        let said = &line["said_by"];
        json!([
            line["reason"],
            line["removed"],
            line["scope"]["regions"],
            said["source"],
            said["request_id"],
            said["linked"],
        ])
    };
    lines.iter().map(one).collect()
}

/// Event, status, why it is told, of each record.
fn history(answer: &Value) -> Value {
    let records = answer["history"].as_array().expect("it is a list");
    records.iter().map(|record| json!([record["event_id"], record["status"], record["by"]])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_up_says_what_is_in_force_why_since_when_and_by_which_records() {
    let mut scene = Scene::new().await;
    let person = json!({"user_id": "U-canary", "phone": "87771113111"});
    let request = json!({"request_id": "CRM-88", "requested_by": "representative"});
    scene.apply(but(event("e-1", "opt_out", person.clone()), request)).await;
    scene.apply(event("e-other", "opt_out", json!({"phone": "87772223344"}))).await;
    let but_there = json!({
        "occurred_at": "2026-11-02T10:00:00+05:00",
        "scope": {"regions": ["KZ-79"], "channels": ["sms"], "brands": ["lulla.kz"]},
    });
    scene.apply(but(event("e-2", "opt_in", json!({"phone": "+7 777 111 3 111"})), but_there)).await;
    scene.send_event(&event("e-1", "hold", json!({"phone": "87771113111"}))).await;
    assert_eq!(scene.dead.next().await.header("x-suppressd-reason").as_deref(), Some("event_id_conflict"));

    let told = look_up(&scene.stage, &["--phone", "8 (777) 111-31-11"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    let lines: Vec<_> = told.stdout.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "phone:",
            "  everywhere, all channels, all brands: removed as opt_out since 2026-11-01T05:00:00Z, opt_out from \
             call_center, request CRM-88 [2]",
            "    except KZ-79, sms, lulla.kz: not removed as opt_out since 2026-11-02T05:00:00Z, opt_in from \
             call_center, request call_center:e-2 [4]",
        ],
        "{told:?}"
    );
    let answer = answer(&scene.stage, &["--phone", "87771113111"]);
    assert_eq!(
        in_force(&answer),
        json!([
            ["opt_out", true, null, "call_center", "CRM-88", false],
            ["opt_out", false, ["KZ-79"], "call_center", "call_center:e-2", false],
        ])
    );
    assert_eq!(
        history(&answer),
        json!([
            ["e-1", "applied", "identifier"],
            ["e-2", "applied", "identifier"],
            ["e-1", "event_id_conflict", "identifier"],
        ])
    );
    let stranger = look_up(&scene.stage, &["--email", "aigerim@example.kz"]);
    assert_eq!(stranger.stdout.lines().next(), Some("email: nothing is known"), "{stranger:?}");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_for_machines_keeps_its_shape() {
    let mut scene = Scene::new().await;
    let members =
        json!({"request_id": "CRM-88", "scope": {"regions": ["KZ-79", "Atlantis"], "channels": ["sms"]}});
    scene.apply(but(event("e-1", "opt_out", json!({"user_id": "U-canary", "email": "@"})), members)).await;
    let mut answer = answer(&scene.stage, &["--user-id", "U-canary"]);
    let times = [&answer["history"][0]["received_at"], &answer["history"][0]["decided_at"]];
    let times: Vec<Timestamp> = times.map(|time| time.as_str().unwrap().parse().unwrap()).into();
    assert!(times[0] <= times[1], "{answer}");
    assert!(answer["look_up"].as_str().unwrap().contains('-'), "{answer}");
    let text = answer.to_string();
    for (pointer, length) in [("/list", 32), ("/history/0/record", 32)] {
        let value = answer.pointer_mut(pointer).unwrap();
        assert_eq!(value.as_str().unwrap().len(), length, "{text}");
        *value = json!("…");
    }
    for pointer in [
        "/look_up",
        "/history/0/received_at",
        "/history/0/due_at",
        "/history/0/due_strict_at",
        "/history/0/calendar",
        "/history/0/decided_at",
        "/identifiers/0/in_force/0/said_by/decided_at",
    ] {
        *answer.pointer_mut(pointer).unwrap() = json!("…");
    }
    let expected = json!({
        "as_of": null, "look_up": "…", "list": "…", "position": answer["position"], "revision": 1, "later": 0,
        "identifiers": [{"kind": "user_id", "known": true, "in_force": [{
            "reason": "opt_out", "removed": true, "provisional": false, "since": "2026-11-01T05:00:00Z", "key": null,
            "scope": {"regions": null, "channels": ["sms"], "brands": null},
            "said_by": {
                "offset": 2, "source": "call_center", "event_id": "e-1", "kind": "opt_out",
                "request_id": "CRM-88", "decided_at": "…", "linked": false,
            },
        }]}],
        "history": [{
            "offset": 2, "record": "…", "by": "identifier", "names": ["user_id"], "restored": false,
            "event_id": "e-1", "source": "call_center", "kind": "opt_out", "status": "applied", "revision": 1,
            "occurred_at": "2026-11-01T05:00:00Z", "received_at": "…", "decided_at": "…",
            "scope": {"regions": null, "channels": ["sms"], "brands": null}, "request_id": "CRM-88",
            "requested_by": "subject", "agent": "op-canary", "widened": ["regions"], "ignored": ["email"],
            "review": null, "rule": null, "due_at": "…", "due_strict_at": "…", "calendar": "…",
        }],
    });
    assert_eq!(answer, expected);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_instant_shows_what_had_been_decided_by_then() {
    let mut scene = Scene::new().await;
    let person = json!({"phone": "87771113111"});
    scene.apply(event("e-1", "opt_out", person.clone())).await;
    let first = answer(&scene.stage, &["--phone", "87771113111"]);
    let decided: Timestamp = first["history"][0]["decided_at"].as_str().unwrap().parse().unwrap();
    let later = json!({"occurred_at": "2026-11-02T10:00:00+05:00"});
    scene.apply(but(event("e-2", "opt_in", person), later)).await;

    let at = |at: Timestamp| answer(&scene.stage, &["--phone", "87771113111", "--at", &at.to_string()]);
    let second = jiff::SignedDuration::from_secs(1);
    let before = at(decided - second);
    // Said three weeks before, but nobody had told us.
    assert_eq!((in_force(&before), history(&before)), (json!([]), json!([])));
    assert_eq!(
        (&before["later"], &before["identifiers"][0]["known"]),
        (&json!(2), &json!(false)),
        "{before}"
    );
    let between = at(decided);
    assert_eq!(in_force(&between)[0][0], "opt_out", "{between}");
    assert_eq!(between["later"], 1, "{between}");
    let now = answer(&scene.stage, &["--phone", "87771113111"]);
    assert_eq!((in_force(&now), &now["as_of"]), (json!([]), &Value::Null));
    assert_eq!(
        history(&now),
        json!([["e-1", "applied", "identifier"], ["e-2", "applied", "identifier"]]),
        "a lifted one is still told"
    );
    let told = look_up(&scene.stage, &["--phone", "87771113111"]);
    assert_eq!(told.stdout.lines().next(), Some("phone: nothing is in force"), "{told:?}");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_identifier_is_followed_to_what_was_said_of_the_old_one_and_back() {
    let mut scene = Scene::new().await;
    scene.apply(event("e-1", "opt_out", json!({"phone": "87771113111"}))).await;
    let to = json!({
        "occurred_at": "2026-11-03T10:00:00+05:00",
        "new_subject": {"phone": "87772223344", "email": "aigerim@example.kz"},
    });
    scene.apply(but(event("e-2", "identifier_changed", json!({"phone": "87771113111"})), to)).await;
    scene.apply(event("e-3", "complaint", json!({"email": "aigerim@example.kz"}))).await;

    let new = answer(&scene.stage, &["--phone", "87772223344"]);
    assert_eq!(in_force(&new), json!([["opt_out", true, null, "call_center", "call_center:e-1", true]]));
    let expected =
        json!([["e-1", "applied", "link"], ["e-2", "applied", "identifier"], ["e-3", "applied", "link"],]);
    assert_eq!(history(&new), expected);
    let old = answer(&scene.stage, &["--phone", "87771113111"]);
    assert_eq!(in_force(&old), json!([["opt_out", true, null, "call_center", "call_center:e-1", false]]));
    assert_eq!(history(&old).as_array().unwrap().len(), 3, "{old}");
    let both = answer(&scene.stage, &["--phone", "87771113111", "--email", "aigerim@example.kz"]);
    let kinds: Vec<_> = both["identifiers"].as_array().unwrap().iter().map(|about| &about["kind"]).collect();
    assert_eq!(kinds, ["email", "phone"]);
    assert_eq!(in_force(&both)[1], json!(["complaint", true, null, "call_center", "call_center:e-3", false]));
    let told = look_up(&scene.stage, &["--phone", "87772223344"]);
    assert!(told.stdout.contains("through a changed identifier [2]"), "{told:?}");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_up_is_written_down_before_it_is_answered_or_there_is_no_answer() {
    let scene = Scene::new().await;
    let told = look_up(&scene.stage, &["--phone", "87771113111", "--email", "a@b.kz"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    let notes = scene.stage.redis.run("XRANGE {suppressd}:look-ups - +").await;
    let notes: Vec<(String, std::collections::BTreeMap<String, String>)> =
        redis::FromRedisValue::from_redis_value(notes).unwrap();
    let [(name, note)] = &notes[..] else { panic!("one look-up, one note: {notes:?}") };
    assert_eq!(note["amqp_user"], "suppressd");
    assert!(!note["os_user"].is_empty() && !note["host"].is_empty(), "{note:?}");
    let at: Timestamp = note["at"].parse().unwrap();
    assert!(at <= Timestamp::now());
    let about: Vec<_> = note["about"].split(' ').map(|about| about.split_once(':').unwrap()).collect();
    assert_eq!(
        about.iter().map(|(kind, digest)| (*kind, digest.len())).collect::<Vec<_>>(),
        [("email", 32), ("phone", 32)]
    );
    let lines = told.stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let logged: Vec<_> = lines.filter(|line| line["message"] == "a person is looked up").collect();
    assert_eq!(logged.len(), 1, "{told:?}");
    assert_eq!((&logged[0]["name"], &logged[0]["about"]), (&json!(name), &json!(note["about"])));

    // Its log cannot be written to, and nothing else is wrong.
    scene.stage.redis.run("DEL {suppressd}:look-ups").await;
    scene.stage.redis.run("SET {suppressd}:look-ups no-stream").await;
    let refused = look_up(&scene.stage, &["--phone", "87771113111"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(69), ""), "{refused:?}");
    assert!(refused.stderr.contains("cannot be written down"), "{refused:?}");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_disagrees_with_the_ledger_is_no_answer() {
    let mut scene = Scene::new().await;
    scene.apply(event("e-1", "opt_out", json!({"phone": "87771113111"}))).await;
    // Somebody takes the person off the list by hand.
    let script = "for _, key in ipairs(redis.call('KEYS', '*:s[0-9]*')) do redis.call('DEL', key) end";
    let mut redis = scene.stage.redis.connect().await;
    redis::cmd("EVAL").arg(script).arg(0).query_async::<()>(&mut redis).await.unwrap();
    let told = look_up(&scene.stage, &["--phone", "87771113111"]);
    assert_eq!((told.code, told.stdout.as_str()), (Some(70), ""), "{told:?}");
    assert!(told.stderr.contains("disagree about this person"), "{told:?}");
    assert_eq!(scene.stage.run(&["rebuild"]).code, Some(0));
    let answer = answer(&scene.stage, &["--phone", "87771113111"]);
    assert_eq!(in_force(&answer)[0][0], "opt_out", "{answer}");
    assert_eq!(scene.alarms.next().await.routing_key, "alarm.list_lost");
    scene.worker.wait_ready().await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_before_a_new_key_came_is_told_under_the_old_one() {
    let mut scene = Scene::new().await;
    scene.apply(event("e-1", "opt_out", json!({"phone": "87771113111"}))).await;
    let second = scene.stage.directory().join("second.key");
    std::fs::write(&second, "8f1b3c5d7e9fa0b2c4d6e8f00112233445566778899aabbccddeeff0a1b2c3d4\n").unwrap();
    std::fs::set_permissions(&second, Permissions::from_mode(0o600)).unwrap();
    let keys = [Stage::key_file(), second].map(|key| format!("\"{}\"", key.display()));
    scene.stage.configure(&format!("[hashing]\nkey_files = [{}]\n", keys.join(", ")));
    scene.worker.sigterm();
    assert_eq!(scene.worker.exit_code().await, Some(0));
    scene.worker = scene.stage.start("w2");
    scene.worker.wait_ready().await;
    let later = json!({"occurred_at": "2026-11-02T10:00:00+05:00"});
    scene.apply(but(event("e-2", "complaint", json!({"phone": "87771113111"})), later)).await;
    let answer = answer(&scene.stage, &["--phone", "87771113111"]);
    let lines = answer["identifiers"][0]["in_force"].as_array().unwrap();
    let lines: Vec<_> = lines.iter().map(|line| (&line["reason"], line["key"].is_string())).collect();
    let [out, complaint] = ["opt_out", "complaint"].map(|reason| json!(reason));
    assert_eq!(lines, [(&out, true), (&complaint, true), (&complaint, true)], "{answer}");
    assert_eq!(history(&answer), json!([["e-1", "applied", "identifier"], ["e-2", "applied", "identifier"]]));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_worker_is_needed_and_what_is_wrong_has_its_exit_code() {
    let mut stage = Stage::new();
    let phone = ["--phone", "87771113111"];
    assert_eq!(look_up(&stage, &phone).code, Some(78), "before init there is nothing to look into");
    stage.init();
    let told = look_up(&stage, &phone);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stdout.contains("no record names or reaches this person"), "{told:?}");
    for (wrong, code) in [
        (&["--phone", "7.77E+10"][..], 65),
        (&["--email", "aigerim"], 65),
        (&["--phone", "-"], 65),
        (&[], 64),
        (&["87771113111"], 64),
        (&["--phone", "87771113111", "--at", "yesterday"], 64),
        (&["--phone", "87771113111", "--at", "2999-01-01T00:00:00Z"], 64),
    ] {
        let told = look_up(&stage, wrong);
        assert_eq!((told.code, told.stdout.as_str()), (Some(code), ""), "{wrong:?}: {told:?}");
    }
    stage.redis.kill9();
    let told = look_up(&stage, &phone);
    assert_eq!((told.code, told.stdout.as_str()), (Some(69), ""), "{told:?}");
    stage.configure("[redis]\nurl = \"redis://127.0.0.1:1/\"\n[amqp]\nurl = \"amqp://127.0.0.1:1/%2f\"\n");
    assert_eq!(look_up(&stage, &["--email", "aigerim"]).code, Some(65), "before anything is connected to");
}
