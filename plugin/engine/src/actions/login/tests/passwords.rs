//! Passwords, as programs send them and as forms do.

use super::*;

#[test]
fn program_with_the_right_password_gets_the_user() {
    let scene = Scene::new(json!({}));

    let exchange = scene.post(&json!({ "username": "anna", "password": PASSWORD }));

    assert_eq!(exchange.status(), Some(200));
    assert_eq!(body(&exchange), json!({ "user_id": "anna" }));
    assert_eq!(exchange.response_headers("cache-control"), ["no-store"]);
    assert_eq!(scene.user(), Some(json!("anna")));
    assert!(
        scene.session.is_regenerated(),
        "a new id, whatever came before"
    );
    assert_eq!(scene.session.handle().get("remember_me"), None);
}

#[test]
fn login_is_stored_before_it_is_answered() {
    let scene = Scene::new(json!({}));
    let config = json!({ "maxSessionsPerPrincipal": 1, "onLimit": "refuse" });
    let middleware = scene.middleware(config);
    let log_in = |cookie: &str| {
        let login = json!({ "username": "bob", "password": PASSWORD }).to_string();
        let mut exchange = scene
            .gateway
            .exchange("POST", "/login")
            .with_header("cookie", cookie)
            .with_header("content-type", "application/json")
            .with_body(login);
        let mut answered = Ok(());
        let _ = exchange.run_with(&middleware, |exchange| {
            answered = exchange.call(&scene.action);
        });
        (exchange, answered)
    };

    let (first, answered) = log_in("");
    answered.unwrap();
    let [cookie] = first.response_headers("set-cookie")[..] else {
        panic!("one cookie, told once")
    };
    let (_, refused) = log_in("");
    let (again, answered) = log_in(cookie.split(';').next().unwrap());
    answered.unwrap();

    assert_eq!(first.status(), Some(200));
    assert_eq!(refused.unwrap_err().reason(), "too-many-sessions");
    assert_eq!(again.response_headers("set-cookie").len(), 1);
    assert_eq!(scene.counted("done"), 2, "what was refused was no login");
}

#[test]
fn program_without_the_right_password_gets_401_and_nothing_happens() {
    let scene = Scene::new(json!({}));
    for (username, password) in [("anna", "wrong"), ("nobody", PASSWORD)] {
        let exchange = scene.post(&json!({ "username": username, "password": password }));

        assert_eq!(exchange.status(), Some(401));
        assert_eq!(body(&exchange), json!({ "error": "credentials" }));
    }
    assert!(scene.session.handle().keys().is_empty());
    assert!(!scene.session.is_regenerated());
}

#[test]
fn browser_with_the_right_password_goes_where_it_came_from() {
    let scene = Scene::new(json!({ "allowedReturnOrigins": ["https://app.test"] }));
    for (asked, location) in [
        ("/reports?year=2026", "/reports?year=2026"),
        ("https://app.test/a", "https://app.test/a"),
        ("http://gateway.test/b", "/b"),
        ("https://evil.test/", "/"),
        ("//evil.test", "/"),
        ("/\\evil.test", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ] {
        let fields = [
            ("username", "anna"),
            ("password", PASSWORD),
            ("redirect_path", asked),
        ];
        let exchange = scene.submit(&fields);

        assert_eq!(exchange.status(), Some(303), "{asked}");
        assert_eq!(exchange.response_headers("location"), [location], "{asked}");
    }
}

#[test]
fn browser_without_the_right_password_comes_back_and_keeps_its_target() {
    let scene = Scene::new(json!({}));
    let fields = [
        ("username", "anna"),
        ("password", "wrong"),
        ("redirect_path", "/a?b=c&d"),
    ];

    let exchange = scene.submit(&fields);

    assert_eq!(exchange.status(), Some(303));
    let location = exchange.response_headers("location")[0];
    assert_eq!(
        location,
        "?redirect_path=%2Fa%3Fb%3Dc%26d&error=credentials"
    );
    let page = scene.get(&format!("/login{location}"));
    let html = text(&page);
    assert!(html.contains("role=\"alert\">The user name or the password is wrong."));
    assert!(html.contains("name=\"redirect_path\" value=\"/a?b=c&amp;d\""));
    assert!(html.contains("<title>Error: Sign in</title>"));
    assert!(!html.contains("wrong\""), "what was typed is nowhere");
}

#[test]
fn remembering_is_asked_for_in_json_and_by_a_box() {
    for (value, remembered) in [("true", true), ("on", true), ("", false), ("false", false)] {
        let scene = Scene::new(json!({}));
        let fields = [
            ("username", "anna"),
            ("password", PASSWORD),
            ("remember_me", value),
        ];
        scene.submit(&fields);

        let expected = remembered.then_some(json!(true));
        assert_eq!(scene.session.handle().get("remember_me"), expected);
    }
    let scene = Scene::new(json!({}));
    scene.post(&json!({ "username": "anna", "password": PASSWORD, "remember_me": true }));
    assert_eq!(scene.session.handle().get("remember_me"), Some(json!(true)));

    scene.post(&json!({ "username": "anna", "password": PASSWORD }));
    assert_eq!(
        scene.session.handle().get("remember_me"),
        None,
        "the latest login counts"
    );
}

#[test]
fn visitor_keeps_what_was_gathered_and_another_user_gets_nothing_of_it() {
    let scene = Scene::with_session(json!({}), json!({ "cart": [1] }));
    scene.post(&json!({ "username": "anna", "password": PASSWORD }));
    assert_eq!(scene.session.handle().get("cart"), Some(json!([1])));

    scene.session.handle().set("token", json!({})).unwrap();
    scene.post(&json!({ "username": "anna", "password": PASSWORD }));
    assert_eq!(scene.session.handle().get("cart"), Some(json!([1])));
    assert_eq!(
        scene.session.handle().get("token"),
        None,
        "of another login"
    );

    scene.post(&json!({ "username": "bob", "password": PASSWORD }));
    assert_eq!(scene.session.handle().keys(), ["user_id"]);
    assert_eq!(scene.user(), Some(json!("bob")));
}

#[test]
fn another_site_logs_nobody_in() {
    let scene = Scene::new(json!({}));
    let fields = form(&[("username", "anna"), ("password", PASSWORD)]);
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.test"),
        ("origin", "null"),
        ("referer", "https://evil.test/"),
        ("x-nothing", "at all"),
    ] {
        let exchange = scene.exchange("POST", "/login").with_header(name, value);
        let mut exchange = exchange
            .with_header("content-type", FORM)
            .with_body(fields.clone());

        let failure = exchange.call(&scene.action).unwrap_err();

        assert_eq!(failure.reason(), "cross-origin", "{name}: {value}");
    }
    assert_eq!(scene.user(), None);
}

