//! The call centre's door, through the clients in `deploy/examples/`: what they print is what a ticket gets.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};

use crate::scene::{Scene, but, event};
use crate::support::{Client, Finished, SOON, Stage};

/// The examples, and how the numbers end that each of them is given.
const EXAMPLES: [(&str, u8); 2] = [("call_center.py", 1), ("call_center.php", 2)];
const NOBODY: &[&str] = &[];
/// As shipped: what a caller asked for counts from the call.
const FROM_THE_CALL: &str = "[sources.call_center]\nclock = 'occurred_at'\n";

/// Runs an example as the user `callcenter`, in an empty environment.
fn run(example: &str, url: &str, arguments: &[&str]) -> Finished {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/examples").join(example);
    let output = Command::new(program).env_clear().env("AMQP_URL", url).args(arguments).output();
    let output = output.expect("tests/run installs what the examples need");
    let text = |bytes| String::from_utf8(bytes).expect("an example prints UTF-8");
    Finished { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// One example at work for one caller.
struct Desk<'a> {
    example: &'a str,
    url: String,
    number: u8,
}

impl Desk<'_> {
    /// A telephone number of this desk's caller.
    fn phone(&self, person: u8) -> String {
        format!("8 (777) 111-3{}-1{person}", self.number)
    }

    /// Runs the example for an entry of a ticket.
    fn run(&self, entry: &str, at: &str, more: &[&str]) -> Finished {
        let id = format!("cc-{}-{entry}", self.number);
        let at = format!("2026-11-{at}+05:00");
        let common = ["--event-id", &id, "--at", &at, "--agent", "op-canary"];
        run(self.example, &self.url, &[&common[..], more].concat())
    }

    /// The same where it must succeed; what it prints.
    #[track_caller]
    fn tell(&self, entry: &str, at: &str, more: &[&str]) -> Value {
        let done = self.run(entry, at, more);
        assert_eq!((done.code, &*done.stderr), (Some(0), ""), "{}: {done:?}", self.example);
        serde_json::from_str(&done.stdout).expect("one line of JSON")
    }

    /// The same where somebody must look; what it complains of.
    #[track_caller]
    fn complain(&self, entry: &str, at: &str, more: &[&str]) -> String {
        let done = self.run(entry, at, more);
        assert_eq!((done.code, &*done.stdout), (Some(65), ""), "{}: {done:?}", self.example);
        assert!(!done.stderr.contains("777"), "{}: {done:?}", self.example);
        done.stderr
    }

    /// Who of this desk's people is left in a job: the last digits of their numbers.
    async fn left(&self, scene: &mut Scene, people: &[u8]) -> Vec<String> {
        let recipients = people.iter().map(|it| json!({"user_id": it.to_string(), "phone": self.phone(*it)}));
        scene.kept("sms", recipients.collect()).await.0
    }
}

