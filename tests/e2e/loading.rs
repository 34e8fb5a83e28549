//! Plugins that must not be loaded, each with one line that says why, and plugins side by side.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use e2e::{Site, Verdict, plugins};
use tempfile::TempDir;

use crate::anna;

#[test]
fn library_that_cannot_be_used_is_refused_with_its_reason() {
    let files = Files::new();
    let session = fs::read(plugins::session()).unwrap();
    let mut foreign_machine = session.clone();
    foreign_machine[18] = 183;
    let cases: [(PathBuf, &str); 10] = [
        (
            files.path("missing.so"),
            "cannot read: No such file or directory",
        ),
        (
            files.directory("directory.so"),
            "not a shared library (it is a directory)",
        ),
        (
            files.file("text.so", b"#!/bin/sh\n"),
            "not a shared library (no ELF header)",
        ),
        (
            files.file("empty.so", b""),
            "not a shared library (no ELF header)",
        ),
        (
            files.file("truncated.so", &session[..100_000]),
            "file is truncated (100000 bytes, its segments need",
        ),
        (
            files.file("arm.so", &foreign_machine),
            "built for aarch64, this gateway runs on x86_64",
        ),
        (
            plugins::fixture("foreign").into(),
            "does not export a gateway plugin entry point",
        ),
        (
            plugins::fixture("wrong_abi").into(),
            "built for plugin interface 4711, this gateway speaks 1: rebuild the plugin",
        ),
        (
            plugins::fixture("other_layout").into(),
            "built for an incompatible interface",
        ),
        (
            plugins::fixture("panic_abort").into(),
            "built with panic = \"abort\"",
        ),
    ];

    for (path, reason) in cases {
        is_refused(&Site::bare().plugin(&path), &path, reason);
    }
}

#[test]
fn unreadable_library_is_refused() {
    let files = Files::new();
    let path = files.file("secret.so", b"");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read everything.
    let is_root = fs::read(&path).is_ok();

    let reason = if is_root {
        "not a shared library"
    } else {
        "cannot read: Permission denied"
    };
    is_refused(&Site::bare().plugin(&path), &path, reason);
}

#[test]
fn plugin_that_fails_while_it_starts_is_refused() {
    let panics = plugins::fixture("panics_at_load");
    let trouble = plugins::fixture("trouble");

    is_refused(&Site::bare().plugin(panics), panics, "nothing to offer");
    let error = Site::bare().plugin_with(trouble, "open: error").refused();
    let panic = Site::bare().plugin_with(trouble, "open: panic").refused();

    error.assert_refused("plugins[1].config.open: the configuration says no");
    panic.assert_refused("as the configuration says");
}

#[test]
fn component_whose_constructor_panics_is_refused() {
    let site = Site::bare().plugin(plugins::fixture("trouble"));

    let verdict = site
        .middleware(
            "P: { use: plugins.trouble.middlewares.PanicMiddleware, config: { in: constructor } }",
        )
        .refused();

    verdict.assert_refused("middlewares.P");
    verdict.assert_refused("in the constructor");
}

#[test]
fn all_refused_plugins_are_named_in_one_pass() {
    let files = Files::new();
    let [one, other] = [files.path("one.so"), files.file("other.so", b"no")];

    let verdict = Site::bare()
        .plugin(&one)
        .plugin(&other)
        .plugin(plugins::fixture("wrong_abi"))
        .refused();

    for text in ["one.so", "other.so", "4711"] {
        verdict.assert_refused(text);
    }
}

#[test]
fn plugin_in_two_places_is_refused() {
    let files = Files::new();
    let copy = files.file("copy.so", &fs::read(plugins::session()).unwrap());

    Site::bare()
        .plugin(&copy)
        .refused()
        .assert_refused("session");
}

#[test]
fn plugins_of_different_workspaces_are_listed_side_by_side() {
    let site = Site::bare()
        .plugin(plugins::guestbook())
        .plugin(plugins::fixture("trouble"));

    let verdict = Verdict::of("plugins", site.write().path());

    assert!(verdict.success, "{}", verdict.text());
    for text in [
        "LoadSessionMiddleware",
        "MapSessionToHeaderMiddleware",
        "MemoryStorage",
        "RedisStorage",
        "LoginMiddleware",
        "LogbookStorage",
        "PanicMiddleware",
    ] {
        assert!(
            verdict.output.contains(text),
            "{text} is not in:\n{}",
            verdict.output
        );
    }
}

#[test]
fn session_plugin_of_another_lock_file_serves_beside_the_third_party() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream)
        .plugins_in_order(&[plugins::fixture("session_elsewhere"), plugins::guestbook()])
        .run();
    let mut browser = anna::log_in(&gateway);

    browser.get("/");

    assert_eq!(anna::identity(&upstream.last()), anna::is_anna());
}

#[test]
fn schema_describes_components_of_every_plugin() {
    let verdict = Verdict::of(
        "schema",
        Site::bare().plugin(plugins::guestbook()).write().path(),
    );

    let schema: serde_json::Value = serde_json::from_str(&verdict.output).expect("a JSON Schema");
    let text = schema.to_string();
    for key in [
        "cookieHTTPOnly",
        "secretsFile",
        "autoRenewAfter",
        "maxRows",
        "upstreamEndpoint",
    ] {
        assert!(text.contains(key), "{key} is not in the schema");
    }
}

#[track_caller]
fn is_refused(site: &Site, path: &Path, reason: &str) {
    let verdict = site.refused();

    verdict.assert_refused(reason);
    let text = verdict.text();
    let names_it = |line: &str| line.contains(reason) && line.contains(&path.display().to_string());
    assert!(
        text.lines().any(names_it),
        "no line names {}:\n{text}",
        path.display()
    );
    assert!(!text.contains("listening"), "{text}");
}

/// Files that are no plugins.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    fn directory(&self, name: &str) -> PathBuf {
        fs::create_dir(self.path(name)).unwrap();
        self.path(name)
    }
}
