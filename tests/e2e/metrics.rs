//! What `/metrics` shows, and what is said about it elsewhere.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use e2e::{Gateway, Redis, Site};
use serde_json::Value;

use crate::anna::{self, log_in};

#[test]
fn every_metric_in_the_documentation_is_shown() {
    let text = read("docs/operations.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.filter(|row| is_metric(row));
    let documented: Vec<Vec<&str>> = rows.map(|row| row.splitn(3, '|').collect()).collect();

    let shown = metrics();

    assert!(documented.len() > 15, "{documented:?}");
    for row in &documented {
        let name = row[0].trim_matches([' ', '`']);
        let head = format!("# TYPE {name} ");
        assert!(shown.contains(&head), "{name} is not in\n{shown}");
        for label in row[1].split('`').skip(1).step_by(2) {
            assert!(has_label(&shown, name, label), "{name} has no {label}");
        }
    }
    let all: BTreeSet<_> = documented.iter().map(|row| row[0]).collect();
    let heads = shown
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "));
    for name in heads.filter_map(|head| head.split(' ').next()) {
        let cell = format!("{name}` ");
        assert!(all.contains(&*cell), "{name} is not in the documentation");
    }
}

#[test]
fn promtool_reads_what_is_shown_and_has_nothing_to_say() {
    let said = promtool(&["check", "metrics"], &metrics());

    assert!(said.status.success(), "{said:?}");
    assert!(said.stdout.is_empty() && said.stderr.is_empty(), "{said:?}");
}

#[test]
fn alerts_tell_of_what_is_wrong_and_of_nothing_else() {
    let config = promtool(&["check", "config", "prometheus.yaml"], "");
    let tests = promtool(&["test", "rules", "alerts_test.yaml"], "");

    assert!(config.status.success(), "{config:?}");
    assert!(tests.status.success(), "{tests:?}");
    let tried = read("examples/prometheus/alerts_test.yaml");
    for alert in alerts() {
        let times = tried.matches(alert["alert"].as_str().unwrap()).count();
        assert_eq!(times, 2, "{alert:?} is to be silent and to speak");
    }
}

#[test]
fn every_alert_names_metrics_and_labels_that_are_shown() {
    let shown = metrics();

    let alerts = alerts();

    assert!(alerts.len() > 5, "{alerts:?}");
    for alert in alerts
        .iter()
        .filter(|alert| alert["alert"] != "GatewayDown")
    {
        let query = alert["expr"].as_str().unwrap();
        assert_query(query, &shown);
        for matcher in query.split(['{', ',', '}']).filter(|it| it.ends_with('"')) {
            assert!(shown.contains(matcher), "{matcher} of {query}");
        }
    }
}

#[test]
fn every_query_of_the_dashboard_names_a_metric_that_is_shown() {
    let dashboard: Value = serde_json::from_str(&read("examples/grafana/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    let queries: Vec<_> = targets
        .map(|target| target["expr"].as_str().unwrap())
        .collect();

    let shown = metrics();

    assert!(queries.len() > 15, "{queries:?}");
    for query in queries {
        assert_query(query, &shown);
    }
}

#[test]
fn durations_and_storages_are_measured() {
    let shown = metrics();

    let count = |series: &str| -> u64 {
        let line = shown.lines().find_map(|line| line.strip_prefix(series));
        let value = line.unwrap_or_else(|| panic!("no {series} in\n{shown}"));
        value.trim().parse().unwrap()
    };
    let requests = count("gateway_request_duration_seconds_count{route=\"/*\"}");
    assert_eq!(requests, 2);
    for operation in ["load", "write"] {
        let labels = format!("storage=\"Store\",operation=\"{operation}\"");
        assert_ne!(
            count(&format!("session_storage_seconds_count{{{labels}}}")),
            0
        );
    }
}

/// What a gateway with something of everything shows, when Anna has logged in and asked once.
fn metrics() -> String {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let endpoints = format!("upstreamEndpoints: ['http://{}']", upstream.address());
    let balanced = format!(
        "Balanced: {{ use: gateway.actions.BalancerHttpAction, config: {{ {endpoints} }} }}"
    );
    let gateway: Gateway = Site::new(&upstream)
        .redis(&redis)
        .server("admin: { address: '127.0.0.1:0' }")
        .action(&balanced)
        .route("path: /balanced, action: Balanced")
        .run();
    let mut browser = log_in(&gateway);
    assert_eq!(browser.get("/page").status(), 200);
    assert_eq!(browser.get("/balanced").status(), 200);
    gateway.admin().get("/metrics").text()
}

/// Every metric that a query names is shown, with every label that it adds up by.
#[track_caller]
fn assert_query(query: &str, shown: &str) {
    let is_part = |c: char| c.is_ascii_lowercase() || c == '_';
    let names = query.split(|c| !is_part(c));
    let names: Vec<_> = names.filter(|word| is_metric(word)).collect();
    assert!(!names.is_empty(), "{query}");
    for name in &names {
        let mut series = shown.lines().filter_map(|line| line.strip_prefix(name));
        let is_shown = series.any(|rest| rest.starts_with(['{', ' ']));
        assert!(is_shown, "{name} of {query} is not in\n{shown}");
    }
    for (labels, _) in query
        .split("by (")
        .skip(1)
        .filter_map(|by| by.split_once(')'))
    {
        // Prometheus knows which gateway it asked.
        let labels = labels.split(", ").filter(|label| *label != "instance");
        for label in labels {
            let has_it = |name: &&str| has_label(shown, name, label);
            assert!(names.iter().any(has_it), "{label} of {query}");
        }
    }
}

/// Whether any series of a metric has a label.
fn has_label(shown: &str, metric: &str, label: &str) -> bool {
    let label = format!("{label}=\"");
    let mut series = shown.lines().filter(|line| line.starts_with(metric));
    series.any(|line| line.contains(&label))
}

fn alerts() -> Vec<serde_yaml::Value> {
    let rules = read("examples/prometheus/alerts.yaml");
    let rules: serde_yaml::Value = serde_yaml::from_str(&rules).unwrap();
    let groups = rules["groups"].as_sequence().unwrap().iter();
    let rules = groups.flat_map(|group| group["rules"].as_sequence().unwrap());
    rules.cloned().collect()
}

/// What it says, in the directory of the example.
fn promtool(arguments: &[&str], input: &str) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut promtool = Command::new("promtool")
        .args(arguments)
        .current_dir(root.join("examples/prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is in the Debian package prometheus");
    let mut stdin = promtool.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    promtool.wait_with_output().unwrap()
}

fn is_metric(word: &str) -> bool {
    let prefixes = ["gateway_", "session_", "process_"];
    prefixes.iter().any(|prefix| word.starts_with(prefix))
}

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap()
}
