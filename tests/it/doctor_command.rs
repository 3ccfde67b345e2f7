//! `suppressd doctor`: everything that may be wrong with the servers, seen without changing them.

use std::collections::BTreeMap;
use std::path::Path;

use lapin::BasicProperties;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};

use crate::scene::{CANARIES, Scene, event, job};
use crate::support::{Dovecot, Finished, PASSWORD, Redis, Sent, Stage};

/// What a run said: each check by its name, and the exit code.
struct Diagnosis {
    code: Option<i32>,
    checks: BTreeMap<String, Value>,
}

impl Diagnosis {
    /// Insists on the state of a check and on words in what it says.
    fn says(&self, name: &str, state: &str, words: &[&str]) -> &Self {
        let check = self.checks.get(name).unwrap_or_else(|| panic!("no {name} in {:#?}", self.checks));
        assert_eq!(check["state"], state, "{check}");
        let missing = words.iter().find(|word| !check.to_string().contains(*word));
        assert_eq!(missing, None, "{check}");
        self
    }

    /// Insists on the exit code.
    fn ends_with(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{:#?}", self.checks);
        self
    }

    /// Everything that is not as it should be. The calendar's end comes nearer by itself, and the mode of the key file is
    /// the harness's.
    fn unwell(&self) -> Vec<&String> {
        let well = |check: &Value| ["ok", "skipped"].iter().any(|state| check["state"] == *state);
        let left_out = |name: &String| ["calendar", "configuration"].contains(&&**name);
        let unwell = self.checks.iter().filter(|(name, check)| !left_out(name) && !well(check));
        unwell.map(|(name, _)| name).collect()
    }
}

fn run(stage: &Stage, arguments: &[&str]) -> Finished {
    let output = stage
        .command(&[&["doctor"], arguments].concat())
        .env("SUPPRESSD__ADMIN__LISTEN", "127.0.0.1:0")
        .env("SUPPRESSD__LOG__LEVEL", "trace")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Finished { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Whatever could be somebody's password, key or number.
fn secrets(stage: &Stage) -> Vec<String> {
    let password =
        |url: String| Some(url.split_once("://")?.1.split_once('@')?.0.split_once(':')?.1.to_owned());
    let urls = [stage.vhost.url("suppressd"), stage.redis.url()];
    let key = std::fs::read_to_string(Stage::key_file()).unwrap().trim().to_owned();
    let mut secrets: Vec<String> = urls.into_iter().filter_map(password).collect();
    assert_eq!(secrets.len(), 2);
    secrets.extend([key, PASSWORD.to_owned(), "hunter2".to_owned()]);
    secrets.extend(CANARIES.iter().map(ToString::to_string));
    secrets
}

/// Runs it for machines; nothing that it says or logs, even in detail, is a secret or about a person.
fn doctor(stage: &Stage) -> Diagnosis {
    let told = run(stage, &["--json"]);
    for secret in secrets(stage) {
        assert!(
            !told.stdout.contains(&secret) && !told.stderr.contains(&secret),
            "a secret is told: {told:?}"
        );
    }
    let report: Value =
        serde_json::from_str(&told.stdout).unwrap_or_else(|error| panic!("{error}: {told:?}"));
    let checks = report["checks"].as_array().unwrap();
    let mut counted = 0;
    for state in ["ok", "warning", "fault", "unavailable", "skipped"] {
        let of_state = checks.iter().filter(|check| check["state"] == state).count();
        assert_eq!(report[state], of_state, "{report}");
        counted += of_state;
    }
    assert_eq!(counted, checks.len(), "every check has one of the states: {report}");
    let mut by_name = BTreeMap::new();
    for check in checks {
        let name = check["name"].as_str().unwrap();
        let mendable = ["warning", "fault", "unavailable"].iter().any(|state| check["state"] == *state);
        assert!(!mendable || check["do"].is_string(), "it is not said what to do: {check}");
        explained(name);
        by_name.insert(name.to_owned(), check.clone());
    }
    Diagnosis { code: told.code, checks: by_name }
}

/// The guide has a row for every check.
fn explained(name: &str) {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let kind = ["exchange ", "queue "].iter().find(|kind| name.starts_with(*kind));
    let row = kind.map_or_else(|| name.to_owned(), |kind| format!("{kind}…"));
    let rows = std::fs::read_to_string(readme).unwrap();
    let (_, rows) = rows.split_once("## See whether all is well").unwrap();
    let (rows, _) = rows.split_once("\n## ").unwrap();
    assert!(rows.contains(&format!("`{row}`")), "README.md does not explain the check {name}");
}

/// All that servers have and a diagnosis might change.
async fn everything(stage: &Stage) -> (String, Vec<redis::Value>) {
    let broker = ["queues", "exchanges", "bindings"].map(|objects| {
        let listed =
            stage.vhost.broker().admin("GET", &format!("{objects}/{}", stage.vhost.name()), "").json();
        let stable = ["name", "type", "arguments", "source", "destination", "routing_key", "policy"];
        let of = |object: &Value| stable.map(|member| object[member].to_string()).join(" ");
        listed.as_array().unwrap().iter().map(of).collect::<Vec<_>>().join("\n")
    });
    let mut redis = vec![stage.redis.run("DBSIZE").await];
    for key in ["{suppressd}:meta", "{suppressd}:barriers"] {
        redis.push(stage.redis.run(&format!("HGETALL {key}")).await);
    }
    (broker.join("\n"), redis)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_installation_is_told_to_be_initialised_and_then_nothing_is_wrong() {
    let stage = Stage::new();
    let before = everything(&stage).await;
    let new = doctor(&stage);
    new.ends_with(78).says("list", "fault", &["suppressd init"]).says("ledger", "fault", &["suppressd init"]);
    new.says("queue suppressd.jobs", "fault", &["is not there", "suppressd init"]);
    new.says("exchange suppressd.filtered", "fault", &["is not there"]).says("redis", "ok", &["primary"]);
    assert_eq!(everything(&stage).await, before, "nothing is created");

    stage.init();
    let before = everything(&stage).await;
    let well = doctor(&stage);
    well.ends_with(0);
    assert_eq!(well.unwell(), [""; 0], "{:#?}", well.checks);
    well.says("rabbitmq", "ok", &["RabbitMQ 3.", "vhost"]).says("default exchange", "ok", &[]);
    well.says("queue suppressd.jobs", "ok", &["no worker takes from it"]).says(
        "ledger",
        "ok",
        &["nothing is trimmed"],
    );
    well.says("redis eviction", "ok", &[]).says("redis persistence", "ok", &["appendfsync everysec"]);
    well.says("redis permissions", "ok", &[]).says("redis hashes", "ok", &[]).says(
        "clock",
        "ok",
        &["ms off"],
    );
    well.says("policies", "skipped", &["list_policies"]).says("senders", "skipped", &["suppressd.filtered"]);
    well.says("mailbox", "skipped", &[]).says("hashing.key_files", "ok", &["1 key"]);
    assert_eq!(everything(&stage).await, before, "nothing is changed");

    let told = run(&stage, &[]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stdout.contains("queue suppressd.ledger") && told.stdout.contains("0 fault"), "{told:?}");
    assert_eq!(run(&stage, &["--unknown"]).code, Some(64));
}

/// The headers of a message in the dead list.
fn dead_letter() -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in [
        ("x-suppressd-reason", "bad_json"),
        ("x-suppressd-detail", "the body is no JSON"),
        ("x-suppressd-queue", "suppressd.jobs"),
        ("x-suppressd-at", "2026-11-23T09:00:00Z"),
    ] {
        headers.insert(name.into(), AMQPValue::LongString(value.into()));
    }
    BasicProperties::default().with_headers(headers)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_told_beside_a_worker_that_is_left_in_peace() {
    let mut scene = Scene::new().await;
    scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary", "phone": "+7 777 111 3 111"}))).await;
    let busy = doctor(&scene.stage);
    busy.ends_with(0).says("ledger", "ok", &["the list was folded from it"]).says(
        "list",
        "ok",
        &["revision 1"],
    );
    busy.says("list keys", "ok", &["every key"]).says("list fold", "ok", &[]);
    busy.says("queue suppressd.opt-outs", "ok", &[]);
    scene.out.expect_silence(std::time::Duration::ZERO).await;
    let port = scene.worker.admin_port();
    scene.stage.configure(&format!("[admin]\nlisten = \"127.0.0.1:{port}\"\n"));
    let told = scene.stage.run(&["doctor"]);
    assert!(
        told.code == Some(0) && told.stdout.contains(&format!("a worker listens on 127.0.0.1:{port}")),
        "{told:?}"
    );

    scene.worker.sigterm();
    assert_eq!(scene.worker.exit_code().await, Some(0));
    let body = job("j", "sms", json!([{"user_id": "U-canary"}]));
    assert_eq!(scene.marketing.publish("suppressd.jobs", "sms", &body).await, Sent::Confirmed);
    // One that RabbitMQ puts there by itself, and one more that is not held by a consumer.
    let guest = scene.stage.connect("guest").await;
    guest.publish_with("", "suppressd.waiting", BasicProperties::default(), b"{}").await;
    drop(scene.dead);
    drop(scene.guest);
    guest.publish_with("suppressd.dead", "", dead_letter(), b"{}").await;
    for queue in ["suppressd.jobs", "suppressd.waiting", "suppressd.dead"] {
        guest.expect_count(queue, 1).await;
    }
    let idle = doctor(&scene.stage);
    idle.ends_with(0).says(
        "queue suppressd.jobs",
        "warning",
        &["1 message waits, and no worker", "suppressd run"],
    );
    idle.says("queue suppressd.waiting", "warning", &["waits for a binding", "suppressd.filtered"]).says(
        "queue suppressd.dead",
        "warning",
        &["dead list"],
    );
    for queue in ["suppressd.jobs", "suppressd.waiting", "suppressd.dead"] {
        guest.expect_count(queue, 1).await;
        let left = guest.get(queue).await.expect("it is still there");
        // That our own listener, which has just gone, was sent the dead one is no matter.
        let ours = queue == "suppressd.dead";
        assert!(ours || !left.redelivered, "{queue}: nobody took it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_would_lose_or_refuse_something_is_told_with_the_remedy() {
    let mut stage = Stage::new();
    stage.init();
    for (command, check, state, words, code) in [
        (
            "CONFIG SET maxmemory-policy allkeys-lru",
            "redis eviction",
            "fault",
            &["allkeys-lru", "noeviction"][..],
            78,
        ),
        ("CONFIG SET maxmemory-policy noeviction", "redis eviction", "ok", &[], 0),
        ("CONFIG SET appendonly no", "redis persistence", "warning", &["appendonly yes"], 0),
        ("CONFIG SET maxmemory 1mb", "redis memory", "fault", &["room"], 78),
        ("CONFIG SET maxmemory 0", "redis memory", "ok", &[], 0),
        (
            "CONFIG SET hash-max-listpack-entries 0",
            "redis hashes",
            "warning",
            &["hash-max-listpack-entries"],
            0,
        ),
        (
            "ACL SETUSER suppressd -hset -config|get",
            "redis permissions",
            "fault",
            &["HSET", "CONFIG|GET", "users.acl"],
            78,
        ),
        ("ACL SETUSER suppressd resetkeys ~{another}:*", "redis permissions", "fault", &["HGET", "XADD"], 78),
        ("ACL SETUSER suppressd ~{suppressd}:* +hset -eval", "redis permissions", "fault", &["EVAL"], 78),
        ("ACL SETUSER suppressd +eval +config|get", "redis permissions", "ok", &[], 0),
        ("REPLICAOF 127.0.0.1 1", "redis", "fault", &["is a replica", "primary"], 78),
        ("REPLICAOF NO ONE", "redis", "ok", &["primary"], 0),
    ] {
        stage.redis.run(command).await;
        doctor(&stage).says(check, state, words).ends_with(code);
    }
    stage.configure("[redis]\nwait_replicas = 1\n");
    doctor(&stage)
        .says("redis replicas", "fault", &["0 replicas", "nothing would be acknowledged"])
        .ends_with(78);

    let url = stage.redis.url();
    let (user, host) = url.rsplit_once('@').unwrap();
    assert!(user.contains(':'));
    stage.configure(&format!("[redis]\nurl = \"redis://suppressd:hunter2@{host}\"\nwait_replicas = 0\n"));
    doctor(&stage).says("redis", "fault", &["refused"]).ends_with(78);
    stage.configure(&format!("[redis]\nurl = \"redis://{host}\"\n"));
    doctor(&stage).says("redis", "fault", &["refused"]).ends_with(78);
    stage.configure(&format!("[redis]\nurl = \"{url}\"\n"));
    stage.redis.stop();
    let away = doctor(&stage);
    away.says("redis", "unavailable", &["start Redis"]).says("ledger", "ok", &[]).ends_with(69);
    assert!(
        !away.checks.contains_key("list") && !away.checks.contains_key("redis memory"),
        "{:#?}",
        away.checks
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_of_another_kind_and_a_missing_permission_are_named() {
    let stage = Stage::new();
    let guest = stage.connect("guest").await;
    for (name, argument, value) in
        [("suppressd.jobs", "x-queue-type", "classic"), ("suppressd.ledger", "x-queue-type", "quorum")]
    {
        let mut table = FieldTable::default();
        table.insert(argument.into(), AMQPValue::LongString(value.into()));
        let channel = guest.channel().await;
        channel.queue_declare(name.into(), QueueDeclareOptions::durable(), table).await.unwrap();
    }
    let wrong = doctor(&stage);
    wrong.ends_with(78).says("queue suppressd.jobs", "fault", &["inequivalent arg", "delete it"]);
    wrong.says("queue suppressd.ledger", "fault", &["x-queue-type", "stream"]).says("ledger", "skipped", &[]);
    for name in ["suppressd.jobs", "suppressd.ledger"] {
        stage.vhost.delete_queue(name);
    }

    stage.init();
    let everything = json!({"configure": "^suppressd\\.", "write": "^(suppressd\\..*|amq\\.default)$", "read": "^suppressd\\."});
    for (right, pattern, check, state) in [
        ("read", "^suppressd\\.[^l]", "queue suppressd.ledger", "fault"),
        ("read", "^suppressd\\.[^w]", "queue suppressd.waiting", "fault"),
        ("write", "^suppressd\\.", "default exchange", "fault"),
        ("write", "^(suppressd\\.[^f].*|amq\\.default)$", "exchange suppressd.filtered", "fault"),
        ("write", "^(suppressd\\.[^d].*|amq\\.default)$", "queue suppressd.dead", "fault"),
        ("configure", "^suppressd\\.[^e]", "exchange suppressd.events", "fault"),
        ("configure", "^suppressd\\.", "exchange suppressd.events", "ok"),
    ] {
        let mut rights = everything.clone();
        rights[right] = pattern.into();
        let path = format!("permissions/{}/suppressd", stage.vhost.name());
        stage.vhost.broker().admin("PUT", &path, &rights.to_string());
        let (words, code): (&[&str], _) = if state == "ok" { (&[], 0) } else { (&["definitions.json"], 78) };
        let told = doctor(&stage);
        told.says(check, state, words).ends_with(code);
        let object = |name: &str| name.rsplit(' ').next().map(ToOwned::to_owned);
        let others: Vec<_> = told.unwell().into_iter().filter(|name| object(name) != object(check)).collect();
        assert_eq!(others, [""; 0], "nothing else lacks anything");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rabbitmq_that_is_away_or_lets_nobody_in_is_told_in_one_line() {
    let mut stage = Stage::new();
    stage.init();
    let url = stage.vhost.url("suppressd");
    let (login, place) = url.rsplit_once('@').unwrap();
    for (wrong, state, words, code) in [
        (format!("{login}@127.0.0.1:1/none"), "unavailable", &["cannot be reached"][..], 69),
        (format!("amqp://suppressd:hunter2@{place}"), "fault", &["refuses access"], 78),
        (format!("{url}-another"), "fault", &["refuses access"], 78),
    ] {
        stage.configure(&format!("[amqp]\nurl = \"{wrong}\"\n"));
        let told = doctor(&stage);
        told.says("rabbitmq", state, words).says("redis", "ok", &[]).says("list", "ok", &[]).ends_with(code);
        assert!(!told.checks.contains_key("ledger"), "{:#?}", told.checks);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_lacks_its_ledger_or_its_key_is_told() {
    let mut scene = Scene::new().await;
    scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;
    scene.worker.sigterm();
    assert_eq!(scene.worker.exit_code().await, Some(0));
    let other = scene.stage.directory().join("other.key");
    std::fs::write(&other, "8f1d0c7be2a94536a7d3f0e1c2b4968570ad3e5f6b7c8d9e1f2031425364758a\n").unwrap();
    std::fs::set_permissions(&other, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    scene.stage.configure(&format!("[hashing]\nkey_files = [\"{}\"]\n", other.display()));
    doctor(&scene.stage).says("list keys", "fault", &["hashing.key_files"]).ends_with(78);
    let own = Stage::key_file();
    scene.stage.configure(&format!(
        "[hashing]\nkey_files = [\"{}\", \"{}\"]\n",
        own.display(),
        other.display()
    ));
    doctor(&scene.stage).says("list keys", "ok", &["is new"]).ends_with(0);

    let kept = scene.stage.redis.run("HGET {suppressd}:meta position").await;
    scene.stage.redis.run("HSET {suppressd}:meta position 900").await;
    doctor(&scene.stage).says("ledger", "fault", &["900 records", "suppressd rebuild"]).ends_with(78);
    let redis::Value::BulkString(position) = kept else { panic!("the list has a position") };
    scene
        .stage
        .redis
        .run(&format!("HSET {{suppressd}}:meta position {}", String::from_utf8(position).unwrap()))
        .await;
    doctor(&scene.stage).says("ledger", "ok", &["folded from it"]).ends_with(0);
    scene.stage.vhost.delete_queue("suppressd.ledger");
    doctor(&scene.stage).says("ledger", "fault", &["suppressd rebuild"]).ends_with(78);
    scene.stage.redis.run("FLUSHALL").await;
    doctor(&scene.stage).says("list", "fault", &["suppressd init"]).ends_with(78);
    let aside = Redis::start(scene.stage.directory(), crate::support::Persistence::None);
    aside.run("HSET {suppressd}:meta list nonsense").await;
    scene.stage.configure(&format!("[redis]\nurl = \"{}\"\n", aside.url()));
    doctor(&scene.stage).says("list", "fault", &["can read", "upgrade"]).ends_with(78);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_of_the_configuration_is_a_fault_and_a_calendar_that_ends_a_warning() {
    let mut stage = Stage::new();
    stage.init();
    let zone = "[calendar]\nversion = \"x\"\nzone = \"Asia/Almaty\"\n";
    stage.configure(&format!("{zone}[calendar.years.2026]\nprovisional = true\ndays_off = []\n[calendar.years.2027]\nprovisional = true\ndays_off = []\n"));
    doctor(&stage).says("calendar", "warning", &[]).ends_with(0);
    stage.configure("[redis]\nurl = \"http://hunter2\"\n[limits]\njob_segments_max = 0\n[calendar.years.2026]\ndays_off = [\"2026-02-31\"]\n");
    let told = run(&stage, &["--json"]);
    assert_eq!((told.code, told.stderr.as_str()), (Some(78), ""), "{told:?}");
    assert!(!told.stdout.contains("hunter2"), "{told:?}");
    let report: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!((&report["fault"], &report["skipped"]), (&json!(3), &json!(1)), "{report}");
    for key in ["redis.url", "limits.job_segments_max", "calendar.years.2026.days_off"] {
        assert!(told.stdout.contains(key), "{key}: {report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mailbox_is_opened_and_its_mails_are_left_alone() {
    let mut stage = Stage::new();
    stage.init();
    let dovecot = Dovecot::start(stage.directory());
    dovecot.deliver("INBOX", b"From: aigerim@example.kz\r\nSubject: x\r\n\r\nstop\r\n");
    stage.configure(&dovecot.settings());
    doctor(&stage).says("mailbox", "ok", &["lets us in"]).ends_with(0);
    assert_eq!(dovecot.count("INBOX", &["UNSEEN"]), 1);
    stage.configure("[mailbox]\nmove_to = \"Elsewhere\"\n");
    doctor(&stage).says("mailbox folders", "warning", &["Elsewhere"]).ends_with(0);
    // It looks into its file of users about once a second.
    dovecot.kill9();
    dovecot.set_password("another");
    dovecot.start_again();
    doctor(&stage).says("mailbox", "fault", &["password"]).ends_with(78);
    dovecot.kill9();
    doctor(&stage).says("mailbox", "unavailable", &["mails wait"]).ends_with(69);
}
