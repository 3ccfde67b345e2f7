//! Holds the guide to the code: a page that says something else than the program is worse than none.
//!
//! What the code lists (metrics, reasons, codes, alarms, settings, headers, users) must be named in README.md;
//! what README.md shows must work. Deliberately absent: any judgement of its prose.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use suppressd::bulk::Format;
use suppressd::codec::campaign;
use suppressd::codec::event::Body;
use suppressd::codec::job::{self, JobLimits};
use suppressd::domain::calendar::Calendar;
use suppressd::domain::campaign::{Campaign, FilteredPart, Sums};
use suppressd::domain::catalogue::Catalogue;
use suppressd::domain::event::{Policy, SourcePolicy, permit};
use suppressd::domain::mail::rule::Rule;
use suppressd::domain::record::{CampaignKey, JobMark};
use suppressd::domain::words::{Channel, DeadReason, EventKind, Purpose, Status};
use suppressd::metrics::{Alarm, Dependency, Metrics, Warning};
use suppressd::settings::{Rules, load_rules};

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(top().join(path)).expect("the file is there and is UTF-8")
}

fn readme() -> String {
    text("README.md")
}

fn shipped() -> [PathBuf; 2] {
    [top().join("config/suppressd.toml"), top().join("config/kazakhstan.toml")]
}

fn rules() -> Rules {
    load_rules(&shipped(), std::iter::empty()).expect("the shipped settings are right")
}

/// Fails with every missing word at once.
fn named(what: &str, words: impl IntoIterator<Item = impl Into<String>>, as_what: impl Fn(&str) -> String) {
    let readme = readme();
    let words: Vec<String> = words.into_iter().map(Into::into).collect();
    assert!(!words.is_empty(), "the code lists no {what}: this test looks in the wrong place");
    let missing: Vec<_> =
        words.iter().map(|word| as_what(word)).filter(|text| !readme.contains(text)).collect();
    assert!(missing.is_empty(), "README.md does not name these {what}: {missing:#?}");
}

/// In code font, wherever it stands.
fn quoted(word: &str) -> String {
    format!("`{word}`")
}

/// What the rows of a table begin with. It is known by how its heading begins.
fn rows(heading: &str) -> BTreeSet<String> {
    let readme = readme();
    let (_, table) = readme.split_once(&format!("\n| {heading} |")).expect("README.md has the table");
    let rows = table.lines().skip(2).map_while(|line| line.strip_prefix("| ")?.split(" | ").next());
    rows.map(|cell| cell.trim_matches('`').to_owned()).collect()
}

/// Fails unless a table has a row for each of these words, and no other.
fn tabled(what: &str, heading: &str, words: impl IntoIterator<Item = impl Into<String>>) {
    let (code, guide): (BTreeSet<String>, _) = (words.into_iter().map(Into::into).collect(), rows(heading));
    let missing: Vec<_> = code.difference(&guide).collect();
    let unknown: Vec<_> = guide.difference(&code).collect();
    assert!(
        missing.is_empty() && unknown.is_empty() && !code.is_empty(),
        "README.md, the table of {what}: without a row are {missing:?}; the code does not know {unknown:?}"
    );
}

/// The text of the fenced block that follows a marker.
fn block(marker: &str) -> String {
    let readme = readme();
    let (_, after) = readme.split_once(marker).expect("README.md has the marker");
    let (_, fenced) = after.split_once("```").expect("a block follows the marker");
    let (_, body) = fenced.split_once('\n').expect("the block has lines");
    body.split_once("```").expect("the block ends").0.to_owned()
}

/// What stands between quotes after `before`, once a line.
fn strings_after(source: &str, before: &str) -> Vec<String> {
    let lines = source.lines().filter_map(|line| line.split_once(before));
    lines.filter_map(|(_, rest)| Some(rest.strip_prefix('"')?.split_once('"')?.0.to_owned())).collect()
}

/// The target of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-');
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// The targets of a text's headings.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches(['#', ' ']))).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let leads = |page: &str, target: &str| {
        let (path, heading) = target.split_once('#').unwrap_or((target, ""));
        let file = if path.is_empty() { top().join(page) } else { top().join(page).with_file_name(path) };
        let text = || std::fs::read_to_string(&file).unwrap_or_default();
        file.exists() && (heading.is_empty() || anchors(&text()).iter().any(|known| known == heading))
    };
    for page in ["README.md", "deploy/RUNBOOK.md"] {
        let text = text(page);
        let targets = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap_or_default());
        let broken: Vec<_> = targets.filter(|target| !leads(page, target)).collect();
        assert!(broken.is_empty(), "links of {page} that lead nowhere: {broken:#?}");
    }
}