fn desks(scene: &Scene) -> [Desk<'static>; 2] {
    EXAMPLES.map(|(example, number)| Desk { example, url: scene.stage.vhost.url("callcenter"), number })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_gets_its_answer_and_the_number_that_was_named_is_suppressed_not_the_callers() {
    let mut scene = Scene::with(FROM_THE_CALL).await;
    let mut events = scene.guest.inbox("test.events", &[("suppressd.opt-outs", "call_center")]).await;
    for desk in desks(&scene) {
        let (caller, named) = (1, 2);
        let for_whom = ["--phone", &desk.phone(named), "--ticket", "CRM-88", "--channels", "sms,call"];
        let more = [&for_whom[..], &["--requested-by", "representative"]].concat();
        let told = desk.tell("1", "20T18:30:00", &more);
        assert_eq!((&told["status"], &told["ignored"]), (&json!("applied"), &json!([])), "{told}");
        assert_eq!(told["due_at"], "2026-11-23T13:30:00Z", "Monday, 24 working hours after Friday 18:30");
        assert_eq!(desk.left(&mut scene, &[caller, named]).await, ["1"]);
        let again = desk.tell("1", "20T18:30:00", &more);
        assert_eq!((&again["status"], &again["revision"]), (&json!("duplicate"), &told["revision"]));

        let receipt = scene.receipts.next().await.json();
        assert_eq!((&receipt["revision"], &receipt["request_id"]), (&told["revision"], &json!("CRM-88")));
        scene.receipts.next().await;
        let sent = events.take(2).await.remove(0);
        let properties = &sent.properties;
        let user = properties.user_id().as_ref().map(|user| user.as_str().to_owned());
        assert_eq!((user.as_deref(), *properties.delivery_mode()), (Some("callcenter"), Some(2)));
        let replies = properties.reply_to().clone().expect("an answer is asked for");
        assert!(replies.as_str().starts_with("callcenter."), "the shipped permissions allow no other name");
        assert_eq!(scene.guest.count(replies.as_str()).await, None, "its queue went with it");
    }
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_number_is_corrected_and_a_changed_one_is_followed() {
    let mut scene = Scene::new().await;
    for desk in desks(&scene) {
        let (wrong, right, new) = (3, 4, 5);
        let one = |person| desk.phone(person);
        desk.tell("1", "20T10:00:00", &["--phone", &one(wrong)]);
        assert_eq!(desk.left(&mut scene, &[wrong, right]).await, ["4"]);
        // The right one as of the call, for its deadline; the wrong one as of the correction, to be later.
        desk.tell("2", "20T10:00:00", &["--phone", &one(right)]);
        desk.tell("3", "20T11:00:00", &["--phone", &one(wrong), "--kind", "opt_in"]);
        assert_eq!(desk.left(&mut scene, &[wrong, right, new]).await, ["3", "5"]);
        let change = ["--kind", "identifier_changed", "--phone", &one(right), "--new-phone", &one(new)];
        desk.tell("4", "20T12:00:00", &change);
        assert_eq!(desk.left(&mut scene, &[wrong, right, new]).await, ["3"]);

        let review = desk.complain("5", "20T13:00:00", &["--phone", "12", "--ticket", "CRM-12"]);
        assert!(review.contains("review"), "{review}");
        assert_eq!(scene.dead.next().await.header("x-suppressd-reason").as_deref(), Some("no_identifier"));
        let ticket = format!("CRM-12-{}", desk.number);
        let unknown = desk.complain("6", "20T13:00:00", &["--kind", "dismiss", "--ticket", &ticket]);
        assert!(unknown.contains("rejected") && unknown.contains("unknown_request"), "{unknown}");
        let status = &desk.tell("7", "20T14:00:00", &["--kind", "dismiss", "--ticket", "CRM-12"])["status"];
        assert!(["applied", "superseded"].contains(&status.as_str().unwrap()), "{status}");
        let partly =
            ["--phone", "12", "--email", "aigerim@x.kz", "--user-id", "U-canary", "--brands", "lulla.kz"];
        assert_eq!(desk.tell("8", "20T15:00:00", &partly)["ignored"], json!(["phone"]));
    }
    scene.receipts.take(2 * 8).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_told_when_there_is_no_answer_and_asking_again_is_harmless() {
    let mut scene = Scene::new().await;
    scene.worker.sigterm();
    assert_eq!(scene.worker.exit_code().await, Some(0));
    let ask = |desk: &Desk<'_>| desk.run("1", "20T10:00:00", &["--phone", &desk.phone(1), "--wait-s", "1"]);
    for desk in desks(&scene) {
        let done = ask(&desk);
        assert_eq!((done.code, &*done.stdout), (Some(69), ""), "{done:?}");
        assert!(done.stderr.contains("run the same command again"), "{done:?}");
    }
    scene.worker = scene.stage.start("w2");
    scene.worker.wait_ready().await;
    scene.receipts.take(2).await;
    for desk in desks(&scene) {
        let told = desk.tell("1", "20T10:00:00", &["--phone", &desk.phone(1), "--wait-s", "10"]);
        assert_eq!(told["status"], "duplicate");
        assert_eq!(desk.left(&mut scene, &[1]).await, NOBODY);
    }
    scene.receipts.take(2).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_said_at_once() {
    let stage = Stage::new();
    let right = stage.vhost.url("callcenter");
    let wrong_password = right.replacen("callcenter:", "callcenter:x", 1);
    let somebody = ["--event-id", "1", "--at", "2026-11-20T10:00:00+05:00", "--phone", "87771113111"];
    for (example, _) in EXAMPLES {
        for (url, arguments, code) in [
            // No worker has ever been here, so there is nothing to publish to.
            (&*right, &somebody[..], 69),
            (&wrong_password, &somebody, 69),
            ("amqp://a:b@127.0.0.1:1/x", &somebody, 69),
            ("", &somebody, 64),
            (&right, &somebody[..4], 64),
            (&right, &somebody[2..], 64),
            (&right, &[&somebody[..], &["--kind", "optout"]].concat(), 64),
            (&right, &[&somebody[..], &["--fone", "87771113111"]].concat(), 64),
        ] {
            let done = run(example, url, arguments);
            assert_eq!((done.code, &*done.stdout), (Some(code), ""), "{example} {arguments:?}: {done:?}");
            let lines = done.stderr.lines().count();
            assert_eq!(lines, 1, "{example}: a message, no trace: {done:?}");
            assert!(!done.stderr.contains("777"), "{example}: {done:?}");
        }
    }
}

/// What a receipt says of the time that there was: due, due by the clock on the wall, whether it was late, and
/// by which calendar.
fn due(receipt: &Value) -> Value {
    ["due_at", "due_strict_at", "late", "calendar"].map(|member| receipt[member].clone()).to_vec().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_for_a_request_runs_from_the_call_and_for_other_sources_from_the_receipt() {
    // Somebody must still look at this year's days, so that there is a warning whenever this runs.
    let settings = "[calendar]\nversion = 'test.1'\n[calendar.years.2026]\nprovisional = true\n";
    let mut scene = Scene::with(&format!("{FROM_THE_CALL}{settings}")).await;
    let asked = |id: &str, at: &str| {
        but(event(id, "opt_out", json!({"user_id": id})), json!({"occurred_at": format!("{at}+05:00")}))
    };
    let nauryz = scene.event(asked("d-1", "2026-03-20T16:00:00")).await;
    let expected = json!(["2026-03-26T11:00:00Z", "2026-03-22T11:00:00Z", true, "test.1"]);
    assert_eq!(due(&nauryz), expected, "it came months after the call");
    let late = scene.alarms.next().await;
    assert_eq!(late.routing_key, "alarm.deadline");
    let again = scene.event(asked("d-1", "2026-03-20T16:00:00")).await;
    assert_eq!((due(&again), &again["status"]), (expected, &json!("duplicate")));
    let unknown_year = scene.event(asked("d-2", "2025-03-21T16:00:00")).await;
    let plain = "2025-03-22T11:00:00Z";
    assert_eq!(due(&unknown_year), json!([plain, plain, true, null]));

    // From the receipt on: another source, and a call of the year 2999.
    let mail =
        but(event("d-3", "opt_out", json!({"user_id": "d-3"})), json!({"source": "email", "agent": null}));
    scene.guest.publish("suppressd.opt-outs", "email", &mail).await;
    let mail = scene.receipts.next().await.json();
    let ahead = scene.event(asked("d-4", "2999-01-01T10:00:00")).await;
    for receipt in [mail, ahead] {
        let time = |member: &str| receipt[member].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let [due_at, due_strict_at] =
            ["due_at", "due_strict_at"].map(|due| time(due).duration_since(time("received_at")).as_hours());
        assert!((24..=48).contains(&due_strict_at) && due_at >= due_strict_at, "{receipt}");
        assert_eq!(receipt["late"], false, "{receipt}");
    }
    let ready = scene.worker.get("/ready").unwrap();
    let warnings = ready.json()["warnings"].clone();
    assert!(warnings.as_array().unwrap().iter().any(|it| it["name"] == "calendar"), "{warnings}");
    assert_eq!(ready.status, 200, "a warning is no reason to take the worker away");
    scene.end().await;
}

/// The events in the ledger, in its order: this many.
async fn ledger(client: &Client, count: usize) -> Vec<Value> {
    let channel = client.channel().await;
    channel.basic_qos(100, BasicQosOptions::default()).await.unwrap();
    let mut from = FieldTable::default();
    from.insert("x-stream-offset".into(), AMQPValue::LongString("first".into()));
    let options = BasicConsumeOptions::default();
    let mut records =
        channel.basic_consume("suppressd.ledger".into(), "".into(), options, from).await.unwrap();
    let mut events = Vec::new();
    while events.len() < count {
        let record = tokio::time::timeout(SOON, records.next()).await.expect("the ledger has more events");
        let record = record.expect("the consumer stays").unwrap();
        record.acker.ack(BasicAckOptions::default()).await.unwrap();
        let json: Value = serde_json::from_slice(&record.data).unwrap();
        if json["record"] == "event" {
            events.push(json);
        }
    }
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn on_whose_behalf_a_request_came_is_in_the_ledger_for_good() {
    let mut scene = Scene::new().await;
    let phone = json!({"phone": "87771113111"});
    for (id, by) in [("r-1", "representative"), ("r-2", "authority"), ("r-3", "subject")] {
        let day = format!("2026-11-0{}T10:00:00+05:00", &id[2..]);
        scene
            .apply(but(event(id, "opt_out", phone.clone()), json!({"requested_by": by, "occurred_at": day})))
            .await;
    }
    scene.apply(event("r-4", "opt_out", json!({"user_id": "U-canary"}))).await;
    let kept = ledger(&scene.guest, 4).await;
    let by: Vec<_> = kept.iter().map(|event| event["requested_by"].as_str().unwrap()).collect();
    assert_eq!(by, ["representative", "authority", "subject", "subject"]);
    assert!(kept.iter().all(|event| event["agent"] == "op-canary"));

    let nobody = but(event("r-5", "opt_out", phone), json!({"requested_by": "neighbour"}));
    scene.send_event(&nobody).await;
    let dead = scene.dead.next().await;
    assert_eq!(dead.header("x-suppressd-reason").as_deref(), Some("bad_schema"));
    scene.receipts.expect_silence(Duration::from_millis(100)).await;
    scene.end().await;
}
