//! `examples/login` does what it says.

use std::fs;

use e2e::{Gateway, Request, Site, plugins};

use super::submit;

#[test]
fn example_lets_its_users_in_and_nobody_else() {
    let gateway = example();
    for (user, password) in [("anna", "violet"), ("bob", "orange")] {
        let mut browser = gateway.browser();
        let page = browser.get("/login").text();
        assert!(page.contains("Sign in to Example") && page.contains("#0f766e"));
        assert!(page.contains("name=\"remember_me\""));

        submit(
            &mut browser,
            &format!("username={user}&password={password}"),
        );

        let seen = browser.get("/").json();
        assert_eq!(seen["headers"]["x-user-id"], user);
    }
    let mut stranger = gateway.browser();
    submit(&mut stranger, "username=anna&password=orange");
    assert_eq!(stranger.get("/").status(), 401);
}

#[test]
fn example_brings_people_back_shows_their_sessions_and_lets_them_out() {
    let gateway = example();
    let mut browser = gateway.browser();
    let page = |target: &str| {
        Request::get(target)
            .header("Sec-Fetch-Mode", "navigate")
            .header("Accept", "text/html")
    };

    let sent = browser.send(page("/reports?year=2026"));
    let login = "/login?redirect_path=%2Freports%3Fyear%3D2026";
    assert_eq!(sent.header("location").as_deref(), Some(login));
    submit(&mut browser, "username=anna&password=violet");
    assert!(browser.send(page("/sessions")).text().contains("<form"));
    let form = "application/x-www-form-urlencoded";
    let out = Request::post("/logout", form, "").header("Sec-Fetch-Site", "same-origin");

    assert_eq!(browser.send(out).status(), 303);

    assert_eq!(browser.get("/").status(), 401);
}

/// A copy of the example that differs in two places: the port, and where `session.so` is.
fn example() -> Gateway {
    let copy = tempfile::tempdir().unwrap();
    for file in fs::read_dir(plugins::root().join("examples/login")).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let text = text.replace("127.0.0.1:8090", "127.0.0.1:0").replace(
            "../plugins/session.so",
            &plugins::session().display().to_string(),
        );
        fs::write(copy.path().join(path.file_name().unwrap()), text).unwrap();
    }
    Gateway::run(copy)
}

#[test]
fn documentation_has_every_text_and_every_variable() {
    let docs = fs::read_to_string(plugins::root().join("docs/login.md")).unwrap();
    let login = "Login: { use: plugins.session.actions.LoginAction, config: { page: { messages: { nothing: '' } } } }";
    let verdict = Site::bare().action(login).refused().text();
    let (_, names) = verdict.split_once("known are ").unwrap();
    let names: Vec<_> = names.lines().next().unwrap().split(", ").collect();

    assert!(names.len() > 10, "{names:?}");
    for name in names {
        assert!(docs.contains(&format!("| `{name}` |")), "{name}");
    }
    let css = plugins::root().join("plugin/engine/src/page/style.css");
    let css = fs::read_to_string(css).unwrap();
    let root = css.split('}').next().unwrap().lines();
    for line in root.filter(|line| line.trim().starts_with("--")) {
        let (name, _) = line.trim().split_once(':').unwrap();
        assert!(docs.contains(&format!("`{name}`")), "{name}");
    }
}
