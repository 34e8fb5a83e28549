//! Invariants of the source tree. An invariant that is not a test is a wish.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_yaml::Value;

#[test]
fn arrows_point_one_way() {
    let rules: [(&str, &[&str]); 4] = [
        ("abi/src", &["gateway", "engine", "session", "e2e"]),
        ("host/src", &["engine", "session", "e2e"]),
        ("plugin", &["gateway", "e2e"]),
        (
            "examples/third-party/src",
            &["gateway", "engine", "session", "e2e"],
        ),
    ];
    for (directory, forbidden) in rules {
        for file in rust_files(directory) {
            for name in imports(&read(&file)) {
                assert!(
                    !forbidden.contains(&name.as_str()),
                    "{} uses the crate {name}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn rooms_of_the_gateway_know_each_other_one_way() {
    let rules = [("config", "server"), ("forwarding", "hygiene")];
    for (room, forbidden) in rules {
        for file in rust_files(&format!("host/src/{room}")) {
            let text = read(&file);
            assert!(
                !without_tests(&text).contains(&format!("crate::{forbidden}")),
                "{} uses {forbidden}",
                file.display()
            );
        }
    }
}

#[test]
fn manifests_know_only_what_they_may() {
    let rules: [(&str, &[&str]); 4] = [
        ("abi/Cargo.toml", &["gateway", "engine", "plugin"]),
        ("host/Cargo.toml", &["engine", "plugin", "redis"]),
        ("plugin/Cargo.toml", &["gateway", "hyper"]),
        ("plugin/engine/Cargo.toml", &["gateway", "plugin"]),
    ];
    for (manifest, forbidden) in rules {
        let text = read(&root().join(manifest));
        let names: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split(['.', ' ', '=']).next())
            .collect();
        for name in forbidden {
            assert!(!names.contains(name), "{manifest} depends on {name}");
        }
    }
}

/// The gateway serves; the plugin has a client for the providers of tokens, in one room, and nothing that listens.
#[test]
fn http_is_spoken_by_the_plugin_in_one_room_and_only_to_ask() {
    let room = root().join("plugin/engine/src/tokens");
    for file in rust_files("plugin") {
        let text = read(&file);
        for word in ["hyper::", "hyper_util", "http_body_util"] {
            let is_home = match word {
                "hyper::" => file.starts_with(&room),
                _ => file.starts_with(room.join("http")),
            };
            assert!(
                is_home || !text.contains(word),
                "{} has {word}",
                file.display()
            );
        }
        for word in ["hyper::server", "TcpListener"] {
            let has_it = without_tests(&text).contains(word);
            let is_test = file.components().any(|part| part.as_os_str() == "tests");
            let is_test_server = file.to_string_lossy().contains("redis/server");
            assert!(
                !has_it || is_test || is_test_server,
                "{} has {word}",
                file.display()
            );
        }
    }
}

#[test]
fn unsafe_code_stays_behind_its_fence() {
    for file in project_files() {
        let is_fenced = file.starts_with(root().join("abi/src/raw"));
        // Attributes such as `#[unsafe(no_mangle)]` in a macro are checked where they are expanded.
        let code = read(&file)
            .lines()
            .filter(|line| !is_comment(line))
            .any(|line| {
                [
                    "unsafe {",
                    "unsafe fn",
                    "unsafe impl",
                    "unsafe extern",
                    "allow(unsafe_code",
                ]
                .iter()
                .any(|word| line.contains(word))
            });
        let is_this = file.ends_with("tests/tidy.rs");
        assert!(
            !code || is_fenced || is_this,
            "{} has unsafe code",
            file.display()
        );
    }
}

#[test]
fn no_file_is_an_attic() {
    for file in project_files() {
        let is_test = file.ends_with("tests.rs") || file.starts_with(root().join("tests/e2e"));
        // Prose is no weight: only lines of code count.
        let text = read(&file);
        let code = without_tests(&text)
            .lines()
            .filter(|line| !line.trim().is_empty() && !is_comment(line));
        let lines = code.count();
        assert!(
            is_test || lines <= 400,
            "{} has {lines} lines of code",
            file.display()
        );
    }
}

#[test]
fn every_file_is_declared_by_its_parent() {
    for file in project_files() {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let directory = file.parent().unwrap();
        let is_root = ["main", "lib", "build", "tidy", "allocations", "conformance"]
            .contains(&name)
            || directory.ends_with("benches")
            || directory.ends_with("src/bin")
            || directory.ends_with("tests");
        if is_root {
            continue;
        }
        let (name, directory) = match name {
            "mod" => (
                directory.file_name().unwrap().to_str().unwrap(),
                directory.parent().unwrap(),
            ),
            name => (name, directory),
        };
        let parents = parents(directory);
        let declared = |parent: &PathBuf| {
            fs::read_to_string(parent)
                .is_ok_and(|text| text.lines().any(|line| declares(line.trim(), name)))
        };
        assert!(
            parents.iter().any(declared),
            "{} is declared in none of {parents:?}",
            file.display()
        );
    }
}

#[test]
fn yaml_of_the_examples_parses_and_gateways_are_told_only_known_sections() {
    let known: BTreeSet<&str> = [
        "server",
        "plugins",
        "storages",
        "middlewares",
        "actions",
        "routes",
    ]
    .into();
    let files = files_below(&root().join("examples"), "yaml");
    assert!(!files.is_empty());
    for file in files {
        let documents =
            documents(&read(&file)).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        // The others are read by those who run containers.
        let is_ours =
            file.parent().unwrap().ends_with("quickstart") || file.ends_with("gateway.yaml");
        let keys = documents
            .iter()
            .flat_map(|document| document.as_mapping().unwrap().keys());
        for key in keys.filter(|_| is_ours) {
            assert!(
                known.contains(key.as_str().unwrap()),
                "{}: {key:?}",
                file.display()
            );
        }
    }
}

#[test]
fn yaml_in_documents_parses() {
    for file in files_below(root(), "md") {
        let text = read(&file);
        for block in text.split("```yaml\n").skip(1) {
            let block = block.split("```").next().unwrap();
            let parsed: Result<Value, _> = serde_yaml::from_str(block);
            assert!(
                parsed.is_ok(),
                "{}: {}\n{block}",
                file.display(),
                parsed.unwrap_err()
            );
        }
    }
}

#[test]
fn only_one_file_of_the_plugin_spawns_and_one_reads_the_time() {
    for (word, home) in [
        ("tokio::spawn", "runtime"),
        ("Builder::new_multi_thread", "runtime"),
        ("SystemTime::now", "clock"),
        ("UNIX_EPOCH.elapsed", "clock"),
    ] {
        for file in rust_files("plugin")
            .into_iter()
            .filter(|file| !file.ends_with("tests.rs"))
        {
            let is_home = file.starts_with(root().join("plugin/engine/src").join(home));
            let text = read(&file);
            assert!(
                is_home || !without_tests(&text).contains(word),
                "{} has {word}",
                file.display()
            );
        }
    }
}

#[test]
fn unfinished_work_is_not_left_in_comments() {
    // Written apart, so that this file does not find itself.
    let marks = ["FIX", "XX", "TO"].map(|start| {
        format!(
            "{start}{}",
            match start {
                "FIX" => "ME",
                "XX" => "X",
                _ => "DO",
            }
        )
    });
    for file in project_files() {
        let text = read(&file);
        for mark in &marks {
            assert!(
                !text.contains(mark.as_str()),
                "{} has {mark}",
                file.display()
            );
        }
    }
}

fn documents(yaml: &str) -> Result<Vec<Value>, serde_yaml::Error> {
    serde_yaml::Deserializer::from_str(yaml)
        .map(Value::deserialize)
        .collect()
}

/// Names of crates that a file uses; its own modules are none.
fn imports(text: &str) -> Vec<String> {
    let is_module = |name: &str| text.contains(&format!("mod {name};"));
    let lines = text.lines().filter(|line| !is_comment(line));
    let uses = lines.filter_map(|line| {
        let line = line
            .trim_start()
            .trim_start_matches("pub ")
            .trim_start_matches("pub(crate) ");
        let path = line.strip_prefix("use ")?;
        let name = path.split([':', ';', ' ']).next()?;
        (!is_module(name)).then(|| name.to_owned())
    });
    uses.collect()
}

fn declares(line: &str, name: &str) -> bool {
    let declared = line
        .trim()
        .rsplit_once("mod ")
        .map(|(_, declared)| declared.trim_start_matches("r#"));
    declared.and_then(|declared| declared.strip_suffix(';')) == Some(name)
}

/// Without the module of tests at the end. One in a file of its own is named at the top, which is no end.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text)
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// Files that could declare a module that lives in `directory`.
fn parents(directory: &Path) -> Vec<PathBuf> {
    let inside = ["mod.rs", "lib.rs", "main.rs"].map(|name| directory.join(name));
    let mut parents = inside.to_vec();
    parents.push(directory.with_extension("rs"));
    parents
}

/// Our own Rust files, fixtures apart: those are wrong on purpose.
fn project_files() -> Vec<PathBuf> {
    let directories = ["abi", "host", "plugin", "tests", "xtask", "examples"];
    let files = directories
        .iter()
        .flat_map(|directory| rust_files(directory));
    files
        .filter(|file| !file.starts_with(root().join("tests/fixtures")))
        .collect()
}

fn rust_files(directory: &str) -> Vec<PathBuf> {
    let files = files_below(&root().join(directory), "rs");
    assert!(!files.is_empty(), "there is nothing in {directory}");
    files
}

fn files_below(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            files.extend(files_below(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    files
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
