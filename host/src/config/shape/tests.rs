use std::fs;

use abi::config::{ByteSize, ConfigDuration, ConfigPath, DurationOrNone, Secret};
use schemars::{JsonSchema, schema_for};
use serde_json::json;

use super::*;

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
struct Sample {
    host: String,
    port: Option<u16>,
    #[schemars(default)]
    same_site: SameSite,
    #[schemars(default)]
    lookup: Lookup,
    timeout: Option<ConfigDuration>,
    #[schemars(default)]
    idle: DurationOrNone,
    size: Option<ByteSize>,
    path: Option<ConfigPath>,
    password: Option<Secret>,
    #[schemars(default)]
    secrets: Vec<Secret>,
    #[schemars(default)]
    secure: bool,
    nested: Option<Nested>,
    #[schemars(default)]
    names: std::collections::BTreeMap<String, String>,
    limit: Option<u32>,
    page: Option<Page>,
}

/// A word or a map.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Page {
    None(Nothing),
    Shown(Nested),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
enum Nothing {
    /// With a description of its own, an enumeration has no type but in its variants.
    None,
}

#[derive(Default, JsonSchema, serde::Serialize)]
#[expect(dead_code, reason = "only its schema is used")]
enum SameSite {
    /// As browsers assume.
    #[default]
    Lax,
    /// Never from elsewhere.
    Strict,
}

#[derive(JsonSchema, serde::Serialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Lookup {
    One(String),
    Many(Vec<String>),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
struct Nested {
    cert_file: ConfigPath,
    nodes: Vec<i8>,
}

impl Default for Lookup {
    fn default() -> Self {
        Self::One("cookie:session_id".into())
    }
}

#[test]
fn a_right_value_passes_unchanged() {
    let value = json!({
        "host": "a", "port": 1, "sameSite": "Strict", "lookup": ["a", "b"], "timeout": "1h30m", "size": 12,
        "secure": true, "nested": { "certFile": "/c.pem", "nodes": [1, -1] }, "names": { "a": "b" },
    });

    assert_eq!(run(&value), Ok(value));
    assert_eq!(
        run(&json!({ "host": "a", "port": null })),
        Ok(json!({ "host": "a", "port": null }))
    );
}

#[test]
fn everything_wrong_is_reported_at_once() {
    let value = json!({
        "prot": 1, "port": 70_000, "sameSite": "lax-ish", "lookup": 7, "timeout": true, "size": "64K", "path": 5,
        "secure": "maybe", "nested": { "nodes": [1, "x", 300], "certfile": "" }, "names": { "a": 1 },
    });

    let expected = [
        "host: missing, expected a text",
        "prot: unknown key, did you mean `port`? known are host, port, sameSite, lookup, timeout, idle, size, path, \
         password, secrets, secure, nested, names, limit, page",
        "port: expected an integer from 0 to 65535, found `70000`",
        "sameSite: `lax-ish` is not one of them: known are Lax, Strict",
        "lookup: expected a text or a list, found `7`",
        "timeout: expected a duration such as `30m`, found `true`",
        "size: expected a size such as `64KiB` or `1GiB`, found `64K`",
        "path: expected a path, found `5`; put it in quotes",
        "secure: expected `true` or `false`, found `maybe`",
        "nested.certFile: missing, expected a path",
        "nested.nodes[1]: expected an integer from -128 to 127, found `x`",
        "nested.nodes[2]: expected an integer from -128 to 127, found `300`",
        "nested.certfile: unknown key, did you mean `certFile`? known are certFile, nodes",
        "names.a: expected a text, found `1`; put it in quotes",
    ];
    assert_eq!(faults(&value), expected);
}

#[test]
fn durations_and_sizes_are_parsed() {
    let timeout = |value| faults(&json!({ "host": "a", "timeout": value })).join("\n");

    assert_eq!(
        timeout(json!("0s")),
        "timeout: a duration cannot be 0, found `0s`"
    );
    assert_eq!(
        timeout(json!(0)),
        "timeout: a duration cannot be 0, found `0`"
    );
    assert_eq!(
        timeout(json!("200y")),
        "timeout: a duration cannot exceed 100 years, found `200y`"
    );
    assert_eq!(
        timeout(json!("soon")),
        "timeout: expected a duration such as `30m`, `1h30m` or `300ms`, found `soon`"
    );
}

#[test]
fn a_duration_that_can_be_switched_off_may_be_0() {
    let idle = |value| faults(&json!({ "host": "a", "idle": value })).join("\n");

    for none in [json!(0), json!("0"), json!("0s"), json!("15m")] {
        let value = json!({ "host": "a", "idle": none });
        assert_eq!(run(&value), Ok(value));
    }
    assert_eq!(
        idle(json!(-5)),
        "idle: a duration or a size cannot be negative, found `-5`"
    );
    assert_eq!(
        idle(json!(true)),
        "idle: expected a duration such as `30m`, or 0, found `true`"
    );
}

