//! TLS to RabbitMQ and Redis with real certificates: who is talked to, as whom, and what is said otherwise, by a worker
//! and by `suppressd doctor`.
//!
//! RabbitMQ opens a port for each certificate that a test wants to see, beside the plain one that everybody else uses.

use serde_json::{Value, json};

use crate::scene::{Scene, event};
use crate::support::certificates::{certificate, key};
use crate::support::ports::free_port;
use crate::support::{Broker, Persistence, Redis, SOON, Stage, Worker, eventually};

/// Whether a server takes clients without a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    Nothing,
    Certificate,
}

/// A port at which the shared RabbitMQ shows this certificate.
fn rabbitmq(shown: &str, asks: Asks) -> u16 {
    let port = free_port();
    let (certificate, key, authority) = (certificate(shown), key(shown), certificate("ca"));
    let verify = match asks {
        Asks::Nothing => "{verify, verify_none}",
        Asks::Certificate => "{verify, verify_peer}, {fail_if_no_peer_cert, true}",
    };
    Broker::shared().eval(&format!(
        "rabbit_networking:ensure_ssl(), ok = rabbit_networking:start_ssl_listener({{\"127.0.0.1\", {port}}}, \
         [{{certfile, \"{certificate}\"}}, {{keyfile, \"{key}\"}}, {{cacertfile, \"{authority}\"}}, {verify}], 1)."
    ));
    port
}

/// A Redis with a port for TLS, which shows this certificate.
fn redis(stage: &Stage, shown: &str, asks: Asks) -> (Redis, u16) {
    let port = free_port();
    let asks = if asks == Asks::Certificate { "yes" } else { "no" };
    let redis = Redis::start_with(
        stage.directory(),
        Persistence::EverySecond,
        &[
            ["--tls-port", &port.to_string()],
            ["--tls-cert-file", &certificate(shown)],
            ["--tls-key-file", &key(shown)],
            ["--tls-ca-cert-file", &certificate("ca")],
            ["--tls-auth-clients", asks],
        ]
        .concat(),
    );
    (redis, port)
}

/// A URL with TLS at another port.
fn secured(url: &str, port: u16) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (login, rest) = rest.split_once('@').unwrap();
    let (_, path) = rest.split_once('/').unwrap();
    format!("{scheme}s://{login}@127.0.0.1:{port}/{path}")
}

fn amqp_at(stage: &Stage, port: u16) -> String {
    format!("[amqp]\nurl = \"{}\"\n", secured(&stage.vhost.url("suppressd"), port))
}

fn redis_at(redis: &Redis, port: u16) -> String {
    format!("[redis]\nurl = \"{}\"\n", secured(&redis.url(), port))
}

fn trusting(authority: &str) -> String {
    format!("ca_file = \"{}\"\n", certificate(authority))
}

fn coming_as(name: &str) -> String {
    format!("cert_file = \"{}\"\nkey_file = \"{}\"\n", certificate(name), key(name))
}

/// A worker that trusts `stranger` where its settings name nobody, whatever this machine does.
fn start(stage: &Stage, name: &str) -> Worker {
    stage.start_with(name, |command| {
        command.env("SSL_CERT_FILE", certificate("stranger"));
    })
}