#[test]
fn every_part_of_the_source_is_on_the_map() {
    let readme = readme();
    let (_, map) = readme.split_once("\n## The map\n").expect("there is a map");
    let (map, _) = map.split_once("\n## ").expect("more follows");
    let words: Vec<_> = map.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();
    let source = text("src/lib.rs");
    let parts = source.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let missing: Vec<_> = parts.filter(|part| !words.contains(part)).collect();
    assert!(missing.is_empty(), "README.md, The map, does not show these parts of src: {missing:#?}");
}

#[test]
fn every_metric_has_its_row_with_its_labels() {
    let metrics = Metrics::new(&rules().catalogue, ["email"]).encode();
    let names = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let names = names.filter(|name| name.starts_with("suppressd_"));
    tabled("metrics", "metric", names.chain(["process_*"]));
    let readme = readme();
    for line in metrics.lines().filter(|line| line.starts_with("suppressd_")) {
        let Some((name, labels)) = line.split_once('{') else { continue };
        let name =
            ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        let described =
            readme.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap_or_default();
        for label in labels.split(',').filter_map(|pair| pair.split_once('=')).map(|(label, _)| label) {
            // A histogram's own label is not for the guide.
            assert!(label == "le" || described.contains(&quoted(label)), "{name} has a label {label}");
        }
    }
}

#[test]
fn every_format_of_an_import_has_its_row() {
    tabled("formats", "`--format` | what is read", Format::ALL.iter().map(|format| format.as_str()));
}

#[test]
fn every_reason_of_a_dead_letter_has_its_row() {
    tabled("reasons", "reason", DeadReason::ALL.iter().map(|reason| reason.as_str()));
}

#[test]
fn every_rule_that_decides_mails_has_its_row() {
    tabled("rules", "rule", Rule::ALL.iter().map(|rule| rule.as_str()));
}

#[test]
fn every_word_that_integrators_meet_is_explained() {
    named("kinds of event", EventKind::ALL.iter().map(|kind| kind.as_str()), quoted);
    tabled("statuses", "status", Status::ALL.iter().map(|status| status.as_str()));
    named("purposes", Purpose::ALL.iter().map(|purpose| purpose.as_str()), quoted);
    tabled("dependencies", "dependency", Dependency::ALL.iter().map(|dependency| dependency.as_str()));
    let headers = strings_after(&text("src/service/envelope.rs"), ": &str = ");
    named(
        "headers",
        headers.into_iter().filter(|name| name.starts_with("x-suppressd-") && !name.ends_with('-')),
        quoted,
    );
}

#[test]
fn every_alarm_and_every_warning_has_its_row() {
    tabled("alarms", "routing key", Alarm::ALL.iter().map(|alarm| format!("alarm.{alarm}")));
    tabled("warnings", "warning", Warning::ALL.iter().map(|warning| warning.as_str()));
}

#[test]
fn every_exit_code_has_its_row() {
    let source = text("src/cli/exit.rs");
    let codes = source.lines().filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = "));
    tabled("exit codes", "code", codes.map(|(_, code)| code));
}

#[test]
fn every_section_of_the_settings_is_named_and_every_setting_named_exists() {
    let settings = text("config/suppressd.toml");
    let shown: Vec<_> = settings.lines().map(|line| line.strip_prefix('#').unwrap_or(line)).collect();
    let sections: Vec<_> = shown.iter().filter(|line| line.starts_with('[') && line.ends_with(']')).collect();
    named("sections", sections.iter().map(|line| **line), quoted);

    let (mut keys, mut section) = (Vec::new(), "");
    for line in &shown {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
        } else if let Some((key, _)) = line.split_once(" = ") {
            keys.push(format!("{section}.{key}"));
        }
    }
    let readme = readme();
    let wrong: Vec<_> = readme
        .split('`')
        .filter(|word| {
            let Some((first, key)) = word.split_once('.') else { return false };
            let is_section = sections.iter().any(|line| line.trim_matches(['[', ']']) == first);
            let is_key = key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            is_section && is_key && !keys.iter().any(|known| known == word)
        })
        .collect();
    assert!(wrong.is_empty(), "README.md names settings that do not exist: {wrong:#?}");
}

#[test]
fn every_role_and_every_command_is_named() {
    let definitions: serde_json::Value =
        serde_json::from_str(&text("deploy/rabbitmq/definitions.json")).expect("definitions are JSON");
    let users = definitions["users"].as_array().expect("there are users").iter();
    named("RabbitMQ users", users.filter_map(|user| user["name"].as_str()), quoted);

    let help = Command::new(env!("CARGO_BIN_EXE_suppressd")).arg("--help").output().expect("it runs");
    let help = String::from_utf8(help.stdout).expect("help is UTF-8");
    let (_, commands) = help.split_once("Commands:\n").expect("help lists the commands");
    let commands =
        commands.lines().map_while(|line| line.strip_prefix("  ")).filter_map(|line| line.split(' ').next());
    let commands: Vec<_> = commands.collect();
    named("commands", commands.iter().copied(), |command| format!("suppressd {command}"));
    let runbook = text("deploy/RUNBOOK.md");
    let told = runbook.split("`suppressd ").skip(1).filter_map(|rest| rest.split([' ', '`', '\n']).next());
    let wrong: Vec<_> = told.filter(|command| !commands.contains(command)).collect();
    assert!(wrong.is_empty(), "RUNBOOK.md tells to run commands that do not exist: {wrong:#?}");
}