#[test]
fn get_changes_nothing() {
    let scene = Scene::new(json!({}));

    scene.get(&format!("/login?username=anna&password={PASSWORD}"));

    assert!(scene.session.handle().keys().is_empty());
}

#[test]
fn guessing_has_to_wait_and_is_told_how_long() {
    let scene = Scene::new(json!({}));
    let wrong = json!({ "username": "anna", "password": "wrong" });
    for _ in 0..5 {
        assert_eq!(scene.post(&wrong).status(), Some(401));
    }

    let right = json!({ "username": "ANNA ", "password": PASSWORD });
    let exchange = scene.post(&right);
    assert_eq!(exchange.status(), Some(429));
    assert_eq!(exchange.response_headers("retry-after"), ["1"]);
    assert_eq!(
        body(&exchange),
        json!({ "error": "throttled", "retryAfter": 1 })
    );
    let exchange = scene.submit(&[("username", "anna"), ("password", PASSWORD)]);
    assert_eq!(
        exchange.response_headers("location"),
        ["?error=throttled&wait=1"]
    );
    let page = scene.get("/login?error=throttled&wait=1");
    assert!(text(&page).contains("Try again in 1 s."));

    scene.clock.advance(Duration::from_secs(1));
    let right = json!({ "username": "anna", "password": PASSWORD });
    assert_eq!(scene.post(&right).status(), Some(200));
    assert_eq!(scene.counted("done"), 1);
    assert_eq!(scene.counted("credentials"), 5);
    assert_eq!(scene.counted("throttled"), 2);
}

#[test]
fn request_that_asks_for_no_login_is_malformed() {
    let scene = Scene::new(json!({}));
    let long = "a".repeat(1025);
    let pair = |name: &str, password: &str| form(&[("username", name), ("password", password)]);
    for (kind, body) in [
        ("application/json", b"{}".to_vec()),
        ("application/json", b"[]".to_vec()),
        (
            "application/json",
            br#"["anna","correct horse",false]"#.to_vec(),
        ),
        (
            "application/json",
            br#"{"username":["anna"],"password":"x"}"#.to_vec(),
        ),
        ("application/json", br#"{"username":"anna"}"#.to_vec()),
        ("text/plain", pair("anna", "x")),
        ("multipart/form-data", pair("anna", "x")),
        ("", pair("anna", "x")),
        (FORM, pair("", "x")),
        (FORM, pair("anna", "")),
        (FORM, pair("an\nna", "x")),
        (FORM, pair("anna", "x\0")),
        (FORM, pair("anna", &long)),
        (FORM, pair(&long, "x")),
        (FORM, b"username=anna&username=bob&password=x".to_vec()),
        (FORM, b"username=anna&password=x&password=y".to_vec()),
        (FORM, Vec::new()),
    ] {
        let mut exchange = scene
            .exchange("POST", "/login")
            .with_header("sec-fetch-site", "same-origin")
            .with_header("content-type", kind)
            .with_body(body.clone());

        let failure = exchange.call(&scene.action).unwrap_err();

        let body = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(failure.reason(), "malformed-login", "{kind}: {body}");
    }
}
