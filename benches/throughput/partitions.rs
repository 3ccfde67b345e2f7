//! One worker on one core, and two on a core each: how far another worker helps on this machine.
//!
//! RabbitMQ and Redis run wherever the kernel puts them, so on few cores they and the workers share. Then the
//! processor bounds the sum, and the table says how busy each was.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::contenders::watch;
use crate::plan::Plan;
use crate::process::cpu_seconds;
use crate::scene::{Scene, THOUSAND};
use crate::support::Worker;

/// How long one of the runs may take beyond its share.
const PATIENCE: Duration = Duration::from_mins(1);

/// Repetitions, interleaved.
const ROUNDS: usize = 3;

/// The medians.
#[derive(Debug, Clone)]
pub(crate) struct Partitions {
    /// Recipients a second of one worker, each round.
    pub(crate) one: Vec<f64>,
    /// Of two together.
    pub(crate) two: Vec<f64>,
    /// Cores that the workers, RabbitMQ and Redis were busy on, with one and with two.
    pub(crate) cores: [[f64; 3]; 2],
}

/// Measures both in turn.
pub(crate) async fn measure(plan: &Plan, scene: &Scene, expected: f64) -> Partitions {
    let mut found = Partitions { one: vec![], two: vec![], cores: [[0.0; 3]; 2] };
    for _ in 0..ROUNDS {
        let (one, cores) = run(plan, scene, expected, &[0]).await;
        found.one.push(one);
        found.cores[0] = cores;
        let (two, cores) = run(plan, scene, expected, &[0, 1]).await;
        found.two.push(two);
        found.cores[1] = cores;
    }
    found
}

/// A worker on each of these cores.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousand jobs")]
async fn run(plan: &Plan, scene: &Scene, expected: f64, cores: &[usize]) -> (f64, [f64; 3]) {
    let jobs = (expected * plan.length.as_secs_f64() / THOUSAND.recipients as f64) as u64;
    // Every worker is ready before there are jobs, and takes none meanwhile: a list loads for seconds.
    scene.empty().await;
    let workers: Vec<Worker> = cores.iter().map(|core| start(scene, *core)).collect();
    for worker in &workers {
        worker.wait_ready().await;
        worker.freeze();
    }
    let filled = scene.fill(THOUSAND, jobs, scene.list).await;
    workers.iter().for_each(Worker::thaw);
    let cpu = || workers.iter().map(|worker| cpu_seconds(worker.pid())).sum::<f64>();
    let (began, before) = (Instant::now(), cpu());
    let pids = [workers[0].pid(), scene.stage.vhost.broker().pid(), scene.stage.redis.pid()];
    let watched = watch(scene, &filled, pids, PATIENCE).await;
    let busy = (cpu() - before) / began.elapsed().as_secs_f64();
    for worker in &workers {
        worker.sigterm();
        worker.exit_code().await;
    }
    filled.check(&watched.outputs, true);
    let speed = watched.jobs as f64 * THOUSAND.recipients as f64 / watched.length.as_secs_f64();
    (speed, [busy, watched.cores[1], watched.cores[2]])
}

fn start(scene: &Scene, core: usize) -> Worker {
    scene.stage.start_with(&format!("core-{core}"), |command| *command = pinned(command, core))
}

/// The same command on one core.
fn pinned(command: &Command, core: usize) -> Command {
    let mut pinned = Command::new("taskset");
    pinned.arg("-c").arg(core.to_string()).arg(command.get_program()).args(command.get_args()).env_clear();
    pinned.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(directory) = command.get_current_dir() {
        pinned.current_dir(directory);
    }
    pinned
}
