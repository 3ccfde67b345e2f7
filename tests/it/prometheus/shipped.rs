//! Holds the rules, the runbook and the dashboard to each other and to the code.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use suppressd::metrics::{Alarm, Metrics};
use suppressd::settings::load_rules;

use super::{histories, promql, reader, top};

/// What Prometheus itself adds to every series, and what the histograms have.
const COMMON_LABELS: &[&str] = &["job", "instance", "le"];

/// What Prometheus itself makes.
const BUILT_IN: &[&str] = &["up", "ALERTS"];

/// The labels of Prometheus's own series that we use.
const OF_ALERTS: &[&str] = &["alertname", "alertstate", "severity"];

fn text(path: &str) -> String {
    std::fs::read_to_string(top().join(path)).expect("the file is there and is UTF-8")
}

/// The metrics of the code: each name with its labels and their values.
type Known = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

fn known() -> Known {
    let shipped = ["config/suppressd.toml", "config/kazakhstan.toml"].map(|file| top().join(file));
    let settings = load_rules(&shipped, std::iter::empty()).expect("the shipped settings are right");
    let shown = Metrics::new(&settings.catalogue, settings.sources.keys()).encode();
    let mut known = Known::new();
    for line in shown.lines().filter(|line| !line.starts_with('#')) {
        let (series, _) = line.rsplit_once(' ').expect("a series has a value");
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let known = known.entry(name.to_owned()).or_default();
        for pair in labels.trim_end_matches('}').split("\",").filter(|pair| !pair.is_empty()) {
            let (label, value) = pair.split_once("=\"").expect("a label has a value");
            known.entry(label.to_owned()).or_default().insert(value.trim_end_matches('"').to_owned());
        }
    }
    known
}

/// What an expression names and the code does not have.
fn strange(expression: &str, known: &Known, recorded: &BTreeSet<&str>) -> Vec<String> {
    let named = promql::read(expression);
    let mut strange = Vec::new();
    for metric in &named.metrics {
        let name = metric.name.as_str();
        if recorded.contains(name) || BUILT_IN.contains(&name) {
            continue;
        }
        let Some(labels) = known.get(name) else {
            strange.push(format!("there is no metric {name}"));
            continue;
        };
        for (label, value) in &metric.matchers {
            let common = COMMON_LABELS.contains(&label.as_str());
            let variable = value.starts_with('$');
            match labels.get(label) {
                Some(values) if variable || values.contains(value) => {}
                Some(_) => strange.push(format!("{name}: {label} is never {value}")),
                None if common => {}
                None => strange.push(format!("{name} has no label {label}")),
            }
        }
    }
    let exists = |label: &String| {
        COMMON_LABELS.contains(&label.as_str())
            || OF_ALERTS.contains(&label.as_str())
            || named.metrics.iter().any(|metric| match known.get(&metric.name) {
                Some(labels) => labels.contains_key(label),
                None => true,
            })
    };
    let unknown = named.labels.iter().filter(|label| !exists(label));
    strange.extend(unknown.map(|label| format!("no metric here has a label {label}")));
    strange
}

fn is_alert(rule: &Value) -> bool {
    rule["type"] == "alerting"
}

