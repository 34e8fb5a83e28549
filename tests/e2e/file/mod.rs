//! Sessions in a file: over restarts, over crashes, and of one gateway only.

mod crash;

use std::path::{Path, PathBuf};

use e2e::{Gateway, Site, Upstream, Verdict};
use tempfile::TempDir;

use crate::anna::{self, identity, is_anna, log_in};

#[test]
fn sessions_survive_a_restart_and_a_crash() {
    for (signal, durability) in [
        ("TERM", "everyWrite"),
        ("TERM", "everySecond"),
        ("KILL", "everyWrite"),
    ] {
        let data = TempDir::new().unwrap();
        let upstream = anna::upstream();
        let site = on(
            Site::new(&upstream),
            data.path(),
            &format!("durability: {durability}"),
        );
        let mut gateway = site.run();
        let browser = log_in(&gateway);

        gateway.signal(signal);
        gateway.wait();
        let next = site.run();
        browser.at(next.address()).get("/");

        assert_eq!(
            identity(&upstream.last()),
            is_anna(),
            "{signal} {durability}"
        );
    }
}

#[test]
fn second_gateway_on_one_path_is_refused_in_one_line() {
    let data = TempDir::new().unwrap();
    let upstream = anna::upstream();
    let site = on(Site::new(&upstream), data.path(), "");
    let gateway = site.run();

    let second = site.refused();

    let file = data.path().join("sessions.redb");
    let fault = format!(
        "gateway.yaml: storages.Store.config.path: `{}` is in use by another gateway\n1 fault",
        file.display()
    );
    second.assert_refused(&fault);
    log_in(&gateway);
}

#[test]
fn check_passes_beside_a_gateway_that_has_the_file_open() {
    let data = TempDir::new().unwrap();
    let site = on(Site::new(&anna::upstream()), data.path(), "");
    let directory = site.write();
    let _gateway = site.run();

    for subcommand in ["check", "routes", "plugins", "schema"] {
        let verdict = Verdict::of(subcommand, directory.path());

        assert!(verdict.success, "{subcommand}: {}", verdict.text());
    }
}

#[test]
fn check_makes_nothing() {
    let site = Site::new(&Upstream::start()).storage(
        "plugins.session.storages.FileStorage",
        "path: state/sessions",
    );
    let directory = site.write();

    let verdict = Verdict::of("check", directory.path());

    assert!(verdict.success, "{}", verdict.text());
    assert!(!directory.path().join("state").exists());
}

#[test]
fn empty_path_is_a_directory_that_the_log_names_and_that_goes_with_the_gateway() {
    let upstream = Upstream::start();
    let mut gateway = Site::new(&upstream)
        .storage("plugins.session.storages.FileStorage", "")
        .run();

    let directory = temporary(&gateway);
    let file = directory.join("sessions.redb");
    let was_there = file.exists();
    gateway.signal("TERM");
    gateway.wait();

    assert!(was_there, "{} is not there", file.display());
    assert!(
        !directory.exists(),
        "{} is still there",
        directory.display()
    );
}

#[test]
fn relative_path_is_relative_to_the_configuration() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream).storage(
        "plugins.session.storages.FileStorage",
        "path: state/sessions",
    );
    let directory = site.write();
    let file = directory.path().join("state/sessions/sessions.redb");

    let _gateway = Gateway::run(directory);

    assert!(file.exists(), "{} is not there", file.display());
}

#[test]
fn foreign_file_and_unknown_durability_are_faults() {
    let data = TempDir::new().unwrap();
    std::fs::write(data.path().join("sessions.redb"), "not ours").unwrap();
    let file = "plugins.session.storages.FileStorage";
    let site = on(Site::bare(), data.path(), "");
    let other = Site::bare().storage(file, "durability: everyMinute");

    let foreign = "sessions.redb` is no file of this storage";
    site.refused().assert_refused(foreign);
    Verdict::of("check", site.write().path()).assert_refused(foreign);
    other.refused().assert_refused("everySecond");
}

/// Keeps the sessions of a site in a directory.
fn on(site: Site, directory: &Path, keys: &str) -> Site {
    let config = format!("path: '{}', {keys}", directory.display());
    site.storage("plugins.session.storages.FileStorage", &config)
}

/// The directory that the log names.
fn temporary(gateway: &Gateway) -> PathBuf {
    let line = gateway.logged("temporary directory");
    let path = line.split("path=").nth(1).unwrap();
    PathBuf::from(path.split_whitespace().next().unwrap())
}
