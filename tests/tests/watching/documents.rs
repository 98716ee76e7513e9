//! What is written of metrics names those that exist, and all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use node::metrics::{METRICS, MetricKind};
use serde_json::Value;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).expect("a file of the tree")
}

/// What looks like a metric of ours in a text.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = words.filter(|word| word.starts_with("causeway_") || word.starts_with("process_"));
    ours.map(str::to_owned).collect()
}

/// Whether a program that is asked tells a series of this name.
fn exists(name: &str) -> bool {
    METRICS.iter().any(|metric| match metric.kind {
        MetricKind::Counter | MetricKind::Gauge => metric.name == name,
        MetricKind::Histogram => {
            let part = name.strip_prefix(metric.name);
            part.is_some_and(|part| ["_bucket", "_sum", "_count"].contains(&part))
        }
    })
}

fn unknown(text: &str) -> Vec<String> {
    named(text)
        .into_iter()
        .filter(|name| !exists(name))
        .collect()
}

#[test]
fn the_table_of_metrics_says_what_the_program_says() {
    let metrics = METRICS.iter().map(|metric| {
        let labels = metric.labels.iter().map(|label| format!("`{label}`"));
        let labels = labels.collect::<Vec<_>>().join(", ");
        let (name, kind, help) = (metric.name, metric.kind.name(), metric.help);
        format!("| `{name}` | {kind} | {labels} | {help} |")
    });
    let metrics = metrics.collect::<Vec<_>>();
    let page = read("docs/metrics.md");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    assert_eq!(rows.collect::<Vec<_>>(), metrics);
}

#[test]
fn metrics_are_named_as_prometheus_wants_them() {
    let mut names = BTreeSet::new();
    for metric in METRICS {
        assert!(names.insert(metric.name), "{} is there twice", metric.name);
        let is_counter = metric.kind == MetricKind::Counter;
        assert_eq!(
            metric.name.ends_with("_total"),
            is_counter,
            "{}",
            metric.name
        );
        assert!(metric.help.ends_with('.'), "{}", metric.name);
        for label in metric.labels {
            let known = ["hub", "node", "reason", "certificate", "version"];
            assert!(
                known.contains(label),
                "{}: is {label} bounded?",
                metric.name
            );
        }
    }
}

#[test]
fn the_dashboard_names_only_metrics_that_exist_and_shows_all() {
    let text = read("deploy/grafana-dashboard.json");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array());
    let shown = targets.flatten().map(|target| target["expr"].as_str());
    let shown = shown
        .map(|expr| expr.expect("a question"))
        .collect::<Vec<_>>();
    assert!(panels.iter().all(|panel| panel["description"] != ""));
    let shown = shown.join("\n");
    assert_eq!(unknown(&text), [""; 0], "metrics that do not exist");
    let names = named(&shown);
    for metric in METRICS {
        let is_shown = names.iter().any(|name| name.starts_with(metric.name));
        assert!(is_shown, "no panel shows {}", metric.name);
    }
}

/// An alert, as the rules hold it.
#[derive(Debug, Default)]
struct Alert {
    name: String,
    fields: BTreeMap<String, String>,
}

/// The rules, in the plain form that they are written in: one field a line.
fn alerts() -> Vec<Alert> {
    let mut alerts = Vec::<Alert>::new();
    for line in read("deploy/prometheus-alerts.yaml").lines() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix("- alert: ") {
            alerts.push(Alert {
                name: name.to_owned(),
                ..Alert::default()
            });
        } else if let (Some(alert), Some((field, text))) =
            (alerts.last_mut(), line.split_once(": "))
        {
            let text = text.trim_matches('"').to_owned();
            let earlier = alert.fields.insert(field.to_owned(), text);
            assert_eq!(earlier, None, "{}: {field} is there twice", alert.name);
        }
    }
    alerts
}

#[test]
fn alerts_name_only_metrics_that_exist_and_the_manual_says_what_to_do() {
    let manual = read("docs/operations.md");
    let watching = manual
        .split("\n## ")
        .find(|section| section.starts_with("Watching\n"))
        .expect("a section on watching");
    let watching = watching.split_whitespace().collect::<Vec<_>>().join(" ");
    let alerts = alerts();
    assert!(alerts.len() > 10, "only {} alerts were found", alerts.len());
    for Alert { name, fields } in alerts {
        let [expr, severity, summary, action] =
            ["expr", "severity", "summary", "action"].map(|field| {
                let text = fields.get(field);
                text.unwrap_or_else(|| panic!("{name} does not say {field}"))
            });
        assert!(!named(expr).is_empty(), "{name} asks for nothing of ours");
        assert_eq!(unknown(expr), [""; 0], "{name}: metrics that do not exist");
        assert!(
            ["page", "warn", "info"].contains(&severity.as_str()),
            "{name}"
        );
        assert!(summary.ends_with('.') && action.ends_with('.'), "{name}");
        let row = format!("| {name} | {summary} | {action} |");
        assert!(watching.contains(&row), "docs/operations.md lacks: {row}");
    }
    assert_eq!(unknown(&watching), [""; 0], "metrics that do not exist");
}
