//! `suppressd dead`: letters are told of without a word about anybody, moved without losing one, and checked by
//! who published them first.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};

use crate::scene::{CANARIES, Scene, but, event, job};
use crate::support::{Finished, LONG, SOON, Sent, Stage, eventually, publish_unreadable};

const MARS: &str = "[regions.MARS]\nname = \"Марс\"\n";

/// Runs `suppressd dead …`, which may tell of nobody.
fn dead(stage: &Stage, arguments: &[&str]) -> Finished {
    let told = stage.run(&[&["dead"][..], arguments].concat());
    for text in [&told.stdout, &told.stderr] {
        let found = CANARIES.iter().find(|canary| text.contains(*canary));
        assert_eq!(found, None, "{told:?}");
    }
    told
}

/// The same, well ended, as JSON.
fn told(stage: &Stage, arguments: &[&str]) -> Value {
    let told = dead(stage, &[arguments, &["--json"]].concat());
    assert_eq!(told.code, Some(0), "{told:?}");
    serde_json::from_str(&told.stdout).unwrap_or_else(|error| panic!("{error}: {told:?}"))
}

/// A scene in which nobody but the command reads the dead queue.
async fn scene() -> Scene {
    let mut scene = Scene::new().await;
    scene.dead = scene.guest.inbox("test.nothing", &[]).await;
    scene
}

/// Another worker, with these settings on top.
async fn mend(scene: &mut Scene, settings: &str) {
    scene.worker.sigterm();
    assert_eq!(scene.worker.exit_code().await, Some(0));
    scene.stage.configure(settings);
    scene.worker = scene.stage.start("mended");
    scene.worker.wait_ready().await;
}

fn to_mars(id: &str) -> Value {
    let people = json!([{"user_id": "U-canary", "phone": "+7 777 111 31 11", "name": "Айгерім"}]);
    but(job(id, "sms", json!([])), json!({"segments": [{"region": "MARS", "recipients": people}]}))
}

fn header(name: &str, value: &str) -> FieldTable {
    let mut headers = FieldTable::default();
    headers.insert(name.into(), AMQPValue::LongString(value.into()));
    headers
}

