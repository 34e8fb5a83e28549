//! The OpenAPI document, held against a running gateway by a program that only knows the document.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use e2e::{Gateway, Redis, Site};

use crate::anna;

#[test]
fn running_gateway_does_what_its_document_says() {
    let redis = Redis::new();
    let gateway = Site::new(&anna::upstream())
        .redis(&redis)
        // The tool asks with one cookie all the time, also after it has renewed the session.
        .load("rotationGrace: 5m, autoRenewAfter: 30m, revokeOnReuse: false")
        .action("Sessions: { use: plugins.session.actions.SessionsAction }")
        .action("Info: { use: plugins.session.actions.InfoAction, config: { values: [user_id], roles: true, scopes: true } }")
        .action("Refresh: { use: plugins.session.actions.RefreshAction }")
        .action("OpenApi: { use: plugins.session.actions.OpenApiAction, config: { sessions: /sessions, info: /info, refresh: /refresh } }")
        .route("path: /openapi.json, action: OpenApi")
        .route("path: /sessions, middlewares: [Load], action: Sessions")
        .route("path: /sessions/:id, middlewares: [Load], action: Sessions")
        .route("path: /info, middlewares: [Load], action: Info")
        .route("path: /refresh, middlewares: [Load], action: Refresh")
        .run();
    let browser = anna::log_in(&gateway);

    hold(&gateway, &browser.cookie("session_id").unwrap());
}

#[test]
fn logins_and_logouts_are_what_the_document_says() {
    let directory = tempfile::tempdir().unwrap();
    let users = directory.path().join("users");
    fs::write(&users, USERS).unwrap();
    let gateway = Site::new(&anna::upstream())
        .action(&format!(
            "Enter: {{ use: plugins.session.actions.LoginAction, config: {{ usersFile: '{}' }} }}",
            users.display()
        ))
        .action("Leave: { use: plugins.session.actions.LogoutAction }")
        .action("OpenApi: { use: plugins.session.actions.OpenApiAction, config: { login: /enter, logout: /leave } }")
        .route("path: /openapi.json, action: OpenApi")
        .route("path: /enter, middlewares: [Load], action: Enter")
        .route("path: /leave, middlewares: [Load], action: Leave")
        .run();
    let browser = anna::log_in(&gateway);

    hold(&gateway, &browser.cookie("session_id").unwrap());

    // The example of the document is a user here; everybody else is not.
    for told in [
        "event=\"login\"",
        "event=\"login-failed\"",
        "reason=\"logout\"",
    ] {
        assert!(gateway.count(told) > 0, "{told} has not happened");
    }
}

/// Lets the tool try what the document of a gateway says, with a session.
fn hold(gateway: &Gateway, session: &str) {
    let directory = tempfile::tempdir().unwrap();
    let settings = directory.path().join("schemathesis.toml");
    let auth = format!("[auth.openapi.session]\napi_key = \"{session}\"\n");
    fs::write(&settings, auth).unwrap();

    let output = Command::new(python())
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(&settings)
        .args(["run", "--max-examples=30", "--seed=1", "--no-color"])
        .arg(format!("http://{}/openapi.json", gateway.address()))
        .current_dir(directory.path())
        .output()
        .unwrap();

    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{report}");
    assert!(report.contains("generated"), "it tried nothing:\n{report}");
}

/// The Python that has the tool, in an environment of its own beside what cargo builds. Made once, by whichever test
/// comes first.
fn python() -> &'static Path {
    static PYTHON: LazyLock<PathBuf> = LazyLock::new(install);
    &PYTHON
}

fn install() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let home = test
        .ancestors()
        .nth(2)
        .unwrap()
        .join(format!("e2e-schemathesis-{VERSION}"));
    let (python, complete) = (home.join("bin/python"), home.join("complete"));
    if !complete.is_file() {
        // What is left of a run that was broken off.
        let _ = fs::remove_dir_all(&home);
        run(Command::new("python3").args(["-m", "venv"]).arg(&home));
        let package = format!("schemathesis=={VERSION}");
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", &package]));
        fs::write(&complete, "").unwrap();
    }
    python
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
}

const VERSION: &str = "4.32.5";
/// `anna` with `correct horse`, as cheap as can be.
const USERS: &str = "anna:$argon2id$v=19$m=64,t=1,p=1$3tqhBs1oaOYtz9QUU+47pA$07SbOw33xiwA5WFudYQzD1i/yNfXxSZHMmS47L6Xeyk\n";