#[test]
fn a_map_beside_a_word_is_told_what_is_wrong_with_the_map() {
    let page = |page| faults(&json!({ "host": "a", "page": page }));

    assert_eq!(
        page(json!({ "certFile": "a", "nodes": [], "titel": 1 })),
        ["page.titel: unknown key, known are certFile, nodes"]
    );
    assert_eq!(
        page(json!("nnoe")),
        ["page: `nnoe` is not one of them: did you mean `none`? known are none"]
    );
}

#[test]
fn a_number_that_is_too_large_is_named_with_its_key() {
    let limit = |limit: u64| run(&json!({ "host": "a", "limit": limit }));

    assert!(limit(u32::MAX.into()).is_ok());
    assert_eq!(
        limit(1 << 32).unwrap_err(),
        ["limit: expected an integer from 0 to 4294967295, found `4294967296`"]
    );
}

#[test]
fn a_text_counts_as_the_choice_it_spells() {
    let schema = json!({ "enum": ["Lax", 3] });

    let settled = |value| settle(&schema, value, Path::new("/"));

    assert_eq!(settled(json!("3")), Ok(json!(3)));
    assert_eq!(settled(json!(3)), Ok(json!(3)));
    assert!(settled(json!("4")).is_err());
}

#[test]
fn no_fault_prints_a_secret() {
    let value = json!({
        "host": "a", "password": 271_828, "secrets": "hunter2", "passwordd": "hunter2", "nested": { "secrets": "hunter2" },
    });

    let faults = faults(&value).join("\n");

    assert!(
        !faults.contains("hunter2") && !faults.contains("271828"),
        "{faults}"
    );
    assert!(
        faults.contains("password: expected a text, found a number; put it in quotes"),
        "{faults}"
    );
    assert!(
        faults.contains("secrets: expected a list, found a text"),
        "{faults}"
    );
}

#[test]
fn a_secret_comes_from_its_file() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("one"), "s3cret \r\n").unwrap();
    fs::write(dir.path().join("two"), "new\n\nold\n").unwrap();
    let value =
        json!({ "host": "a", "passwordFile": "one", "secretsFile": dir.path().join("two") });

    let settled = settle(&schema(), value, dir.path()).unwrap();

    assert_eq!(
        settled,
        json!({ "host": "a", "password": "s3cret ", "secrets": ["new", "old"] })
    );
}

#[test]
fn a_secret_file_must_be_readable_and_alone() {
    let value =
        json!({ "host": "a", "password": "x", "passwordFile": "one", "secretsFile": "none" });

    let expected = [
        "passwordFile: cannot be given together with password",
        "secretsFile: `none` cannot be read: No such file or directory (os error 2)",
    ];
    assert_eq!(faults(&value), expected);
}

#[test]
fn a_file_without_a_secret_is_a_fault() {
    let dir = tempfile::tempdir().unwrap();
    for text in ["", "\n", " \r\n\t\n"] {
        fs::write(dir.path().join("none"), text).unwrap();
        let value = json!({ "host": "a", "passwordFile": "none", "secretsFile": "none" });

        let faults = settle(&schema(), value, dir.path()).unwrap_err();

        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let expected = [
            "passwordFile: `none`: the file holds no secret",
            "secretsFile: `none`: the file holds no secret",
        ];
        assert_eq!(faults, expected, "{text:?}");
    }
}

#[test]
fn the_file_of_a_secret_is_offered_wherever_the_secret_is() {
    let secret = json!({ "type": "string", "format": "secret" });
    let list = json!({ "type": "array", "items": secret });
    let nested = json!({ "properties": { "password": secret, "name": {} }, "required": ["password", "name"] });
    let mut schema = json!({ "properties": { "secrets": list, "certFile": {}, "nested": nested } });

    offer_files(&mut schema);

    let keys = |schema: &Value| {
        let properties = schema["properties"].as_object().unwrap();
        properties.keys().cloned().collect::<Vec<_>>()
    };
    let nested = &schema["properties"]["nested"];
    assert_eq!(
        keys(&schema),
        ["secrets", "certFile", "nested", "secretsFile"]
    );
    assert_eq!(keys(nested), ["password", "name", "passwordFile"]);
    assert_eq!(nested["required"], json!(["name"]));
    assert_eq!(
        nested["allOf"],
        json!([{ "anyOf": [{ "required": ["password"] }, { "required": ["passwordFile"] }] }])
    );
}

#[test]
fn a_relative_path_becomes_absolute() {
    let settled = run(&json!({ "host": "a", "path": "x/y" })).unwrap();
    let empty = run(&json!({ "host": "a", "path": "" })).unwrap();

    assert_eq!(settled["path"], "/etc/gateway/x/y");
    assert_eq!(empty["path"], "");
}

#[test]
fn a_text_from_the_environment_counts_as_the_number_it_spells() {
    let settled = run(&json!({ "host": "80", "port": "6379", "secure": "true" })).unwrap();

    assert_eq!(
        settled,
        json!({ "host": "80", "port": 6379, "secure": true })
    );
}

fn schema() -> Value {
    schema_for!(Sample).to_value()
}

fn run(value: &Value) -> Result<Value, Vec<String>> {
    let settled = settle(&schema(), value.clone(), Path::new("/etc/gateway"));
    settled.map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn faults(value: &Value) -> Vec<String> {
    run(value).unwrap_err()
}
