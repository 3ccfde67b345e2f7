//! The guide's first steps, as they stand there: whoever copies them has a filtered job in the end.
//!
//! Absent: what they install and build. The servers are the tests' own, so their addresses differ.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::ports::free_port;
use crate::support::{Kept, LONG, Stage, eventually};

/// The blocks of one kind in the first steps, in their order.
fn blocks(kind: &str) -> Vec<String> {
    let guide = std::fs::read_to_string(top().join("README.md")).expect("the guide is there");
    let (_, steps) =
        guide.split_once("\n## From nothing to a first filtered job\n").expect("it has first steps");
    let (steps, _) = steps.split_once("\n## ").expect("more follows");
    let fenced = steps.split("\n```").skip(1).step_by(2);
    fenced.filter_map(|block| block.strip_prefix(&format!("{kind}\n"))).map(ToOwned::to_owned).collect()
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Whether a line is as it is shown, where `…` stands for anything.
fn is_as_shown(line: &str, shown: &str) -> bool {
    match shown.split_once('…') {
        Some((begin, end)) => line.starts_with(begin) && line.ends_with(end),
        None => line == shown,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_the_first_steps_of_the_guide_gets_a_filtered_job() {
    let stage = Stage::new();
    for shipped in ["config", "deploy"] {
        std::os::unix::fs::symlink(top().join(shipped), stage.directory().join(shipped)).unwrap();
    }
    let ours = ["sudo apt-get install ", "cargo build ", "export PATH="];
    let steps = blocks("sh").join("\n");
    let steps = steps.lines().filter(|line| !ours.iter().any(|begin| line.starts_with(begin)));
    let steps = steps.collect::<Vec<_>>().join("\n");
    let address = "amqp://guest:guest@127.0.0.1:5672/%2f";
    assert!(steps.contains(address), "the examples are told where RabbitMQ is:\n{steps}");
    let steps = steps.replace(address, &stage.vhost.url("guest"));

    let program = Path::new(env!("CARGO_BIN_EXE_suppressd")).parent().expect("it is in a directory");
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", &format!("{steps}\nkill %1\nwait %1\n")]);
    shell.env_clear().env("PATH", format!("{}:/usr/bin:/bin", program.display()));
    shell.env("SUPPRESSD__AMQP__URL", stage.vhost.url("suppressd"));
    shell.env("SUPPRESSD__REDIS__URL", stage.redis.url());
    shell.env("SUPPRESSD__ADMIN__LISTEN", format!("127.0.0.1:{}", free_port()));
    shell.current_dir(stage.directory());
    let mut shell = Kept::start(shell, stage.directory(), "first-steps");
    let status = eventually("the first steps are done", LONG, async || shell.try_status()).await;

    let told = std::fs::read_to_string(stage.directory().join("first-steps.out")).unwrap();
    let shown = blocks("text").join("\n");
    assert!(status.success(), "{status}:\n{told}{}", shell.last_words());
    let (told, shown): (Vec<_>, Vec<_>) = (told.lines().collect(), shown.lines().collect());
    let agree =
        told.len() == shown.len() && told.iter().zip(&shown).all(|(line, shown)| is_as_shown(line, shown));
    assert!(agree && !shown.is_empty(), "README.md shows:\n{shown:#?}\nit was:\n{told:#?}");
}
