//! Making the lists by the product's own import, and what a list costs: time, memory of the worker and of Redis.

use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;

use crate::people;
use crate::process::resident_bytes;
use crate::rounds::Bench;
use crate::scene::Scene;
use crate::support::{Kept, eventually};

/// Until the ledger's last line is in the list.
const APPLY_TIME_MAX: Duration = Duration::from_mins(6);

/// Lines of the file that is imported when everything else was measured.
const ADDRESSES: u64 = 400_000;

/// People in one pipeline to the peers' Redis.
const SET_CHUNK: u64 = 5_000;

/// What one list costs.
#[derive(Debug, Clone)]
pub(crate) struct Costs {
    /// Identifiers on it.
    pub(crate) list: u64,
    /// Lines that were imported: three identifiers each.
    pub(crate) lines: u64,
    /// How long the import ran, ledger included.
    pub(crate) imported: Duration,
    /// How long until the worker that ran beside it had all of it.
    pub(crate) applied: Duration,
    /// Bytes of the worker that an identifier takes.
    pub(crate) worker_bytes: f64,
    /// Bytes of Redis that an identifier takes.
    pub(crate) redis_bytes: f64,
    /// From a worker's start until it is ready, with all of it.
    pub(crate) cold_start: Duration,
}

/// Imports a list while a worker runs, as an installation would.
pub(crate) async fn make(scene: &Scene) -> Costs {
    let file = scene.file("list.csv");
    write_csv(&file, scene.people()).expect("the file can be written");
    let worker = scene.stage.start("maker");
    worker.wait_ready().await;
    let empty = resident_bytes(worker.pid());
    let empty_redis = used_memory(scene).await;
    let started = Instant::now();
    import(scene, &file).await;
    let imported = started.elapsed();
    eventually("the list is applied", APPLY_TIME_MAX, async || {
        let revision = worker.metrics().sum("suppressd_mirror_revision", &[]);
        (revision >= scene.people() as f64).then_some(())
    })
    .await;
    let applied = started.elapsed();
    worker.sigterm();
    worker.exit_code().await;
    std::fs::remove_file(&file).expect("the file is ours");
    let (cold_start, full) = cold_start(scene).await;
    let costs = Costs {
        list: scene.list,
        lines: scene.people(),
        imported,
        applied,
        worker_bytes: (full - empty) / scene.list as f64,
        redis_bytes: (used_memory(scene).await - empty_redis) / scene.list as f64,
        cold_start,
    };
    eprintln!("{costs:?}");
    costs
}

/// Imports addresses of people who are in no job while a worker runs: lines a second until it has all of them.
pub(crate) async fn add_addresses(scene: &Scene) -> f64 {
    let file = scene.file("addresses.csv");
    write_addresses(&file).expect("the file can be written");
    let worker = scene.stage.start("addresses");
    worker.wait_ready().await;
    let revision = || worker.metrics().sum("suppressd_mirror_revision", &[]);
    let (before, started) = (revision(), Instant::now());
    import(scene, &file).await;
    let all = before + ADDRESSES as f64;
    eventually("the addresses are applied", APPLY_TIME_MAX, async || (revision() >= all).then_some(())).await;
    let speed = ADDRESSES as f64 / started.elapsed().as_secs_f64();
    worker.sigterm();
    worker.exit_code().await;
    std::fs::remove_file(&file).expect("the file is ours");
    speed
}

fn write_addresses(path: &Path) -> std::io::Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    writeln!(file, "email")?;
    for number in 0..ADDRESSES {
        writeln!(file, "somebody{number}@elsewhere.kz")?;
    }
    file.flush()
}

/// A line a person, as a customer's system would write it.
fn write_csv(path: &Path, people: u64) -> std::io::Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    writeln!(file, "user_id,email,phone")?;
    let mut line = String::new();
    for person in 0..people {
        line.clear();
        let [id, email, phone] = people::identifiers(person).map(|(_, canonical)| canonical);
        writeln!(line, "{id},{email},{phone}").expect("a String takes text");
        file.write_all(line.as_bytes())?;
    }
    file.flush()
}

async fn import(scene: &Scene, file: &Path) {
    let path = file.display().to_string();
    let command = scene.stage.command(&["import", &path, "--format", "csv", "--json"]);
    let mut import = Kept::start(command, scene.stage.directory(), "import");
    let status = eventually("the import ends", APPLY_TIME_MAX, async || import.try_status()).await;
    assert!(status.success(), "suppressd import: {}", import.last_words());
}

/// Starts a worker on the list: how long until it is ready, and the memory that it then has.
async fn cold_start(scene: &Scene) -> (Duration, f64) {
    let started = Instant::now();
    let worker = scene.stage.start("cold");
    worker.wait_ready().await;
    let took = started.elapsed();
    let bytes = resident_bytes(worker.pid());
    worker.sigterm();
    worker.exit_code().await;
    (took, bytes)
}

/// Bytes that Redis has for data, in rest.
async fn used_memory(scene: &Scene) -> f64 {
    let info: String = redis::cmd("INFO")
        .arg("memory")
        .query_async(&mut scene.stage.redis.connect().await)
        .await
        .expect("it tells");
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory:")).expect("Redis says so");
    line.trim().parse().expect("a number")
}

/// The same people as plain identifiers, in three sets a list: what the peers ask.
pub(crate) async fn fill_sets(bench: &Bench) {
    let mut redis = bench.peers.connect().await;
    for scene in bench.compared() {
        let mut person = 0;
        while person < scene.people() {
            let end = (person + SET_CHUNK).min(scene.people());
            add(&mut redis, scene.list, person..end).await;
            person = end;
        }
    }
}

async fn add(redis: &mut MultiplexedConnection, list: u64, people: std::ops::Range<u64>) {
    let mut forms: [(String, Vec<String>); 3] = Default::default();
    for person in people {
        for ((name, forms), (kind, canonical)) in forms.iter_mut().zip(people::identifiers(person)) {
            if name.is_empty() {
                *name = format!("{list}:{}", kind.as_str());
            }
            forms.push(canonical);
        }
    }
    let mut pipeline = redis::pipe();
    for (name, forms) in forms {
        pipeline.cmd("SADD").arg(name).arg(forms).ignore();
    }
    pipeline.query_async::<()>(redis).await.expect("Redis takes the sets");
}