fn recorded(rules: &[Value]) -> BTreeSet<&str> {
    rules.iter().filter(|rule| !is_alert(rule)).filter_map(|rule| rule["name"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_alert_has_an_entry_in_the_runbook_a_severity_and_a_test_and_every_entry_has_an_alert() {
    let (rules, runbook) = (reader().await.rules(), text("deploy/RUNBOOK.md"));
    let tests: String =
        histories().iter().map(|path| std::fs::read_to_string(path).expect("it is UTF-8")).collect();
    let entries: BTreeSet<&str> = runbook.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let alerts: Vec<_> = rules.iter().filter(|rule| is_alert(rule)).collect();
    let names: BTreeSet<&str> = alerts.iter().filter_map(|alert| alert["name"].as_str()).collect();
    assert_eq!(names.len(), alerts.len(), "each name is there once");
    assert_eq!(names, entries, "alerts of suppressd.rules.yml, and entries of RUNBOOK.md");
    for alert in alerts {
        let name = alert["name"].as_str().expect("an alert has a name");
        let severity = alert["labels"]["severity"].as_str();
        assert!(matches!(severity, Some("page" | "ticket")), "{name} says whom to call");
        let url = format!("deploy/RUNBOOK.md#{}", name.to_lowercase());
        assert_eq!(alert["annotations"]["runbook_url"], url, "{name} leads to its entry");
        for annotation in ["summary", "description"] {
            assert!(alert["annotations"][annotation].is_string(), "{name} has a {annotation}");
        }
        let fires = format!("alertname=\"{name}\", alertstate=\"firing\"");
        assert!(tests.contains(&fires), "no test in tests/prometheus lets {name} fire");
        let entry = runbook.split(&format!("\n### {name}\n")).nth(1).unwrap_or_default();
        let entry = entry.split("\n### ").next().unwrap_or_default();
        for part in ["**Means.**", "**See it.**", "**Do.**", "**Over when.**"] {
            assert!(entry.contains(part), "the entry of {name} lacks {part}");
        }
        let page = entry.trim_start().starts_with("Page.");
        let ticket = entry.trim_start().starts_with("Ticket.");
        assert!(
            page != ticket && page == (severity == Some("page")),
            "the entry of {name} says whom it calls"
        );
    }
    let silent: Vec<_> =
        Alarm::ALL.iter().filter(|alarm| !runbook.contains(&format!("`alarm.{alarm}`"))).collect();
    assert!(silent.is_empty(), "alarms that RUNBOOK.md does not name with an alert: {silent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_and_every_label_that_an_alert_names_exists() {
    let (rules, known) = (reader().await.rules(), known());
    let recorded = recorded(&rules);
    assert!(rules.len() > 30, "Prometheus has read the rules");
    for rule in &rules {
        let expression = rule["query"].as_str().expect("a rule has an expression");
        assert_eq!(strange(expression, &known, &recorded), [""; 0], "suppressd.rules.yml, {}", rule["name"]);
    }
    for wrong in
        ["suppressd_gone > 0", "suppressd_ready{dependency=\"moon\"}", "sum by (moon) (suppressd_revision)"]
    {
        assert_eq!(strange(wrong, &known, &recorded).len(), 1, "{wrong}");
    }
}

/// Every value of this member, however deep it lies.
fn members<'a>(value: &'a Value, member: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get(member).and_then(Value::as_str));
            object.values().for_each(|value| members(value, member, found));
        }
        Value::Array(values) => values.iter().for_each(|value| members(value, member, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_shows_metrics_that_exist() {
    let (prometheus, known) = (reader().await, known());
    let rules = prometheus.rules();
    let recorded = recorded(&rules);
    let dashboard: Value =
        serde_json::from_str(&text("deploy/prometheus/dashboard.json")).expect("the dashboard is JSON");
    let mut expressions = Vec::new();
    members(&dashboard["panels"], "expr", &mut expressions);
    assert!(expressions.len() > 20, "{expressions:?}");
    for expression in &expressions {
        assert_eq!(strange(expression, &known, &recorded), [""; 0], "dashboard.json: {expression}");
        assert!(expression.contains("job=~\"$job\""), "of one installation: {expression}");
        // A mistake in it is refused.
        prometheus.query(&expression.replace("$job", "shop").replace("$__rate_interval", "5m"));
    }
    let variables = dashboard["templating"]["list"].as_array().expect("it has variables");
    let queries: Vec<_> = variables.iter().filter_map(|variable| variable["definition"].as_str()).collect();
    assert_eq!(queries, ["label_values(suppressd_build_info, job)"]);
    let names: BTreeSet<_> =
        expressions.iter().flat_map(|text| promql::read(text).metrics).map(|m| m.name).collect();
    for name in ["suppressd_requests_overdue", "suppressd_recipients_total", "suppressd_queue_messages"] {
        assert!(names.contains(name), "the dashboard shows {name}");
    }
}

#[test]
fn the_dashboards_panels_have_names_do_not_overlap_and_name_labels_that_their_expressions_keep() {
    let dashboard: Value =
        serde_json::from_str(&text("deploy/prometheus/dashboard.json")).expect("the dashboard is JSON");
    let panels = dashboard["panels"].as_array().expect("it has panels");
    let mut taken = BTreeSet::new();
    for panel in panels {
        let title = panel["title"].as_str().expect("a panel has a title");
        let [x, y, w, h] =
            ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().expect("it has a place"));
        assert!(x + w <= 24, "{title} is on the page");
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "{title} lies on another panel");
        }
        for target in panel["targets"].as_array().into_iter().flatten() {
            let legend = target["legendFormat"].as_str().unwrap_or_default();
            let labels = promql::read(target["expr"].as_str().expect("it has an expression")).labels;
            for label in legend.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()) {
                assert!(labels.iter().any(|kept| kept == label.trim()), "{title}: {label}");
            }
        }
    }
    let uids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(uids.len(), panels.len(), "each panel has an id of its own");
}
