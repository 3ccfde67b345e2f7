//! The rules of the house that no compiler checks, each with its reason in its message.
//!
//! The sources are read as text: fast, no build, and a rule is a few lines. A rule that is wrong is changed
//! here, with a better reason; there are no exceptions by comment.

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Which parts of `src/` a part may name. Arrows point down, as the map in `src/lib.rs` says.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("codec", &["domain"]),
    ("mirror", &["domain"]),
    ("metrics", &["domain"]),
    ("clean", &["codec", "mirror", "domain"]),
    ("bulk", &["clean", "codec", "domain"]),
    ("fail_points", &[]),
    ("tls", &[]),
    ("service", &["codec", "mirror", "domain", "metrics", "fail_points"]),
    ("amqp", &["service", "codec", "mirror", "domain", "metrics", "fail_points", "tls"]),
    ("store", &["service", "codec", "mirror", "domain", "metrics", "tls"]),
    ("mailbox", &["service", "codec", "mirror", "domain", "metrics", "tls"]),
    ("otlp", &["service", "domain", "metrics", "tls"]),
    ("admin", &["service", "codec", "mirror", "domain", "metrics"]),
    ("telemetry", &["service", "codec", "mirror", "domain", "metrics"]),
    ("settings", &["service", "codec", "mirror", "domain", "tls"]),
    ("shutdown", &[]),
    ("daemon", EVERYTHING),
    ("cli", EVERYTHING),
    ("lib", EVERYTHING),
    ("main", EVERYTHING),
];

const EVERYTHING: &[&str] = &[
    "domain",
    "codec",
    "mirror",
    "metrics",
    "clean",
    "bulk",
    "fail_points",
    "tls",
    "service",
    "amqp",
    "store",
    "mailbox",
    "otlp",
    "admin",
    "telemetry",
    "settings",
    "shutdown",
    "daemon",
    "cli",
];

/// The one part of `src/` that knows a vendor; two that know another side of it.
const VENDORS: &[(&str, &[&str])] = &[
    ("lapin", &["amqp"]),
    ("redis", &["store"]),
    ("axum", &["admin"]),
    // One serves, the other calls.
    ("hyper", &["admin", "otlp"]),
    ("hyper_util", &["admin", "otlp"]),
    ("http_body_util", &["otlp"]),
    ("opentelemetry_proto", &["otlp"]),
    ("prost", &["otlp"]),
    ("prometheus", &["metrics"]),
    ("config", &["settings"]),
    ("async_imap", &["mailbox"]),
    ("mail_parser", &["codec"]),
    ("encoding_rs", &["codec"]),
    ("clap", &["cli"]),
    ("tracing_subscriber", &["telemetry"]),
];

/// What would let I/O, time, tasks, logs or wire formats into `domain/`.
const IMPURE: &[&str] = &[
    "tokio::",
    "futures_util::",
    "tracing::",
    "serde::",
    "serde_json::",
    "std::time::",
    "std::fs::",
    "std::net::",
    "std::env::",
    "std::io::",
    "std::thread::",
    "std::process::",
    "async fn ",
    "async move ",
    ".await",
    "Timestamp::now",
    "Zoned::now",
    "getrandom::",
];

const FILE_LINES_MAX: usize = 500;

const TOP_LEVEL: &[&str] =
    &["Cargo.toml", "Cargo.lock", "README.md", "benches", "config", "deploy", "src", "target", "tests"];

/// One file with its path relative to the top and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// `src/amqp/topology.rs` belongs to `amqp`, `src/main.rs` to `main`; nothing outside `src/` does.
    fn part(&self) -> Option<&str> {
        let below = self.path.strip_prefix("src/")?;
        let first = below.split('/').next()?;
        Some(first.strip_suffix(".rs").unwrap_or(first))
    }

    /// The lines with their numbers, comments cut off.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, without_comment(line)))
    }
}

