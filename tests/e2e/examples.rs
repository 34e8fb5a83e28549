//! The files of `examples/compose` and `examples/kubernetes`, as far as they can be tried without containers.

use std::fs;
use std::path::{Path, PathBuf};

use e2e::{Gateway, Redis, Verdict, plugins};
use engine::storage::server::{RedisServer, Setup};
use serde::Deserialize;
use serde_yaml::Value;
use tempfile::TempDir;

#[test]
fn gateways_of_the_compose_example_share_sessions_on_its_valkey() {
    let redis = Redis::with(compose_setup());
    let [one, other] = [(); 2].map(|()| Gateway::run(compose(&redis)));
    let mut browser = one.browser();

    browser.get("/login");
    let dashboard = browser.at(other.address()).get("/dashboard");

    assert_eq!(dashboard.json()["headers"]["x-user-id"], "anna");
    let keys = redis.run(&["KEYS", "*"]);
    assert_eq!(keys.lines().count(), 2, "a session and a roster: {keys}");
}

#[test]
fn users_of_the_compose_example_may_do_what_the_document_says() {
    let document = fs::read_to_string(plugins::root().join("docs/many-gateways.md")).unwrap();
    let documented = rule(&document);

    let users = read("compose/users.acl");

    let password = read("compose/secrets/valkey");
    assert_eq!(rule(&users), documented.replace("...", password.trim()));
}

#[test]
fn servers_start_with_each_documented_file() {
    let document = fs::read_to_string(plugins::root().join("docs/many-gateways.md")).unwrap();
    let files: Vec<_> = document.split("```text\n# redis.conf").skip(1).collect();
    assert_eq!(files.len(), 2);

    for file in files {
        let (file, _) = file.split_once("```").unwrap();
        // After the rest of the line that says what it is.
        let lines = file.lines().skip(1);

        RedisServer::with(lines.fold(Setup::default(), Setup::line));
    }
}

#[test]
fn configuration_of_the_kubernetes_example_passes_the_check() {
    let directory = tempfile::tempdir().unwrap();
    let secrets = example("compose/secrets");
    let yaml = read("kubernetes/gateway.yaml")
        .replace(
            "/run/secrets/session-gateway/valkey",
            &path(&secrets, "valkey"),
        )
        .replace(
            "/run/secrets/session-gateway/secrets",
            &path(&secrets, "session"),
        );
    write(&directory, &yaml);

    let verdict = Verdict::of("check", directory.path());

    assert!(verdict.success, "{}", verdict.errors);
}

#[test]
fn every_manifest_is_an_object_and_in_the_kustomization() {
    let directory = example("kubernetes");
    let listed: Value = serde_yaml::from_str(&read("kubernetes/kustomization.yaml")).unwrap();
    let listed = listed["resources"].as_sequence().unwrap();

    for file in listed.iter().map(|file| file.as_str().unwrap()) {
        let yaml = fs::read_to_string(directory.join(file)).unwrap();
        for document in serde_yaml::Deserializer::from_str(&yaml) {
            let object = Value::deserialize(document).unwrap();
            for key in [
                &object["apiVersion"],
                &object["kind"],
                &object["metadata"]["name"],
            ] {
                assert!(key.is_string(), "{file}: {object:?}");
            }
        }
    }
    let files = fs::read_dir(&directory).unwrap().flatten();
    let names = files.map(|file| file.file_name().into_string().unwrap());
    let manifests = names.filter(|name| {
        name.ends_with(".yaml") && !["gateway.yaml", "kustomization.yaml"].contains(&&**name)
    });
    assert_eq!(manifests.count(), listed.len());
}

/// A server with the configuration and the users of the example.
fn compose_setup() -> Setup {
    let users = read("compose/users.acl");
    let setup = Setup::default().user(&format!("gateway {}", rule(&users)));
    let lines = read("compose/valkey.conf");
    let lines = lines
        .lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("aclfile"));
    lines.fold(setup, Setup::line)
}

/// The configuration of the example, with what containers would see in other places.
fn compose(redis: &Redis) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let secrets = example("compose/secrets");
    let yaml = read("compose/gateway.yaml")
        .replace("0.0.0.0:8090", "127.0.0.1:0")
        .replace(
            "host: valkey",
            &format!("host: '{}'", redis.socket().display()),
        )
        .replace("/run/secrets", secrets.to_str().unwrap());
    write(&directory, &yaml);
    directory
}

fn write(directory: &TempDir, yaml: &str) {
    let plugin = plugins::session().display().to_string();
    let yaml = yaml.replace("/opt/gateway/plugins/session.so", &plugin);
    fs::write(directory.path().join("gateway.yaml"), yaml).unwrap();
}

/// What a user called `gateway` may do.
#[track_caller]
fn rule(text: &str) -> &str {
    let mut lines = text.lines();
    lines
        .find_map(|line| line.strip_prefix("user gateway "))
        .unwrap()
}

fn read(file: &str) -> String {
    fs::read_to_string(example(file)).unwrap()
}

fn example(file: &str) -> PathBuf {
    plugins::root().join("examples").join(file)
}

fn path(directory: &Path, file: &str) -> String {
    directory.join(file).display().to_string()
}
