//! What `/metrics` shows, and what is said about it elsewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use e2e::{Gateway, Redis, Site};
use serde_json::Value;

use crate::anna::{self, log_in};

#[test]
fn every_metric_in_the_documentation_is_shown() {
    let text = read("docs/operations.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let documented: BTreeSet<_> = rows
        .filter_map(|row| row.split_once('`'))
        .map(|(name, _)| name)
        .filter(|name| is_metric(name))
        .collect();

    let shown = metrics();

    assert!(documented.len() > 15, "{documented:?}");
    for name in documented {
        let head = format!("# TYPE {name} ");
        assert!(shown.contains(&head), "{name} is not in\n{shown}");
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
        let is_part = |c: char| c.is_ascii_lowercase() || c == '_';
        let names = query.split(|c| !is_part(c));
        let names: Vec<_> = names.filter(|word| is_metric(word)).collect();
        assert!(!names.is_empty(), "{query}");
        for name in names {
            let mut series = shown.lines().filter_map(|line| line.strip_prefix(name));
            let is_shown = series.any(|rest| rest.starts_with(['{', ' ']));
            assert!(is_shown, "{name} of {query} is not in\n{shown}");
        }
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

fn is_metric(word: &str) -> bool {
    let prefixes = ["gateway_", "session_", "process_"];
    prefixes.iter().any(|prefix| word.starts_with(prefix))
}

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap()
}