/// Cuts a line's comment off. The slashes of a URL follow a colon and do not begin one.
fn without_comment(line: &str) -> &str {
    let begins = |at: &usize| !line[..*at].ends_with(':');
    line.match_indices("//").map(|(at, _)| at).find(begins).map_or(line, |at| &line[..at])
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file of ours.
fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    for directory in ["src", "tests", "benches"] {
        collect(&top().join(directory), &mut paths);
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Source {
    let relative = path.strip_prefix(top()).expect("the path was found below the top");
    let text = std::fs::read_to_string(path).expect("a source is UTF-8");
    Source { path: relative.to_string_lossy().into_owned(), text }
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

/// Fails with every finding at once.
fn none(rule: &str, findings: &[String]) {
    let list = findings.iter().fold(String::new(), |mut text, finding| {
        writeln!(text, "  {finding}").expect("a String takes text");
        text
    });
    assert!(findings.is_empty(), "{rule}\n{list}");
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `path` (`lapin::`) stands in `code` as a path's beginning and not as the tail of another name.
fn names(code: &str, path: &str) -> bool {
    code.match_indices(path).any(|(at, _)| !code[..at].ends_with(|c| is_name(c) || c == ':' || c == '.'))
}

/// The parts that a text reaches by `crate::part`, `crate::{part…}` or `super::super::part`.
fn parts_named(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, marker) in code.match_indices("crate::").chain(code.match_indices("super::super::")) {
        if code[..at].ends_with(is_name) {
            continue;
        }
        let rest = &code[at + marker.len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(first_names(group)),
            None => found.extend(name_at_start(rest)),
        }
    }
    found
}

fn name_at_start(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|c| is_name(*c)).collect();
    (!name.is_empty()).then_some(name)
}

/// The first name of each path in `{a::b, c::{d, e}}`, given what follows the opening brace.
fn first_names(group: &str) -> Vec<String> {
    let (mut depth, mut begins, mut found) = (0_usize, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.extend(name_at_start(group[begins..at].trim_start()));
                begins = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found
}

#[test]
fn arrows_point_down() {
    let mut findings = Vec::new();
    for source in sources() {
        let Some(part) = source.part() else { continue };
        let Some((_, below)) = ARROWS.iter().find(|(name, _)| *name == part) else {
            findings.push(format!(
                "{}: `{part}` is not on the map; add it to ARROWS with its place",
                source.path
            ));
            continue;
        };
        let code = source.code().fold(String::new(), |text, (_, line)| text + line + "\n");
        for named in parts_named(&code) {
            if named != part && EVERYTHING.contains(&named.as_str()) && !below.contains(&named.as_str()) {
                findings.push(format!("{}: `{part}` names `{named}`", source.path));
            }
        }
    }
    none(
        "A part names only what lies below it (see src/lib.rs): what is inside can then be read and tested \
         without what is outside, and an adapter can be replaced without its neighbours noticing.",
        &findings,
    );
}

#[test]
fn a_vendor_is_known_in_one_place() {
    let mut findings = Vec::new();
    for source in sources() {
        let Some(part) = source.part() else { continue };
        for (vendor, homes) in VENDORS.iter().filter(|(_, homes)| !homes.contains(&part)) {
            let path = format!("{vendor}::");
            let at = source.code().find(|(_, line)| names(line, &path));
            findings.extend(
                at.map(|(number, _)| format!("{}:{number}: `{vendor}` outside {homes:?}", source.path)),
            );
        }
    }
    none(
        "One vendor, one part: its traps are handled once, and its types do not leak into the use cases. Put a \
         port between.",
        &findings,
    );
}

#[test]
fn the_domain_is_pure() {
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| source.part() == Some("domain")) {
        for (number, line) in source.code() {
            for word in IMPURE.iter().filter(|word| line.contains(**word)) {
                findings.push(format!("{}:{number}: `{}`", source.path, word.trim()));
            }
        }
    }
    none(
        "The domain does no I/O, knows no clock, task, log or wire format: every worker must fold the same ledger \
         into the same list. Take what is needed as an argument.",
        &findings,
    );
}

#[test]
fn every_file_says_why_it_exists() {
    let silent = sources().into_iter().filter(|source| !source.text.starts_with("//! "));
    let findings: Vec<String> = silent.map(|source| source.path).collect();
    none(
        "A file opens with `//!`: why it exists, what must stay true, what is deliberately absent.",
        &findings,
    );
}

#[test]
fn a_file_fits_in_the_head() {
    let lines = sources().into_iter().map(|source| (source.text.lines().count(), source.path));
    let long = lines.filter(|(count, _)| *count > FILE_LINES_MAX);
    let findings: Vec<String> = long.map(|(count, path)| format!("{path}: {count} lines")).collect();
    none("A file of more than 500 lines has two topics: split it by topic.", &findings);
}

#[test]
fn the_top_level_stays_small() {
    let entries = std::fs::read_dir(top()).expect("the top can be read").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let strange = names.filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()));
    let findings: Vec<String> = strange.collect();
    none("The top level is what a visitor sees first: move it below one of what is there.", &findings);
}

