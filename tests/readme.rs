//! The README is true: its commands are run, its transcripts compared, its tables held against the schema.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use e2e::{Site, Verdict, plugins};
use serde_json::Value;

#[test]
fn transcript_is_what_a_new_user_gets() {
    let console = console();
    let quickstart = Quickstart::start(&console[0].command);
    let directory = tempfile::tempdir().unwrap();

    for entry in console
        .iter()
        .filter(|entry| entry.command.starts_with("curl "))
    {
        let command = entry.command.replace(README_ADDRESS, &quickstart.address);
        let output = shell(&command, directory.path());
        let output = output.replace(&quickstart.address, README_ADDRESS);

        assert_eq!(plain(&output), plain(&entry.output), "{command}");
    }
}

#[test]
fn commands_are_the_two_that_are_promised() {
    let commands: Vec<String> = console().into_iter().map(|entry| entry.command).collect();

    assert_eq!(commands.first().unwrap(), "cargo xtask run");
    assert_eq!(commands.last().unwrap(), "cargo xtask test");
    let ci = fs::read_to_string(plugins::root().join(".ci/run")).unwrap();
    assert!(
        ci.trim_end().ends_with("cargo xtask test"),
        "CI runs something else:\n{ci}"
    );
}

#[test]
fn tables_name_every_key_there_is() {
    let directory = Site::bare().write();
    let schema = Verdict::of("schema", directory.path());
    let schema: Value = serde_json::from_str(&schema.output).unwrap();
    let readme = readme();

    let keys = keys(&schema);

    assert!(keys.len() > 40, "{keys:?}");
    // The README has one sentence for the files of all secrets.
    let is_secret_file = |key: &str| {
        key.strip_suffix("File")
            .is_some_and(|key| keys.contains(key))
    };
    let unnamed: Vec<&String> = keys
        .iter()
        .filter(|key| !is_secret_file(key))
        .filter(|key| !readme.contains(key.as_str()))
        .collect();
    assert!(unnamed.is_empty(), "the README does not name {unnamed:?}");
}

#[test]
fn configuration_of_the_readme_passes_the_check() {
    let readme = readme();
    let (_, rest) = readme.split_once("```yaml\n").unwrap();
    let (yaml, _) = rest.split_once("```").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("valkey");
    fs::write(&secret, "password\n").unwrap();
    let yaml = yaml
        .replace(
            "/plugins/session.so",
            &plugins::session().display().to_string(),
        )
        .replace("/run/secrets/valkey", &secret.display().to_string());
    fs::write(directory.path().join("gateway.yaml"), yaml).unwrap();

    let verdict = Verdict::of("check", directory.path());

    assert!(verdict.success, "{}", verdict.errors);
}

/// A `$` line of a console block, and what follows it.
struct Entry {
    command: String,
    output: String,
}

fn console() -> Vec<Entry> {
    let readme = readme();
    let blocks = readme.split("```console\n").skip(1);
    let blocks = blocks.map(|rest| rest.split_once("```").unwrap().0);
    blocks
        .map(|block| {
            let (command, output) = block.split_once('\n').unwrap();
            let command = command.strip_prefix("$ ").unwrap();
            Entry {
                command: command.to_owned(),
                output: output.to_owned(),
            }
        })
        .collect()
}

/// What the first command starts.
struct Quickstart {
    process: Child,
    address: String,
}

impl Quickstart {
    fn start(command: &str) -> Self {
        let words: Vec<&str> = command.split(' ').collect();
        let mut process = Command::new(words[0])
            .args(&words[1..])
            .args(["--port", "0"])
            .current_dir(plugins::root())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut seen = Vec::new();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let address = line
                .split_once("listening address=")
                .map(|(_, address)| address.to_owned());
            seen.push(line);
            address
        });
        // Somebody has to read on, or the gateway would wait to be heard.
        std::thread::spawn(move || lines.for_each(drop));
        let address =
            address.unwrap_or_else(|| panic!("{command} does not listen:\n{}", seen.join("\n")));
        Self { process, address }
    }
}

impl Drop for Quickstart {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn shell(command: &str, directory: &Path) -> String {
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The text without what differs each time: ids, dates, the version of curl.
fn plain(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.trim_end();
        let line = blank(line, "session_id=", ";");
        let line = blank(&line, "Expires=", "\n");
        let line = blank(&line, "date: ", "\n");
        blank(&line, "curl/", "\"")
    });
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

fn blank(line: &str, after: &str, until: &str) -> String {
    let Some((before, rest)) = line.split_once(after) else {
        return line.to_owned();
    };
    let kept = rest.find(until).map_or("", |end| &rest[end..]);
    format!("{before}{after}..{kept}")
}

/// The names of all properties, at any depth. Keys of users, such as names of routes, are no properties.
fn keys(schema: &Value) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut todo = vec![schema];
    while let Some(value) = todo.pop() {
        match value {
            Value::Object(object) => {
                if let Some(Value::Object(properties)) = object.get("properties") {
                    keys.extend(properties.keys().cloned());
                }
                todo.extend(object.values());
            }
            Value::Array(items) => todo.extend(items),
            _ => {}
        }
    }
    keys
}

fn readme() -> String {
    fs::read_to_string(plugins::root().join("README.md")).unwrap()
}

const README_ADDRESS: &str = "127.0.0.1:8090";
