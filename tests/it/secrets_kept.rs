//! Passwords and keys reach nobody: not the output of any command, not the log at its most talkative, not a page,
//! whether all goes well or the servers refuse.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::timeout;

use crate::support::certificates::{certificate, key};
use crate::support::{Stage, Worker};

/// What a wrong password is in these tests, and what stands where a secret does not belong.
const WRONG: &str = "hunter2-wrong";

/// How long a command may take in these tests.
const PATIENCE: Duration = Duration::from_secs(25);

/// What each command is called with. None may be missing: a new command comes here too.
fn arguments(command: &str, stage: &Stage) -> Vec<String> {
    let file = |name: &str| stage.directory().join(name).display().to_string();
    let opt_outs = file("opt-outs.csv");
    let words: &[&str] = match command {
        "run" | "init" | "check-config" | "doctor" | "rebuild" | "export" | "campaign" | "requests"
        | "keys" => &[],
        "dead" => &["list"],
        "generate" => &["man"],
        "look-up" => &["--user-id", "U-1"],
        "opt-out" => &["--user-id", "U-1", "--timeout", "5"],
        "import" => &[&opt_outs],
        "filter" => &[&opt_outs, "--channel", "sms", "--region", "KZ-79", "--brand", "lulla.kz"],
        "read-mail" => &[&file("mail.eml")],
        other => panic!("say in this table what `{other}` is called with, so that it is looked at too"),
    };
    [command].iter().chain(words).map(ToString::to_string).collect()
}

/// The commands that there are, by the program's own help.
fn commands() -> Vec<String> {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_suppressd")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, listed) = help.split_once("Commands:\n").unwrap();
    let lines = listed.lines().take_while(|line| !line.trim().is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let names: Vec<_> = names.map(ToOwned::to_owned).collect();
    assert!(names.len() > 10, "the help is read wrongly: {names:?}");
    names
}

/// Everything that must not be seen.
fn secrets() -> Vec<String> {
    let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
    let beside = |name: &str| Stage::key_file().with_file_name(name);
    let own_key = read(key("client").into());
    let line_of_the_key = own_key.lines().nth(1).unwrap().to_owned();
    let mut secrets = vec![
        read(Stage::key_file()).trim().to_owned(),
        read(Stage::key_file()).trim().to_uppercase(),
        read(beside("rabbitmq-suppressd.password")).trim().to_owned(),
        read(beside("redis-suppressd.password")).trim().to_owned(),
        line_of_the_key,
        WRONG.to_owned(),
    ];
    // Half of one is half of it given away.
    secrets.extend(secrets.clone().iter().map(|secret| secret[..secret.len() / 2].to_owned()));
    secrets
}

/// Fails if a text holds a secret, and does not say which.
fn look(what: &str, text: &str) {
    for (nth, secret) in secrets().iter().enumerate() {
        // The secret itself must not come into the test's log either.
        assert!(!text.contains(secret.as_str()), "{what} shows secret number {nth}");
    }
}

/// Runs every command at once and looks at all that comes out of them.
async fn every_command(stage: &Stage, round: &str) {
    let begun = commands().into_iter().map(|command| {
        let words = arguments(&command, stage);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let name = format!("{round}-{command}");
        let running = match command.as_str() {
            "run" => stage.start(&name),
            _ => stage.begin(&name, &words),
        };
        (command, running)
    });
    let begun: Vec<(String, Worker)> = begun.collect();
    for (command, running) in begun.iter().filter(|(command, _)| command != "run") {
        // Some wait for a server that will not let them in for as long as it takes.
        if timeout(PATIENCE, running.exit_code()).await.is_err() {
            running.kill9();
        }
        look(&format!("{command}, {round}"), &running.output());
    }
    let (_, worker) = begun.iter().find(|(command, _)| command == "run").unwrap();
    for page in ["/ready", "/metrics", "/live", "/"] {
        if let Ok(answer) = worker.get(page) {
            look(&format!("{page}, {round}"), &answer.body);
        }
    }
    worker.sigterm();
    worker.exit_code().await;
    assert!(!worker.output().is_empty(), "the worker logs at its most talkative");
    look(&format!("run, {round}"), &worker.output());
}

/// A stage with a file for each command that reads one, and the most talkative log.
fn prepared() -> Stage {
    let mut stage = Stage::new();
    std::fs::write(stage.directory().join("opt-outs.csv"), "user_id,phone\nU-1,87771112233\n").unwrap();
    std::fs::write(stage.directory().join("mail.eml"), "From: a@b.kz\r\n\r\nSTOP\r\n").unwrap();
    stage.configure("[log]\nlevel = \"trace\"\nformat = \"json\"\n");
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_shows_a_secret_when_all_is_well() {
    let stage = prepared();
    stage.init();
    let worker = stage.start("other");
    worker.wait_ready().await;
    every_command(&stage, "well").await;
    worker.sigterm();
    worker.exit_code().await;
    look("another worker", &worker.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_shows_a_secret_when_a_server_refuses_it() {
    let mut stage = prepared();
    stage.init();
    let url = stage.vhost.url("suppressd");
    let (login, place) = url.split_once('@').unwrap();
    let user = login.rsplit_once(':').unwrap().0;
    stage.configure(&format!("[amqp]\nurl = \"{user}:{WRONG}@{place}\"\n"));
    every_command(&stage, "rabbitmq refuses").await;
    stage.configure(&format!("[amqp]\nurl = \"{url}\"\n"));
    let refused = stage.redis.url();
    let (_, place) = refused.split_once('@').unwrap();
    stage.configure(&format!("[redis]\nurl = \"redis://suppressd:{WRONG}@{place}\"\n"));
    every_command(&stage, "redis refuses").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_shows_a_secret_that_stands_in_the_wrong_place() {
    let mut stage = prepared();
    stage.configure(&format!(
        "[amqp]\nurl = \"amqps://{WRONG}:{WRONG}@127.0.0.1:1/{WRONG}/{WRONG}\"\nprefix = \"{WRONG} {WRONG}\"\n\
         cert_file = \"{}\"\nkey_file = \"{}\"\nca_file = \"{}\"\n\
         [redis]\nurl = \"{WRONG}\"\npassword_file = \"{WRONG}\"\n[hashing]\nkey_files = [\"{WRONG}\"]\n",
        certificate("client"),
        key("client"),
        key("client"),
    ));
    for command in commands() {
        let words = arguments(&command, &stage);
        let finished = stage.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        look(&command, &(finished.stdout + &finished.stderr));
    }
}
