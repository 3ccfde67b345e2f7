//! On what it was measured, and the core benchmark, which is a program of its own.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::plan::Plan;
use crate::support::{Kept, eventually, leash};

/// It takes half a minute.
const CORE_TIME_MAX: Duration = Duration::from_mins(3);

/// What the results say of the machine.
pub(crate) fn describe(plan: &Plan) -> Vec<(String, String)> {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let named = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split(':').nth(1).unwrap_or("unknown").trim().to_owned()
    };
    let kibibytes: f64 = named(&memory, "MemTotal").trim_end_matches(" kB").parse().unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let mut lines = vec![
        ("processor", format!("{cores} cores of {}", named(&cpuinfo, "model name"))),
        ("memory", format!("{:.0} GiB", kibibytes / f64::from(1 << 20))),
        ("kernel", said("uname", &["-sr"])),
        ("RabbitMQ", said("dpkg-query", &["-W", "-f=${Version}", "rabbitmq-server"])),
        ("Redis", said("redis-server", &["--version"]).split(' ').nth(2).unwrap_or("unknown").to_owned()),
        ("Rust", said("rustc", &["--version"])),
    ];
    if let Some(python) = &plan.python {
        let versions = "import sys, pika, redis\ntry:\n import orjson; j = 'orjson ' + orjson.__version__\n\
            except ImportError: j = 'json instead of orjson'\n\
            print(sys.version.split()[0] + ', pika', pika.__version__ + ', redis-py', redis.__version__ + ',', j)";
        lines.push(("Python", said(&python.display().to_string(), &["-c", versions])));
    }
    lines.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn said(program: &str, arguments: &[&str]) -> String {
    let ran = Command::new(program).args(arguments).output();
    let text = ran.map(|ran| String::from_utf8_lossy(&ran.stdout).trim().to_owned()).unwrap_or_default();
    if text.is_empty() { "unknown".into() } else { text }
}

/// Runs the core benchmark on the longest list: million recipients a second.
pub(crate) async fn core(program: &Path, plan: &Plan) -> f64 {
    let list = plan.lists.last().expect("there is a list").to_string();
    let mut command = Command::new(program);
    command.args(["--list", &list]);
    let directory = leash::directory("core-");
    let mut ran = Kept::start(command, &directory, "core");
    let status = eventually("the core benchmark ends", CORE_TIME_MAX, async || ran.try_status()).await;
    assert!(status.success(), "the core benchmark: {}", ran.last_words());
    let text = std::fs::read_to_string(directory.join("core.out")).expect("it has printed");
    eprintln!("{text}");
    let line = text.lines().find_map(|line| line.strip_prefix("core: ")).expect("it ends with its speed");
    line.split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}
