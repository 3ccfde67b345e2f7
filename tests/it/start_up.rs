//! What a worker refuses to start on, and what it says then: what is wrong, where, and what to do.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::json;

use crate::scene::{Scene, event, job};
use crate::support::{Finished, Stage};

/// Starts a worker that must end by itself; what it said.
async fn refused(stage: &Stage, name: &str) -> String {
    let worker = stage.start(name);
    assert_eq!(worker.exit_code().await, Some(78), "{}", worker.output());
    worker.output()
}

fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in:\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_may_evict_is_refused_at_start() {
    let stage = Stage::new();
    for policy in ["allkeys-lru", "volatile-ttl", "allkeys-random"] {
        stage.redis.run(&format!("CONFIG SET maxmemory-policy {policy}")).await;
        let init = stage.run(&["init"]);
        assert_eq!(init.code, Some(78), "{init:?}");
        says(&init.stderr, &["maxmemory-policy", policy, "noeviction"]);
    }
    stage.redis.run("CONFIG SET maxmemory-policy noeviction").await;
    stage.init();
    stage.redis.run("CONFIG SET maxmemory-policy allkeys-random").await;
    says(&refused(&stage, "w1").await, &["maxmemory-policy", "allkeys-random", "noeviction"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_may_evict_from_now_on_makes_the_worker_stop_until_it_may_not() {
    let mut scene = Scene::new().await;
    scene.stage.redis.run("CONFIG SET maxmemory-policy allkeys-lru").await;
    scene.worker.wait_not_ready().await;
    says(&scene.worker.get("/ready").unwrap().body, &["maxmemory-policy", "allkeys-lru"]);
    let people = json!([{"user_id": "U-2"}]);
    scene.marketing.publish("suppressd.jobs", "sms", &job("j", "sms", people)).await;
    scene.send_event(&event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;
    scene.out.expect_silence(Duration::from_millis(500)).await;
    scene.receipts.expect_silence(Duration::ZERO).await;
    scene.stage.redis.run("CONFIG SET maxmemory-policy noeviction").await;
    scene.worker.wait_ready().await;
    assert_eq!(scene.out.next().await.message_id(), Some("j"));
    assert_eq!(scene.receipts.next().await.json()["status"], "applied");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_an_installation_names_the_command_that_makes_one() {
    let stage = Stage::new();
    says(&refused(&stage, "w1").await, &["suppressd init"]);
    let first = stage.run(&["init"]);
    let again = stage.run(&["init"]);
    assert_eq!((first.code, again.code), (Some(0), Some(0)), "{first:?} {again:?}");
    says(&again.stdout, &["the ledger was there already", "the list was there already"]);
    stage.start("w2").wait_ready().await;
}

/// A key that nobody uses.
const KEY: &str = "8f1d0c7be2a94536a7d3f0e1c2b4968570ad3e5f6b7c8d9e1f2031425364758a\n";

fn write_key(stage: &Stage, name: &str) -> String {
    let path = stage.directory().join(name);
    std::fs::write(&path, KEY).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_the_lists_key_is_refused_and_one_with_a_further_key_is_not() {
    let mut scene = Scene::new().await;
    scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;
    let (known, new) = ("key_files = [\"", write_key(&scene.stage, "new.key"));
    let settings = std::fs::read_to_string(scene.stage.directory().join("suppressd.toml")).unwrap();
    let (_, rest) = settings.split_once(known).unwrap();
    let own = rest.split_once('"').unwrap().0.to_owned();
    scene.stage.configure(&format!("[hashing]\nkey_files = [\"{new}\"]\n"));
    says(&refused(&scene.stage, "w2").await, &["hashing.key_files"]);

    scene.stage.configure(&format!("[hashing]\nkey_files = [\"{new}\", \"{own}\"]\n"));
    let both = scene.stage.start("w3");
    both.wait_ready().await;
    // The old worker writes and looks up under too few keys now.
    scene.worker.wait_not_ready().await;
    says(&scene.worker.get("/ready").unwrap().body, &["hashing.key_files"]);
    scene.worker.kill9();
    scene.worker = both;
    assert_eq!(scene.kept("sms", json!([{"user_id": "U-canary"}, {"user_id": "U-2"}])).await.0, ["U-2"]);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_was_declared_otherwise_is_named_with_its_argument() {
    let stage = Stage::new();
    let guest = stage.connect("guest").await;
    for (name, arguments) in [
        ("suppressd.jobs", vec![("x-queue-type", AMQPValue::LongString("classic".into()))]),
        (
            "suppressd.waiting",
            vec![
                ("x-queue-type", AMQPValue::LongString("quorum".into())),
                ("x-delivery-limit", AMQPValue::LongInt(3)),
            ],
        ),
    ] {
        let mut table = FieldTable::default();
        for (argument, value) in arguments {
            table.insert(argument.into(), value);
        }
        let channel = guest.channel().await;
        channel.queue_declare(name.into(), QueueDeclareOptions::durable(), table).await.unwrap();
    }
    let init = stage.run(&["init"]);
    assert_eq!(init.code, Some(78), "{init:?}");
    let objects = ["queue suppressd.jobs", "queue suppressd.waiting", "inequivalent arg 'x-"];
    says(&init.stderr, &objects);
    says(&refused(&stage, "w1").await, &objects);
}

/// In an empty environment, without servers.
fn suppressd(change: impl FnOnce(&mut Command)) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_suppressd"));
    command.env_clear();
    change(&mut command);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Finished { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn every_mistake_of_the_configuration_is_told_at_once_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("wrong.toml");
    let wrong = "[amqp]\nurl = \"http://x\"\njobs_prefetch = 0\n[policy]\nbrands = []\n[sources.import]\nmay = [\"opt_in\"]\n[redis]\nurll = 1\n";
    std::fs::write(&file, wrong).unwrap();
    for command in ["check-config", "run"] {
        let ended = suppressd(|told| {
            told.arg(command).arg("--config").arg(&file);
            told.env("SUPPRESSD__SHUTDOWN__GRACE_S", "soon").env("SUPPRESSD__LIMITS__NOTHING", "1");
        });
        assert_eq!(ended.code, Some(78), "{ended:?}");
        let (places, path) = (&ended.stderr, file.display().to_string());
        for key in [
            "amqp.url",
            "amqp.jobs_prefetch",
            "policy.brands",
            "redis.urll",
            "sources.import.may",
            "hashing.key_files",
        ] {
            assert!(places.lines().any(|line| line.contains(key)), "{key}: {places}");
        }
        says(places, &[&path, "SUPPRESSD__SHUTDOWN__GRACE_S", "SUPPRESSD__LIMITS__NOTHING"]);
    }
}

#[test]
fn check_config_needs_no_server_and_a_wrong_command_line_is_64() {
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("hashing.key");
    std::fs::write(&key, KEY).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let config = |name: &str| format!("{}/config/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let shipped = |command: &mut Command| {
        command.args(["check-config", "--config", &config("suppressd"), "--config", &config("kazakhstan")]);
        command.env("SUPPRESSD__HASHING__KEY_FILES", &key);
        command.env("SUPPRESSD__AMQP__URL", "amqp://nobody:x@192.0.2.1:1/%2f");
        command.env("SUPPRESSD__REDIS__URL", "redis://192.0.2.1:1/");
    };
    let right = suppressd(shipped);
    assert_eq!((right.code, right.stderr.lines().count()), (Some(0), 2), "{right:?}");
    says(
        &right.stderr,
        &["amqp.url: passwords", "write amqps://", "redis.url: passwords", "write rediss://"],
    );
    let open = suppressd(|command| {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        shipped(command);
    });
    assert_eq!(open.code, Some(78), "{open:?}");
    says(
        &open.stderr,
        &["hashing.key_files[0]: ", "every user of this machine may open the file", "chmod o="],
    );
    for wrong in [&["unknown"][..], &["run", "--unknown"], &["run", "more"], &["--config"]] {
        let ended = suppressd(|command| _ = command.args(wrong));
        assert_eq!(ended.code, Some(64), "{wrong:?}: {ended:?}");
        assert!(ended.stdout.is_empty() && !ended.stderr.is_empty());
    }
    let help = suppressd(|command| _ = command.arg("--help"));
    assert_eq!(help.code, Some(0), "{help:?}");
    let version = suppressd(|command| _ = command.arg("--version"));
    assert_eq!((version.code, version.stdout.starts_with("suppressd ")), (Some(0), true), "{version:?}");
}