/// Publishes jobs for a region that nobody has heard of.
async fn bury(scene: &Scene, jobs: u32) {
    let jobs = 0..jobs;
    let count = jobs.end;
    let messages = jobs.map(|n| {
        ("sms.MARS".into(), BasicProperties::default(), to_mars(&format!("j-{n}")).to_string().into())
    });
    scene.marketing.publish_all("suppressd.jobs", messages).await;
    scene.guest.expect_count("suppressd.dead", count).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_cause_was_mended_goes_out_as_it_would_have_the_first_time() {
    let mut scene = scene().await;
    let orders = scene.stage.connect("orders").await;
    let body = but(to_mars("breach"), json!({"purpose": "legal_notice"})).to_string();
    let by_orders = BasicProperties::default()
        .with_user_id("orders".into())
        .with_expiration("600000".into())
        .with_message_id("m-Айгерім".into())
        .with_headers(header("trace", "t-aigerim@"));
    orders.publish_with("suppressd.jobs", "sms.MARS", by_orders, body.as_bytes()).await;
    scene.guest.expect_count("suppressd.dead", 1).await;
    let plain = to_mars("plain").to_string();
    let sent = scene.marketing.publish("suppressd.jobs", "sms.MARS", &to_mars("plain")).await;
    assert_eq!(sent, Sent::Confirmed);
    scene.guest.expect_count("suppressd.dead", 2).await;

    let list = told(&scene.stage, &["list"]);
    assert_eq!((&list["reasons"], &list["count"]), (&json!({"unknown_region": 2}), &json!(2)), "{list}");
    let letter = &list["letters"][0];
    assert_eq!(
        json!([letter["queue"], letter["reason"], letter["detail"], letter["bytes"]]),
        json!(["suppressd.jobs", "unknown_region", letter["detail"], body.len()])
    );
    assert!(letter["detail"].as_str().unwrap().starts_with("/segments/0/region"), "{letter}");
    assert_eq!(told(&scene.stage, &["list"]), list, "looking changes nothing");
    let people = dead(&scene.stage, &["list", "--reason", "unknown_region", "--limit", "1"]);
    assert!(
        people.stdout.contains("and 1 more") && people.stdout.contains("unknown_region  2"),
        "{people:?}"
    );

    let id = letter["id"].as_str().unwrap();
    let shown = told(&scene.stage, &["show", id]);
    assert_eq!((&shown["publisher"], &shown["expiration"]), (&json!("orders"), &json!("600000")), "{shown}");
    assert_eq!((&shown["headers"], &shown["carries"]), (&json!(1), &json!(["message_id", "routing_key"])));
    assert!(dead(&scene.stage, &["show", id]).stdout.contains("orders"));
    let asked = scene.stage.run(&["dead", "show", id, "--body"]);
    assert_eq!((asked.code, asked.stdout.as_str()), (Some(0), body.as_str()), "byte for byte");
    assert!(asked.stderr.contains("personal data") && asked.stderr.contains(id), "{}", asked.stderr);

    let again = told(&scene.stage, &["redrive"]);
    assert_eq!((&again["reasons"], &again["left"]), (&json!({"unknown_region": 2}), &json!(0)), "{again}");
    let metric = [("reason", "unknown_region")];
    scene.expect_metric("suppressd_dead_letters_total", &metric, 4).await;
    scene.guest.expect_count("suppressd.dead", 2).await;
    scene.expect_metric("suppressd_queue_messages", &[("queue", "dead")], 2).await;

    mend(&mut scene, MARS).await;
    let one = told(&scene.stage, &["redrive", "--reason", "unknown_region", "--limit", "1"]);
    assert_eq!((one["moved"].as_array().unwrap().len(), &one["left"]), (1, &json!(1)), "{one}");
    let first = scene.out.next().await;
    scene.guest.expect_count("suppressd.dead", 1).await;
    let rest = dead(&scene.stage, &["redrive"]);
    assert!(rest.code == Some(0) && rest.stdout.starts_with("1 letter was put back"), "{rest:?}");
    let mut out = [first, scene.out.next().await];
    out.sort_by_key(|message| message.json()["job_id"].to_string());
    let [legal, marketing] = out;
    assert_eq!((legal.routing_key.as_str(), legal.message_id()), ("sms.MARS", Some("m-Айгерім")));
    assert_eq!(legal.header("x-suppressd-user-id").as_deref(), Some("orders"));
    assert_eq!(legal.properties.expiration().as_ref().unwrap().as_str(), "600000");
    assert_eq!(legal.json()["suppression"]["segments"][0]["kept"], 1);
    let names = legal.properties.headers().as_ref().unwrap().inner().keys();
    let names: Vec<_> = names.map(lapin::types::ShortString::as_str).collect();
    let ours = ["kept", "removed", "revision", "user-id"].map(|name| format!("x-suppressd-{name}"));
    assert_eq!(names, [&["trace".to_owned()][..], &ours].concat());
    assert!(String::from_utf8(marketing.body.clone()).unwrap().starts_with(&plain[..plain.len() - 1]));
    assert_eq!(marketing.header("x-suppressd-user-id"), None, "nobody was verified, and nobody is");
    assert!(marketing.properties.user_id().is_none() && marketing.properties.expiration().is_none());
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_judged_by_who_published_it_first_and_nobody_speaks_by_a_header() {
    let mut scene = scene().await;
    let opt_in = |id: &str| {
        but(event(id, "opt_in", json!({"user_id": "U-canary"})), json!({"scope": {"brands": ["mars.kz"]}}))
    };
    assert_eq!(scene.event(opt_in("e-1")).await["status"], "rejected");
    let raw = |id: &str| opt_in(id).to_string().into_bytes();
    let plain = BasicProperties::default;
    scene.guest.publish_with("suppressd.opt-outs", "call_center", plain(), &raw("e-2")).await;
    let mail = scene.stage.connect("mail").await;
    let forged =
        plain().with_user_id("mail".into()).with_headers(header("x-suppressd-user-id", "callcenter"));
    mail.publish_with("suppressd.opt-outs", "email", forged, &raw("e-3")).await;
    let forged = plain().with_headers(header("x-suppressd-user-id", "callcenter"));
    mail.publish_with("suppressd.opt-outs", "email", forged, &raw("e-4")).await;
    scene.guest.expect_count("suppressd.dead", 4).await;
    let causes = json!({"not_permitted": 3, "unknown_scope": 1});
    assert_eq!(told(&scene.stage, &["list"])["reasons"], causes);

    mend(&mut scene, "[policy]\nbrands = [\"lulla.kz\", \"mars.kz\"]\n").await;
    assert_eq!(told(&scene.stage, &["redrive"])["reasons"], causes);
    let receipt = scene.receipts.next().await.json();
    assert_eq!((&receipt["event_id"], &receipt["status"]), (&json!("e-1"), &json!("applied")), "{receipt}");
    scene.guest.expect_count("suppressd.dead", 3).await;
    let list = told(&scene.stage, &["list"]);
    assert_eq!(list["reasons"], json!({"not_permitted": 3}), "no better for having been redriven");
    let publishers = list["letters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|letter| told(&scene.stage, &["show", letter["id"].as_str().unwrap()])["publisher"].clone());
    let mut publishers: Vec<_> = publishers.map(|publisher| publisher.as_str().map(str::to_owned)).collect();
    publishers.sort();
    assert_eq!(publishers, [None, None, Some("mail".to_owned())]);
    told(&scene.stage, &["drop", "--reason", "not_permitted", "--why", "a test"]);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rabbitmq_moved_itself_is_put_back_and_its_publishers_headers_are_not_believed() {
    let mut scene = scene().await;
    scene.worker.sigterm();
    assert_eq!(scene.worker.exit_code().await, Some(0));
    let people = json!([{"user_id": "U-canary"}]);
    let legal =
        |id: &str| but(job(id, "sms", people.clone()), json!({"purpose": "legal_notice"})).to_string();
    let briefly = || BasicProperties::default().with_expiration("500".into());
    let orders = scene.stage.connect("orders").await;
    let by_orders = briefly().with_user_id("orders".into());
    orders.publish_with("suppressd.jobs", "sms.KZ-79", by_orders, legal("good").as_bytes()).await;
    let forged = briefly().with_headers(header("x-suppressd-user-id", "orders"));
    scene.marketing.publish_with("suppressd.jobs", "sms.KZ-79", forged, legal("forged").as_bytes()).await;
    scene.guest.expect_count("suppressd.dead", 2).await;
    let list = told(&scene.stage, &["list"]);
    assert_eq!(list["reasons"], json!({"expired": 2}), "{list}");
    let letter = &list["letters"][0];
    assert_eq!((&letter["queue"], &letter["detail"]), (&json!("suppressd.jobs"), &Value::Null), "{letter}");
    assert!(letter["at"].is_string(), "{letter}");

    scene.worker = scene.stage.start("w2");
    scene.worker.wait_ready().await;
    assert_eq!(told(&scene.stage, &["redrive", "--reason", "expired"])["reasons"], json!({"expired": 2}));
    let out = scene.out.next().await;
    assert_eq!(out.json()["job_id"], "good");
    assert_eq!(out.header("x-suppressd-user-id").as_deref(), Some("orders"));
    assert_eq!(out.properties.expiration().as_ref().unwrap().as_str(), "500", "it starts again");
    scene.guest.expect_count("suppressd.dead", 1).await;
    let list = told(&scene.stage, &["list"]);
    assert_eq!(list["reasons"], json!({"purpose_not_allowed": 1}), "{list}");
    let id = list["letters"][0]["id"].as_str().unwrap();
    assert_eq!(told(&scene.stage, &["show", id])["publisher"], Value::Null);
    told(&scene.stage, &["drop", id, "--why", "a test"]);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redrive_that_is_killed_at_any_point_loses_nothing() {
    const JOBS: u32 = 40;
    let mut scene = scene().await;
    bury(&scene, JOBS).await;
    mend(&mut scene, MARS).await;
    let mut dying = scene.stage.command(&["dead", "redrive"]);
    let died = dying.env("SUPPRESSD_FAIL_POINTS", "die-after-redrive").output().unwrap();
    assert_eq!(died.status.code(), None, "it dies between the confirm and the acknowledgement");
    let copy = scene.out.next().await;
    scene.guest.expect_count("suppressd.dead", JOBS).await;

    let killed = scene.stage.begin("redrive-1", &["dead", "redrive"]);
    let mut out = scene.out.take(3).await;
    killed.kill9();
    let redriven = async || {
        let done = told(&scene.stage, &["redrive", "--limit", "1000"]);
        (done["left"] == 0 && scene.guest.count("suppressd.dead").await == Some(0)).then_some(())
    };
    eventually("all of it is put back", LONG, redriven).await;
    let ids = |out: &[crate::support::Message]| {
        let ids = out.iter().map(|message| message.json()["job_id"].as_str().unwrap().to_owned());
        ids.collect::<std::collections::BTreeSet<_>>()
    };
    while ids(&out).len() < JOBS as usize {
        out.push(scene.out.next().await);
    }
    while let Some(more) = scene.out.next_within(std::time::Duration::from_millis(500)).await {
        out.push(more);
    }
    assert_eq!(ids(&out).len(), JOBS as usize);
    let copies = out.len() - JOBS as usize;
    assert!(copies <= 1, "{copies}: only what was on its way when the second was killed comes twice");
    assert!(ids(&out).contains(copy.json()["job_id"].as_str().unwrap()), "and what was when the first died");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_takes_a_reason_tells_what_is_dropped_and_takes_no_more_than_was_said() {
    const JOBS: u32 = 60;
    let scene = scene().await;
    bury(&scene, JOBS).await;
    let list = told(&scene.stage, &["list", "--limit", "1000"]);
    assert_eq!(list["letters"].as_array().unwrap().len(), JOBS as usize);
    let id = |n: usize| list["letters"][n]["id"].as_str().unwrap();
    for wrong in [
        &["drop"][..],
        &["drop", id(0)],
        &["drop", "--why", "a test"],
        &["drop", id(0), "--why", " "],
        &["drop", "--limit", "0", "--why", "a test"],
        &["drop", "--reason", "bad_luck", "--why", "a test"],
        &["redrive", "87771113111"],
        &["show", "87771113111"],
        &["show"],
        &["list", "more"],
        &[],
    ] {
        let told = dead(&scene.stage, wrong);
        assert_eq!((told.code, told.stdout.as_str()), (Some(64), ""), "{wrong:?}: {told:?}");
    }
    scene.guest.expect_count("suppressd.dead", JOBS).await;

    let two = told(&scene.stage, &["drop", id(7), id(3), "--why", "sent by mistake"]);
    assert_eq!((&two["why"], &two["amqp_user"]), (&json!("sent by mistake"), &json!("suppressd")), "{two}");
    assert_eq!(two["reasons"], json!({"unknown_region": 2}));
    assert!(["os_user", "host", "at"].iter().all(|member| two[member].is_string()), "{two}");
    scene.guest.expect_count("suppressd.dead", JOBS - 2).await;
    let gone = dead(&scene.stage, &["drop", id(7), "--why", "once more"]);
    assert_eq!(gone.code, Some(65), "{gone:?}");
    assert!(gone.stdout.contains("nothing is dropped") && gone.stderr.contains(id(7)), "{gone:?}");
    assert_eq!(dead(&scene.stage, &["show", id(7)]).code, Some(65));

    // More at once than RabbitMQ takes acknowledgements of without putting them by.
    let many = dead(
        &scene.stage,
        &["drop", "--reason", "unknown_region", "--limit", "50", "--why", "sent by mistake"],
    );
    assert!(many.code == Some(0) && many.stdout.contains("unknown_region  50"), "{many:?}");
    let logged = many.stderr.lines().find(|line| line.contains("dropped for good")).unwrap_or_default();
    assert!(
        logged.contains("sent by mistake") && (logged.contains(id(1)) || logged.contains(id(20))),
        "{many:?}"
    );
    scene.guest.expect_count("suppressd.dead", JOBS - 52).await;
    let none = told(&scene.stage, &["drop", "--reason", "bad_json", "--why", "none of them"]);
    assert_eq!(none["dropped"], json!([]));
    told(&scene.stage, &["drop", "--limit", "1000", "--why", "the rest"]);
    scene.guest.expect_count("suppressd.dead", 0).await;
    assert_eq!(dead(&scene.stage, &["list"]).stdout, "no dead letter\n");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_names_nobody_stays_until_somebody_has_seen_to_it() {
    let mut scene = scene().await;
    let unreadable = event("e-1", "opt_out", json!({"phone": "7.77E+10"}));
    assert_eq!(scene.event(unreadable).await["status"], "review");
    scene.guest.expect_count("suppressd.dead", 1).await;
    let stays = dead(&scene.stage, &["redrive"]);
    assert_eq!(stays.code, Some(65), "{stays:?}");
    assert!(stays.stdout.contains("publish a new event") && stays.stdout.contains("1 left"), "{stays:?}");
    eventually("it is back", SOON, async || {
        (told(&scene.stage, &["list"])["reasons"] == json!({"no_identifier": 1})).then_some(())
    })
    .await;
    told(&scene.stage, &["drop", "--reason", "no_identifier", "--why", "opted out by hand"]);

    let nowhere = "amqp://suppressd:secret@127.0.0.1:1/";
    let away = scene.stage.command(&["dead", "list"]).env("SUPPRESSD__AMQP__URL", nowhere).output().unwrap();
    assert_eq!(away.status.code(), Some(69), "{}", String::from_utf8_lossy(&away.stderr));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_is_not_utf_8_hides_nobody_and_can_be_seen_and_dropped() {
    let scene = scene().await;
    publish_unreadable(&scene.stage.vhost.url("guest"), "suppressd.opt-outs");
    // After as many deliveries as RabbitMQ allows.
    eventually("it is dead", LONG, async || {
        (scene.guest.count("suppressd.dead").await == Some(1)).then_some(())
    })
    .await;
    let sent = scene.marketing.publish("suppressd.jobs", "sms.MARS", &to_mars("behind")).await;
    assert_eq!(sent, Sent::Confirmed);
    scene.guest.expect_count("suppressd.dead", 2).await;

    let list = told(&scene.stage, &["list"]);
    assert_eq!(list["reasons"], json!({"delivery_limit": 1, "unknown_region": 1}), "{list}");
    let letters = list["letters"].as_array().unwrap();
    let letter = letters.iter().find(|letter| letter["reason"] == "delivery_limit").unwrap();
    assert_eq!((&letter["queue"], &list["unseen"]), (&json!("suppressd.opt-outs"), &json!(0)));
    assert!(letter["detail"].as_str().unwrap().contains("not UTF-8"), "{letter}");
    let id = letter["id"].as_str().unwrap();
    assert_eq!(told(&scene.stage, &["show", id])["bytes"], 2);
    assert_eq!(scene.stage.run(&["dead", "show", id, "--body"]).stdout, "{}");
    let stays = dead(&scene.stage, &["redrive", id]);
    assert_eq!(stays.code, Some(65), "{stays:?}");
    assert!(stays.stdout.contains("its publisher must send it again"), "{stays:?}");
    told(&scene.stage, &["drop", id, "--why", "sent again in UTF-8"]);
    scene.guest.expect_count("suppressd.dead", 1).await;
    told(&scene.stage, &["drop", "--limit", "10", "--why", "for Mars"]);
    scene.guest.expect_count("suppressd.dead", 0).await;
    scene.end().await;
}
