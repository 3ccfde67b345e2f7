//! The clients in `deploy/examples/` of marketing systems and of senders: from a list of people to what is sent.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lapin::options::{QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};

use crate::scene::{Scene, event};
use crate::support::{Client, Finished, LONG, Stage, eventually};

const PUBLISHERS: [&str; 2] = ["campaign.py", "campaign.php"];
const SENDERS: [&str; 3] = ["sender.py", "sender.php", "Sender.java"];

/// Where Debian puts what the example in Java needs.
const JARS: &str = "/usr/share/java/amqp-client.jar:/usr/share/java/gson.jar:/usr/share/java/slf4j-api.jar:\
                    /usr/share/java/slf4j-nop.jar";

/// Runs an example in an empty environment.
fn run(example: &str, url: &str, arguments: &[&str], input: &str) -> Finished {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/examples").join(example);
    let mut command = if Path::new(example).extension().is_some_and(|it| it == "java") {
        let mut java = Command::new("/usr/bin/java");
        java.args(["-cp", JARS]).arg(path);
        java
    } else {
        Command::new(path)
    };
    command.env_clear().env("AMQP_URL", url).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("tests/run installs what the examples need");
    // One that refuses its arguments does not read.
    let _closed_already = child.stdin.take().expect("it is a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("an example prints UTF-8");
    Finished { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A sender's queue, as the examples declare it, there before the sender is.
async fn bind(guest: &Client, queue: &str) {
    let channel = guest.channel().await;
    let mut quorum = FieldTable::default();
    quorum.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), quorum).await.unwrap();
    let (exchange, key) = ("suppressd.filtered".into(), "sms.#".into());
    channel
        .queue_bind(queue.into(), exchange, key, QueueBindOptions::default(), FieldTable::default())
        .await
        .unwrap();
}

/// A directory for a sender to remember in.
fn memory(stage: &Stage, sender: &str) -> PathBuf {
    let done = stage.directory().join(sender);
    std::fs::create_dir_all(&done).expect("the directory is ours");
    done
}

/// Publishes a campaign to people of these numbers; how many jobs it became.
fn publish(scene: &Scene, publisher: &str, campaign: &str, more: &[&str], people: &[u32]) -> u64 {
    let recipient =
        |n: &u32| json!({"user_id": format!("U-{n}"), "phone": number(*n), "name": "Айгерім"}).to_string();
    let people: Vec<String> = people.iter().map(recipient).collect();
    let common = ["--campaign", campaign, "--channel", "sms", "--brand", "lulla.kz", "--region", "KZ-79"];
    let url = scene.stage.vhost.url("marketing");
    let done = run(publisher, &url, &[&common[..], more].concat(), &people.join("\n"));
    assert_eq!((done.code, &*done.stderr), (Some(0), ""), "{publisher}: {done:?}");
    let told: Value = serde_json::from_str(&done.stdout).expect("one line of JSON");
    assert_eq!(told["recipients"], people.len(), "{publisher}: {told}");
    told["jobs"].as_u64().expect("it says how many")
}

fn number(n: u32) -> String {
    format!("8 701 000 00 {n:02}")
}

/// Lets a sender take so many jobs; what it sent.
fn sent(scene: &Scene, sender: &str, done: &Path, jobs: u64) -> Vec<Value> {
    let (count, queue) = (jobs.to_string(), format!("sender.{sender}"));
    let url = scene.stage.vhost.url("sender");
    let arguments =
        ["--queue", &queue, "--key", "sms.#", "--done", done.to_str().unwrap(), "--count", &count];
    let ended = run(sender, &url, &arguments, "");
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{sender}: {ended:?}");
    ended.stdout.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_goes_to_everybody_once_but_to_those_who_opted_out() {
    let mut scene = Scene::new().await;
    scene.apply(event("e-1", "opt_out", json!({"phone": number(3)}))).await;
    let mut campaigns = scene.guest.inbox("test.campaigns", &[("suppressd.events", "report.campaign")]).await;
    for sender in SENDERS {
        bind(&scene.guest, &format!("sender.{sender}")).await;
    }
    let people: Vec<u32> = (1..=5).collect();
    for publisher in PUBLISHERS {
        let campaign = format!("nauryz by {publisher}");
        // Twice: as if RabbitMQ had not been heard the first time.
        for _ in 0..2 {
            let more = ["--part-size", "2", "--send-until", "2999-12-31T00:00:00+05:00"];
            assert_eq!(publish(&scene, publisher, &campaign, &more, &people), 3);
            for message in scene.out.take(3).await {
                let id = message.message_id().unwrap_or_default().to_owned();
                assert_eq!(message.routing_key, "sms.KZ-79");
                assert!(id.starts_with(&campaign) && id == message.json()["job_id"], "{id}");
                assert_eq!(message.json()["segments"][0]["recipients"][0]["name"], "Айгерім");
            }
        }
        let report = campaigns.next().await.json();
        assert_eq!((&report["campaign_id"], &report["parts"]), (&json!(campaign), &json!(3)), "{report}");
        let sums = &report["segments"][0];
        assert_eq!((&sums["kept"], &sums["removed"]["opt_out"]), (&json!(4), &json!(1)), "{report}");
    }
    let jobs = 2 * 3 * u64::try_from(PUBLISHERS.len()).unwrap();
    for sender in SENDERS {
        let done = memory(&scene.stage, sender);
        let first = sent(&scene, sender, &done, 1);
        assert!(!first.is_empty() && first.len() <= 2, "{sender}: one job, and not what else was on its way");
        let all: Vec<_> = first.into_iter().chain(sent(&scene, sender, &done, jobs - 1)).collect();
        let names: BTreeSet<_> = all.iter().map(|sent| sent["name"].as_str().unwrap()).collect();
        assert_eq!(names.len(), all.len(), "{sender}: nothing twice: {all:#?}");
        let mut to: Vec<_> = all.iter().map(|sent| sent["to"].as_str().unwrap().to_owned()).collect();
        to.sort_unstable();
        let expected: Vec<_> = [1, 2, 4, 5].iter().flat_map(|n| PUBLISHERS.map(|_| number(*n))).collect();
        assert_eq!(to, expected, "{sender}");
        scene.guest.expect_count(&format!("sender.{sender}"), 0).await;
    }
    scene.receipts.expect_silence(std::time::Duration::ZERO).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_too_late_is_not_sent_and_what_is_packed_is() {
    let mut scene = Scene::new().await;
    for sender in SENDERS {
        bind(&scene.guest, &format!("sender.{sender}")).await;
    }
    publish(&scene, PUBLISHERS[0], "yesterday", &["--send-until", "2020-01-01T00:00:00+05:00"], &[1]);
    assert!(scene.reports.next().await.json()["past_send_until"] == true, "everybody is told");
    let job =
        crate::scene::job("packed", "sms", json!([{"phone": number(7)}, {"phone": 87_010_000_008_u64}]));
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(job.to_string().as_bytes()).unwrap();
    let packed = lapin::BasicProperties::default().with_content_encoding("gzip".into());
    scene.marketing.publish_with("suppressd.jobs", "sms.KZ-79", packed, &packer.finish().unwrap()).await;
    scene.out.take(2).await;
    for sender in SENDERS {
        let sent = sent(&scene, sender, &memory(&scene.stage, sender), 2);
        let expected = [
            json!({"name": "packed/0", "to": number(7)}),
            json!({"name": "packed/1", "to": 87_010_000_008_u64}),
        ];
        assert_eq!(sent, expected, "{sender}");
    }
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_binds_its_own_queue_and_is_told_when_rabbitmq_is_away() {
    let mut scene = Scene::new().await;
    for sender in SENDERS {
        let (queue, done) = (format!("sender.{sender}"), memory(&scene.stage, sender));
        let (url, campaign) = (scene.stage.vhost.url("sender"), format!("for {queue}"));
        let taking = tokio::task::spawn_blocking(move || {
            let done = done.to_str().unwrap();
            run(sender, &url, &["--queue", &queue, "--key", "sms.#", "--done", done, "--count", "1"], "")
        });
        // Whatever comes before the binding passes it by, so jobs come until one was taken.
        eventually("it has sent one", LONG, async || {
            publish(&scene, PUBLISHERS[0], &campaign, &[], &[1]);
            taking.is_finished().then_some(())
        })
        .await;
        let ended = taking.await.unwrap();
        assert_eq!((ended.code, ended.stdout.lines().count()), (Some(0), 1), "{sender}: {ended:?}");
    }
    while scene.out.next_within(std::time::Duration::from_millis(300)).await.is_some() {}
    scene.end().await;
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let nowhere = "amqp://a:b@127.0.0.1:1/x";
    let directory = tempfile::TempDir::new().unwrap();
    let done = directory.path().to_str().unwrap();
    let sender = ["--queue", "sender.sms", "--key", "sms.#", "--done", done];
    let campaign = ["--campaign", "c", "--channel", "sms", "--brand", "lulla.kz", "--region", "KZ-79"];
    let person = "{\"phone\": \"87771113111\"}";
    for (examples, arguments, url, input, code) in [
        (&SENDERS[..], &sender[..], nowhere, "", 69),
        (&SENDERS, &sender, "", "", 64),
        (&SENDERS, &sender[..4], nowhere, "", 64),
        (&SENDERS, &["--queue", "q", "--key", "k", "--done", "/nowhere"], nowhere, "", 64),
        (&PUBLISHERS, &campaign, nowhere, person, 69),
        (&PUBLISHERS, &campaign, "", person, 64),
        (&PUBLISHERS, &campaign[2..], nowhere, person, 64),
        (&PUBLISHERS, &campaign, nowhere, "87771113111 is no recipient", 65),
        (&PUBLISHERS, &campaign, nowhere, "[\"87771113111\"]", 65),
    ] {
        for example in examples {
            let ended = run(example, url, arguments, input);
            assert_eq!((ended.code, &*ended.stdout), (Some(code), ""), "{example} {arguments:?}: {ended:?}");
            assert_eq!(ended.stderr.lines().count(), 1, "{example}: a message, no trace: {ended:?}");
            assert!(!ended.stderr.contains("777"), "{example}: {ended:?}");
        }
    }
}
