use std::fs;

use e2e::Request;
use serde_json::json;

use super::{Door, USERS, submit};

#[test]
fn user_of_the_file_logs_in_and_the_service_sees_the_user() {
    let door = Door::open("", "");
    let mut browser = door.browser();

    let answer = submit(
        &mut browser,
        "username=anna&password=correct+horse&redirect_path=/reports?year=2026",
    );

    assert_eq!(answer.status(), 303);
    assert_eq!(
        answer.header("location").as_deref(),
        Some("/reports?year=2026")
    );
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(door.user(&mut browser).as_deref(), Some("anna"));
}

#[test]
fn program_logs_in_with_json() {
    let door = Door::open("page: none", "");
    let mut browser = door.browser();
    let credentials = json!({ "username": "bob", "password": "correct horse" }).to_string();

    let answer = browser.send(Request::post("/login", "application/json", &credentials));

    assert_eq!(
        (answer.status(), answer.json()),
        (200, json!({ "user_id": "bob" }))
    );
    assert_eq!(door.user(&mut browser).as_deref(), Some("bob"));
}

#[test]
fn id_that_was_planted_before_the_login_is_worth_nothing_after_it() {
    let door = Door::open("", "");
    let mut victim = door.browser();
    for (user, round) in [
        ("anna", "first login"),
        ("anna", "again"),
        ("bob", "another user"),
    ] {
        // Whoever planted the id, or saw it, still has it.
        let mut thief = victim.clone();

        let answer = submit(
            &mut victim,
            &format!("username={user}&password=correct+horse"),
        );

        assert_eq!(answer.status(), 303);
        assert_ne!(
            victim.cookie("session_id"),
            thief.cookie("session_id"),
            "{round}"
        );
        assert_eq!(door.user(&mut victim).as_deref(), Some(user), "{round}");
        assert_eq!(door.user(&mut thief), None, "{round}");
    }
    let mut planted = door.browser();
    planted.put_cookie("session_id", &"A".repeat(43));
    submit(&mut planted, "username=anna&password=correct+horse");
    assert_ne!(planted.cookie("session_id"), Some("A".repeat(43)));
}

#[test]
fn wrong_password_costs_neither_session_nor_place() {
    let door = Door::open("", "");
    let mut browser = door.browser();

    let answer = submit(
        &mut browser,
        "username=anna&password=wrong&redirect_path=/reports",
    );

    assert_eq!(
        answer.header("location").as_deref(),
        Some("?redirect_path=%2Freports&error=credentials")
    );
    assert_eq!(answer.header("set-cookie"), None);
    let page = browser.get("/login?redirect_path=%2Freports&error=credentials");
    assert_eq!(page.status(), 200);
    assert!(page.text().contains("value=\"/reports\""));
    assert_eq!(door.user(&mut browser), None);
}

#[test]
fn other_sites_change_nothing_in_any_way_they_can_ask() {
    let door = Door::open("", "");
    let form = "application/x-www-form-urlencoded";
    let json = r#"{"username":"anna","password":"correct horse"}"#;
    for request in [
        Request::post("/login", form, LOGIN),
        Request::post("/login", form, LOGIN).header("Origin", "https://evil.test"),
        Request::post("/login", form, LOGIN).header("Origin", "null"),
        Request::post("/login", form, LOGIN).header("Sec-Fetch-Site", "cross-site"),
        Request::post("/login", form, LOGIN).header("Sec-Fetch-Site", "same-site"),
        Request::post("/login", "text/plain", json).header("Sec-Fetch-Site", "cross-site"),
        Request::post("/login", "application/json", json).header("Origin", "https://evil.test"),
        Request::get(&format!("/login?{LOGIN}")),
    ] {
        let mut browser = door.browser();

        let answer = browser.send(request.clone());

        assert!([200, 403].contains(&answer.status()), "{request:?}");
        assert_eq!(answer.header("set-cookie"), None, "{request:?}");
        assert_eq!(door.user(&mut browser), None, "{request:?}");
    }
    door.gateway.logged("cross-origin");
}

#[test]
fn user_who_is_added_to_the_file_logs_in_without_a_restart() {
    let door = Door::open("", "");
    let mut browser = door.browser();
    let before = submit(&mut browser, "username=carol&password=correct+horse");
    assert!(before.header("location").unwrap().contains("error="));

    let carol = USERS.lines().next().unwrap().replace("anna:", "carol:");
    let file = door.directory.path().join("users");
    fs::write(file, format!("{USERS}{carol}\n")).unwrap();
    submit(&mut browser, "username=carol&password=correct+horse");

    assert_eq!(door.user(&mut browser).as_deref(), Some("carol"));
    door.gateway.logged("the users file was read again");
}

#[test]
fn remembered_login_lives_as_long_as_was_promised() {
    let door = Door::open(
        "page: { rememberMe: true }",
        "cookieExpiration: 2h, rememberMe: 30d",
    );
    let mut browser = door.browser();

    let usual = submit(&mut browser, LOGIN).header("set-cookie").unwrap();
    let remembered = submit(&mut browser, &format!("{LOGIN}&remember_me=true"));

    assert!(usual.contains("Max-Age=7200"), "{usual}");
    let remembered = remembered.header("set-cookie").unwrap();
    assert!(remembered.contains("Max-Age=2592000"), "{remembered}");
}

#[test]
fn what_was_typed_is_in_no_log() {
    let door = Door::open("", "");
    let mut browser = door.browser();

    submit(&mut browser, "username=hunter2&password=tr0ub4dor");
    submit(&mut browser, LOGIN);

    let line = door.gateway.logged("login-failed");
    assert!(
        line.contains(" peer=127.0.0.1 "),
        "what guards against guessing reads it: {line}"
    );
    door.gateway.logged("event=\"login\"");
    for word in ["hunter2", "tr0ub4dor", "correct horse", "anna"] {
        assert!(!door.gateway.log().contains(word), "{word}");
    }
}

#[test]
fn users_file_that_is_wrong_is_refused_before_anybody_waits_at_the_door() {
    let upstream = e2e::Upstream::start();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("users");
    fs::write(&file, "anna:plain text\n").unwrap();
    let login = format!(
        "Login: {{ use: plugins.session.actions.LoginAction, config: {{ usersFile: '{}', pgae: none }} }}",
        file.display()
    );

    let misspelt = e2e::Site::new(&upstream).action(&login).refused();
    misspelt.assert_refused("actions.Login.config.pgae: unknown key, did you mean `page`?");
    let wrong = e2e::Site::new(&upstream).action(&login.replace(", pgae: none", ""));
    let verdict = wrong.refused();

    verdict.assert_refused("actions.Login.config.usersFile: ");
    verdict.assert_refused("line 1: expected an argon2id or bcrypt hash");
    assert!(!verdict.text().contains("plain text"));
}

const LOGIN: &str = "username=anna&password=correct+horse";