/// Waits until a dependency is not ready, and why has this in it.
async fn says(worker: &Worker, dependency: &str, words: &str) {
    let what = format!("{dependency}: {words}");
    let look = async || {
        let ready = worker.get("/ready").ok()?.json();
        let state: &Value = &ready["dependencies"][dependency];
        (state["ready"] == false && state["why"].as_str()?.contains(words)).then_some(())
    };
    let said = tokio::time::timeout(SOON, eventually(&what, SOON * 2, look)).await;
    assert!(said.is_ok(), "not said: {what}; it says {}", worker.get("/ready").unwrap().body);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_over_tls_where_the_urls_say_so() {
    let mut stage = Stage::new();
    let (redis, redis_port) = redis(&stage, "server", Asks::Nothing);
    let amqp_port = rabbitmq("server", Asks::Nothing);
    stage.configure(&format!("{}{}", amqp_at(&stage, amqp_port), trusting("ca")));
    stage.configure(&format!(
        "{}{}response_timeout_ms = 1000\n",
        redis_at(&redis, redis_port),
        trusting("ca")
    ));
    stage.redis = redis;
    let mut scene = Scene::on(stage).await;
    scene.apply(event("e-1", "opt_out", json!({"user_id": "U-canary"}))).await;
    let large: Vec<_> = (0..20_000).map(|n| json!({"user_id": format!("U-{n}")})).collect();
    let (kept, _) = scene.kept("sms", json!([large, vec![json!({"user_id": "U-canary"})]].concat())).await;
    assert_eq!(kept.len(), 20_000);
    scene.stage.redis.freeze();
    scene.worker.wait_not_ready().await;
    scene.stage.redis.thaw();
    scene.worker.wait_ready().await;
    scene.apply(event("e-2", "opt_out", json!({"user_id": "U-canary-2"}))).await;

    assert_eq!(connections(&scene.stage, "false"), 0, "none in the clear");
    assert!(connections(&scene.stage, "true") > 0);
    let redis::Value::BulkString(clients) = scene.stage.redis.run("CLIENT LIST").await else { panic!() };
    let clients = String::from_utf8(clients).unwrap();
    let ours: Vec<_> = clients.lines().filter(|line| line.contains("user=suppressd")).collect();
    let tls = format!("laddr=127.0.0.1:{redis_port}");
    assert!(!ours.is_empty() && ours.iter().all(|line| line.contains(&tls)), "{clients}");
    scene.end().await;
}

/// How many connections the worker's user has, with TLS (`true`) or without.
fn connections(stage: &Stage, tls: &str) -> usize {
    let vhost = stage.vhost.name();
    let count = Broker::shared().eval(&format!(
        "length([C || C <- rabbit_networking:connections(), \
         rabbit_reader:info(C, [user, ssl, vhost]) == [{{user, <<\"suppressd\">>}}, {{ssl, {tls}}}, \
         {{vhost, <<\"{vhost}\">>}}]])."
    ));
    count.trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rabbitmq_that_is_not_shown_to_be_itself_is_not_talked_to() {
    let mut stage = Stage::new();
    for (shown, trusted, words) in [
        ("server", None, "set amqp.ca_file to the certificate of its authority"),
        ("server", Some("stranger"), "no authority in amqp.ca_file has signed"),
        ("strange", Some("ca"), "no authority in amqp.ca_file has signed"),
        ("expired", Some("ca"), "has expired: renew it"),
        ("elsewhere", Some("ca"), "amqp.url must name the server as its certificate does"),
        ("ca", Some("ca"), "shows an authority's own certificate"),
    ] {
        let port = rabbitmq(shown, Asks::Nothing);
        stage.configure(&(amqp_at(&stage, port) + &trusted.map(trusting).unwrap_or_default()));
        let worker = start(&stage, "w1");
        says(&worker, "amqp", words).await;
        assert_eq!(worker.get("/ready").unwrap().status, 503);
    }
    // RabbitMQ's plain port.
    let plain = stage.vhost.url("suppressd").replace("amqp://", "amqps://");
    stage.configure(&format!("[amqp]\nurl = \"{plain}\"\n"));
    says(&start(&stage, "w1"), "amqp", "does not speak TLS at this port").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rabbitmq_that_asks_for_a_certificate_is_shown_ours() {
    let mut stage = Stage::new();
    stage.init();
    let port = rabbitmq("server", Asks::Certificate);
    stage.configure(&(amqp_at(&stage, port) + &trusting("ca")));
    says(&start(&stage, "w1"), "amqp", "amqp.cert_file").await;
    stage.configure(&format!("[amqp]\n{}", coming_as("strange")));
    says(&start(&stage, "w2"), "amqp", "refuses our certificate").await;
    stage.configure(&format!("[amqp]\n{}", coming_as("client")));
    start(&stage, "w3").wait_ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_not_shown_to_be_itself_is_not_talked_to_until_it_is() {
    let mut stage = Stage::new();
    let (redis, port) = redis(&stage, "server", Asks::Nothing);
    stage.configure(&redis_at(&redis, port));
    stage.redis = redis;
    says(&start(&stage, "w1"), "redis", "set redis.ca_file to the certificate of its authority").await;
    stage.configure(&format!("[redis]\n{}", trusting("ca")));
    stage.init();
    let worker = start(&stage, "w2");
    worker.wait_ready().await;
    for (shown, words) in [
        ("strange", "no authority in redis.ca_file has signed"),
        ("expired", "has expired: renew it"),
        ("elsewhere", "redis.url must name the server as its certificate does"),
    ] {
        show(&stage, shown).await;
        says(&worker, "redis", words).await;
    }
    show(&stage, "server").await;
    worker.wait_ready().await;
}

/// Lets the stage's Redis show another certificate, to everybody anew.
async fn show(stage: &Stage, name: &str) {
    let (certificate, key) = (certificate(name), key(name));
    stage.redis.run(&format!("CONFIG SET tls-cert-file {certificate} tls-key-file {key}")).await;
    stage.redis.run("CLIENT KILL TYPE normal").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_asks_for_a_certificate_is_shown_ours() {
    let mut stage = Stage::new();
    let (redis, port) = redis(&stage, "server", Asks::Certificate);
    stage.configure(&(redis_at(&redis, port) + &trusting("ca")));
    stage.redis = redis;
    says(&start(&stage, "w1"), "redis", "redis.cert_file").await;
    stage.configure(&format!("[redis]\n{}", coming_as("strange")));
    says(&start(&stage, "w2"), "redis", "refuses our certificate").await;
    stage.configure(&format!("[redis]\n{}", coming_as("client")));
    stage.init();
    start(&stage, "w3").wait_ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_of_no_use_for_tls_is_said_before_anything_is_connected_to() {
    let mut stage = Stage::new();
    let url = secured(&stage.redis.url(), 1);
    for (settings, words) in [
        (format!("url = \"{url}#insecure\""), "redis.url: #insecure would take any server"),
        (format!("url = \"{url}\"\nca_file = \"{}\"", key("ca")), "redis.ca_file: holds no certificate"),
        (
            format!(
                "ca_file = \"{0}\"\ncert_file = \"{0}\"\nkey_file = \"{1}\"",
                certificate("ca"),
                key("client")
            ),
            "redis.key_file: is not the private key of the certificate in redis.cert_file",
        ),
    ] {
        stage.configure(&format!("[redis]\n{settings}\n"));
        let checked = stage.run(&["check-config"]);
        assert_eq!(checked.code, Some(78), "{checked:?}");
        assert!(checked.stderr.contains(words), "{}", checked.stderr);
    }
}

/// What `suppressd doctor` says of a server: its state, what was found and what to do. Nobody is trusted where the
/// settings name nobody.
fn diagnosis(stage: &Stage, server: &str) -> (String, String, String) {
    let mut command = stage.command(&["doctor", "--json"]);
    let output = command.env("SSL_CERT_FILE", certificate("stranger")).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == server);
    let check = check.unwrap_or_else(|| panic!("no {server} in {report}"));
    let text = |member: &str| check[member].as_str().unwrap_or_default().to_owned();
    (text("state"), text("found"), text("do"))
}

fn must_explain(stage: &Stage, server: &str, words: &str) {
    let (state, found, to_do) = diagnosis(stage, server);
    assert_eq!(state, "unavailable", "{found}");
    assert!(found.contains(words), "{server}: {words}: {found}");
    assert!(to_do.contains("certificate") && !to_do.contains("start"), "it runs already: {to_do}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_looks_over_tls_and_explains_the_certificates_that_it_does_not_believe() {
    let mut stage = Stage::new();
    let (redis, redis_port) = redis(&stage, "server", Asks::Certificate);
    stage.configure(&format!("{}{}{}", redis_at(&redis, redis_port), trusting("ca"), coming_as("client")));
    stage.redis = redis;
    let amqp_port = rabbitmq("server", Asks::Certificate);
    stage.configure(&format!("{}{}{}", amqp_at(&stage, amqp_port), trusting("ca"), coming_as("client")));
    stage.init();
    for (server, port) in [("rabbitmq", amqp_port), ("redis", redis_port)] {
        let (state, found, _) = diagnosis(&stage, server);
        assert_eq!(state, "ok", "{found}");
        assert!(found.contains(&format!("127.0.0.1:{port}")), "{found}");
    }

    for (shown, words) in [
        ("expired", "has expired: renew it"),
        ("strange", "no authority in redis.ca_file has signed"),
        ("elsewhere", "redis.url must name the server as its certificate does"),
    ] {
        show(&stage, shown).await;
        must_explain(&stage, "redis", words);
    }
    let (state, found, _) = diagnosis(&stage, "rabbitmq");
    assert_eq!(state, "ok", "the other server is looked at all the same: {found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_explains_a_rabbitmq_that_it_does_not_believe() {
    let mut stage = Stage::new();
    stage.init();
    for (shown, words) in [
        ("expired", "has expired: renew it"),
        ("strange", "no authority in amqp.ca_file has signed"),
        ("elsewhere", "amqp.url must name the server as its certificate does"),
    ] {
        let port = rabbitmq(shown, Asks::Nothing);
        stage.configure(&(amqp_at(&stage, port) + &trusting("ca")));
        must_explain(&stage, "rabbitmq", words);
    }
    assert_eq!(diagnosis(&stage, "redis").0, "ok", "the other server is looked at all the same");
}