#[test]
fn no_test_is_switched_off() {
    // Written so that this file does not find itself.
    let attribute = concat!("#[", "ignore");
    let findings = lines_with(&sources(), |line| line.contains(attribute));
    none(
        "A test that does not run is believed all the same: make it fast and reliable, or delete it.",
        &findings,
    );
}

#[test]
fn no_test_waits_by_sleeping() {
    let mut tests = sources();
    tests.retain(|source| {
        source.path.starts_with("tests/") && !source.path.ends_with("support/eventually.rs")
    });
    let call = concat!("sleep", "(");
    let findings = lines_with(&tests, |line| line.contains(call));
    none(
        "A sleep is too short on a loaded machine and too long on every other: wait for the thing itself with \
         `support::eventually`.",
        &findings,
    );
}

#[test]
fn nothing_is_left_for_later() {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];
    let macros = [concat!("to", "do!"), concat!("unimple", "mented!")];
    let whole = |line: &str, word: &str| {
        let mut places = line.match_indices(word);
        places.any(|(at, _)| !line[..at].ends_with(is_name) && !line[at + word.len()..].starts_with(is_name))
    };
    let mut findings = Vec::new();
    for source in sources().iter().chain(&texts()) {
        for (index, line) in source.text.lines().enumerate() {
            if words.iter().any(|word| whole(line, word)) || macros.iter().any(|word| line.contains(word)) {
                findings.push(format!("{}:{}", source.path, index + 1));
            }
        }
    }
    none(
        "A note to oneself helps nobody else: do it now, or say in words what is absent and why.",
        &findings,
    );
}

#[test]
fn what_ships_runs_without_privileges() {
    let wanted = [
        ("deploy/Dockerfile", &["\nUSER 10001:10001\n"][..]),
        (
            "deploy/compose.yaml",
            &["user: \"10001:10001\"", "read_only: true", "cap_drop: [ALL]", "no-new-privileges:true"],
        ),
        (
            "deploy/suppressd.service",
            &[
                "\nDynamicUser=yes\n",
                "\nNoNewPrivileges=yes\n",
                "\nCapabilityBoundingSet=\n",
                "\nProtectSystem=strict\n",
                "\nLoadCredential=suppressd.key:",
            ],
        ),
    ];
    let findings = wanted.iter().flat_map(|(path, lines)| {
        let text = read(&top().join(path)).text;
        lines.iter().filter(move |line| !text.contains(**line)).map(move |line| format!("{path}: {line:?}"))
    });
    let findings: Vec<String> = findings.collect();
    none(
        "Who breaks into a worker finds nothing to go on with: no user, no privilege, nothing to write to. .ci/run \
         holds the unit to its whole exposure.",
        &findings,
    );
}

/// What ships beside the code: scripts, units, settings and the guide.
fn texts() -> Vec<Source> {
    let mut paths = vec![top().join("README.md")];
    for directory in ["config", "deploy", ".ci"] {
        collect(&top().join(directory), &mut paths);
    }
    let picture = |path: &Path| path.extension().is_some_and(|extension| extension == "png");
    paths.retain(|path| path.is_file() && !picture(path) && !path.starts_with(top().join("deploy/secrets")));
    paths.iter().map(|path| read(path)).collect()
}

fn lines_with(sources: &[Source], found: impl Fn(&str) -> bool) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        let hits = source.code().filter(|(_, line)| found(line));
        findings.extend(hits.map(|(number, _)| format!("{}:{number}", source.path)));
    }
    findings
}

#[test]
fn the_rules_can_read() {
    assert_eq!(parts_named("use crate::domain::words::Channel;"), ["domain"]);
    assert_eq!(
        parts_named("use crate::{\n    amqp::{a, b},\n    store,\n};\nuse x::{y};"),
        ["amqp", "store"]
    );
    assert_eq!(parts_named("pub(crate) fn f() -> crate::codec::Job {}"), ["codec"]);
    assert_eq!(parts_named("use super::super::service::ports;"), ["service"]);
    assert_eq!(parts_named("use mycrate::domain; use super::words;"), [""; 0]);
    assert!(names("let c: lapin::Channel = x;", "lapin::") && names("use redis::Cmd;", "redis::"));
    assert!(!names("use crate::config::Config;", "config::") && !names("my_redis::x()", "redis::"));
    assert_eq!(without_comment("let x = 1; // crate::amqp"), "let x = 1; ");
    assert_eq!(without_comment("let u = \"amqp://host\";"), "let u = \"amqp://host\";");
}
