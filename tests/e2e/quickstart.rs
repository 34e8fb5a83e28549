//! The transcript of the README, on the configuration of `examples/quickstart`.

use std::fs;
use std::path::Path;

use e2e::{Gateway, Request, plugins};

#[test]
fn login_dashboard_and_stranger_go_as_the_readme_says() {
    let gateway = Gateway::run(quickstart());
    let mut browser = gateway.browser();

    let login = browser.get("/login");
    let mine = browser.get("/dashboard");
    let forged = gateway
        .browser()
        .send(Request::get("/dashboard").header("X-User-Id", "mallory"));

    assert_eq!(login.status(), 200);
    assert_eq!(login.text(), "welcome\n");
    let cookie = login.header("set-cookie").expect("the login sets a cookie");
    assert!(cookie.starts_with("session_id="), "{cookie}");
    assert!(
        cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"),
        "{cookie}"
    );
    assert_eq!(login.header("x-session-set"), None);
    assert_eq!(mine.status(), 200);
    assert!(
        mine.text().contains("anna") && mine.text().contains("Bearer demo-token"),
        "{}",
        mine.text()
    );
    assert_eq!(forged.status(), 200);
    assert!(!forged.text().contains("mallory"), "{}", forged.text());
}

#[test]
fn logout_ends_the_session_and_clears_the_cookie() {
    let gateway = Gateway::run(quickstart());
    let mut browser = gateway.browser();
    browser.get("/login");
    let mut stolen = browser.clone();

    let logout = browser.get("/logout");

    assert_eq!(browser.cookie("session_id"), None, "{:?}", logout.headers());
    assert!(!stolen.get("/dashboard").text().contains("anna"));
}

#[test]
fn cookie_is_not_shown_to_the_service() {
    let gateway = Gateway::run(quickstart());
    let mut browser = gateway.browser();
    browser.get("/login");
    browser.put_cookie("theme", "dark");
    let id = browser.cookie("session_id").unwrap();

    let dashboard = browser.get("/dashboard").text();

    assert!(dashboard.contains("theme=dark"), "{dashboard}");
    assert!(!dashboard.contains(&id), "{dashboard}");
}

/// A copy of the example that differs in two places: the port, and where `session.so` is.
fn quickstart() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in fs::read_dir(plugins::root().join("examples/quickstart")).unwrap() {
        let path = file.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            let text = adapted(&fs::read_to_string(&path).unwrap(), plugins::session());
            fs::write(copy.path().join(path.file_name().unwrap()), text).unwrap();
        }
    }
    copy
}

fn adapted(text: &str, session: &Path) -> String {
    text.replace("127.0.0.1:8090", "127.0.0.1:0")
        .replace("../plugins/session.so", &session.display().to_string())
}