struct Shipped(Catalogue);

impl job::Names for Shipped {
    fn region(&self, name: &str) -> Option<std::sync::Arc<str>> {
        self.0.region_of_job(name).cloned()
    }

    fn brand(&self, name: &str) -> Option<std::sync::Arc<str>> {
        self.0.brand(name).cloned()
    }
}

#[test]
fn the_example_job_is_one() {
    let body = block("### Publish a job");
    let job = job::decode(body.as_bytes(), &JobLimits::default(), &Shipped(rules().catalogue));
    let recipients = job.map(|job| job.recipients_len()).map_err(|fault| fault.to_string());
    assert_eq!(recipients, Ok(2), "README.md, Publish a job");
}

#[test]
fn the_example_event_is_one_that_its_source_may_send() {
    let body = Body::parse(block("### Publish an opt-out").as_bytes());
    let body = body.unwrap_or_else(|fault| panic!("README.md, Publish an opt-out: {fault}"));
    let event = body.event().unwrap_or_else(|fault| panic!("README.md, Publish an opt-out: {fault}"));
    let rules = rules();
    let sources = rules.sources.into_iter();
    let sources = sources
        .map(|(name, source)| {
            (name, SourcePolicy { may: source.may, users: source.users, clock: source.clock })
        })
        .collect();
    let future_max = jiff::SignedDuration::ZERO;
    let calendar = Calendar::none();
    let policy = Policy { sources: &sources, catalogue: &rules.catalogue, calendar: &calendar, future_max };
    assert_eq!(permit(&event, None, &policy), Ok(()));
    let receipt: serde_json::Value = serde_json::from_str(&block("### Receipts")).expect("it is JSON");
    assert_eq!(receipt["event_id"], event.event_id);
    assert_eq!(receipt["request_id"], event.request_id.unwrap());
    let received_at: Timestamp = receipt["received_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(received_at, event.occurred_at);
}

/// Every member of an object, those of its first segment after it.
fn members(report: &serde_json::Value) -> Vec<&String> {
    let objects = [report, &report["segments"][0], &report["segments"][0]["removed"]];
    objects.iter().flat_map(|object| object.as_object().expect("it is an object").keys()).collect()
}

#[test]
fn the_example_of_a_campaigns_report_has_the_members_of_one() {
    let example = block("`report.campaign` comes");
    let example: serde_json::Value = serde_json::from_str(&example).expect("it is JSON");
    let part = FilteredPart {
        campaign: CampaignKey::of("c"),
        name: "c".into(),
        job: JobMark::of("j"),
        index: 0,
        of: 1,
        channel: Channel::Sms,
        brand: "lulla.kz".into(),
        purpose: Purpose::Marketing,
        revision: 1,
        filtered_at: Timestamp::UNIX_EPOCH,
        past_send_until: false,
        regions: vec![("KZ-79".into(), Sums::default())],
    };
    let report = campaign::report("c", &Campaign::begin(&part, Timestamp::UNIX_EPOCH));
    let report: serde_json::Value = serde_json::from_slice(&report).expect("it is JSON");
    assert_eq!(members(&example), members(&report));
    let sums = &example["segments"][0];
    let removed: u64 =
        sums["removed"].as_object().unwrap().values().filter_map(serde_json::Value::as_u64).sum();
    assert_eq!(sums["received"], sums["kept"].as_u64().unwrap() + removed);
}

#[test]
fn the_example_of_a_filter_gives_what_it_says() {
    let directory = tempfile::TempDir::new().unwrap();
    for file in ["opt-outs.ndjson", "recipients.csv"] {
        std::fs::write(directory.path().join(file), block(&format!("`{file}`:"))).unwrap();
    }
    let command = block("The command:").replace("\\\n", " ");
    let mut words = command.split_whitespace();
    assert_eq!(words.next(), Some("suppressd"));
    let words = words.map(|word| match word.strip_prefix("config/") {
        Some(file) => top().join("config").join(file).to_string_lossy().into_owned(),
        None => word.to_owned(),
    });
    let mut run = Command::new(env!("CARGO_BIN_EXE_suppressd"));
    let run = run.args(words).current_dir(&directory).output().expect("it runs");
    let told = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(0), "README.md, Clean a file: {told}");
    assert_eq!(told, block("On standard error:"));
    let kept = std::fs::read_to_string(directory.path().join("kept.csv")).unwrap();
    assert_eq!(kept, block("`kept.csv`:"));
}
