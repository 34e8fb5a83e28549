//! Who passes, and what the others are answered.

use e2e::{Provider, Redis, Request, Site, Upstream};
use serde_json::json;

use super::*;

#[test]
fn a_session_passes_and_its_token_is_what_the_upstream_is_shown() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = usual(&provider, &upstream).run();
    let tokens = tokens(&provider, 60);
    let mut browser = log_in(&gateway, &upstream, &tokens);

    let request = Request::get("/app/a").header("Authorization", "Basic bWFsbG9yeTp4");
    let answer = browser.send(request);

    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json()["headers"]["x-user-id"], "anna");
    assert_eq!(
        shown(&answer),
        format!("Bearer {}", tokens["access_token"].as_str().unwrap())
    );
    // Without the flag, what is between client and upstream stays there.
    let request = Request::get("/plain/a").header("Authorization", "Basic bWFsbG9yeTp4");
    assert_eq!(shown(&browser.send(request)), "Basic bWFsbG9yeTp4");
    assert!(provider.refreshes().is_empty());
}

#[test]
fn browsers_are_sent_to_log_in_and_programs_are_told() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = usual(&provider, &upstream).run();
    let go = |request: Request| {
        let answer = gateway.browser().send(request);
        (answer.status(), answer.header("location"))
    };
    let login = Some("/login/?redirect_path=%2Fapp%2Fa%3Fb%3D1".to_owned());

    assert_eq!(go(navigation("/app/a?b=1")), (302, login.clone()));
    let page = Request::new("HEAD", "/app/a?b=1").header("Accept", "text/html");
    assert_eq!(go(page), (302, login.clone()));
    let form = Request::post("/app/a?b=1", "application/x-www-form-urlencoded", "x=1")
        .header("Sec-Fetch-Mode", "navigate");
    assert_eq!(go(form), (303, login));

    for (name, value) in [
        ("Sec-Fetch-Mode", "cors"),
        ("Sec-Fetch-Mode", "no-cors"),
        ("Sec-Fetch-Mode", "websocket"),
        ("X-Requested-With", "XMLHttpRequest"),
        ("Accept", "application/json"),
        ("Accept", "*/*"),
    ] {
        let mut request = Request::get("/app/a").header(name, value);
        if name != "Accept" {
            request = request.header("Accept", "text/html");
        }
        let answer = gateway.browser().send(request);

        assert_eq!(
            (answer.status(), answer.header("location")),
            (401, None),
            "{name}: {value}"
        );
        let body = json!({ "error": "Unauthorized", "reason": "no-session", "login": "/login/?redirect_path=%2Fapp%2Fa" });
        assert_eq!(answer.json(), body);
        assert_eq!(
            answer.header("www-authenticate").unwrap(),
            "Bearer realm=\"gateway\""
        );
        assert_eq!(answer.header("cache-control").unwrap(), "no-store");
    }
    assert!(upstream.seen().is_empty());
}

#[test]
fn with_disable_redirect_everybody_is_told_and_nothing_else_changes() {
    let (provider, upstream) = (Provider::start(), Upstream::start());
    let gateway = usual(&provider, &upstream).run();

    let answer = gateway.browser().send(navigation("/silent/a"));

    assert_eq!((answer.status(), answer.header("location")), (407, None));
    assert_eq!(answer.json()["error"], "Proxy Authentication Required");
    assert!(answer.header("proxy-authenticate").is_some());
}

#[test]
fn no_path_leads_to_another_site() {
    let gateway = Site::bare()
        .middleware(&require(""))
        .action("Echo: { use: gateway.actions.EchoAction }")
        .route("path: /*, middlewares: [Load, Require], action: Echo")
        .run();
    for target in [
        "//evil.test/",
        "/%5Cevil.test",
        "/%2F%2Fevil.test",
        "//evil.test/%2e%2e",
        "/a%0d%0aX:%20y",
    ] {
        let answer = gateway.browser().send(navigation(target));

        if answer.status() == 400 {
            continue;
        }
        assert_eq!(answer.status(), 302, "{target}");
        let location = answer.header("location").unwrap();
        assert!(location.starts_with("/login/"), "{target}: {location}");
        let back = location
            .split_once("redirect_path=")
            .map_or("%2F", |(_, back)| back);
        assert!(back.starts_with("%2F"), "{target}: {location}");
        assert!(
            !back.to_ascii_lowercase().starts_with("%2f%2f"),
            "{target}: {location}"
        );
        assert!(
            !back.to_ascii_lowercase().starts_with("%2f%5c"),
            "{target}: {location}"
        );
    }
}

#[test]
fn a_page_on_another_host_is_told_of_origins_that_are_allowed() {
    let upstream = Upstream::start();
    let config = "loginPath: 'https://login.example.com/?lang=en', returnParameter: rd, \
                  allowedReturnOrigins: ['http://app.example.com']";
    let gateway = Site::new(&upstream)
        .middleware(&require(config))
        .route("path: /app/*, middlewares: [Load, Require], action: Forward")
        .run();
    let go = |host: &str| {
        let answer = gateway
            .browser()
            .send(navigation("/app/a").header("Host", host));
        answer.header("location").unwrap()
    };

    assert_eq!(
        go("app.example.com"),
        "https://login.example.com/?lang=en&rd=http%3A%2F%2Fapp.example.com%2Fapp%2Fa"
    );
    assert_eq!(go("evil.test"), "https://login.example.com/?lang=en");
}

#[test]
fn without_tokens_a_session_has_to_belong_to_somebody() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream)
        .middleware(&require("unauthenticatedStatus: 407"))
        .action("Echo: { use: gateway.actions.EchoAction }")
        .route("path: /app/*, middlewares: [Load, Require, Map], action: Echo")
        .run();
    let visit = |session: Value| {
        let answer = Answer::ok().header("X-Session-Set", &session.to_string());
        upstream.answer("/login", answer);
        let mut browser = gateway.browser();
        browser.get("/login");
        browser.get("/app/a").status()
    };

    assert_eq!(visit(json!({ "user_id": "anna" })), 200);
    assert_eq!(visit(json!({ "basket": [1] })), 407);
}

#[test]
fn an_outage_of_the_storage_is_never_a_page_to_log_in() {
    let upstream = Upstream::start();
    let mut redis = Redis::new();
    let gateway = Site::new(&upstream)
        .redis(&redis)
        .load("onStorageFailure: anonymous")
        .middleware(&require(""))
        .action("Echo: { use: gateway.actions.EchoAction }")
        .route("path: /app/*, middlewares: [Load, Require, Map], action: Echo")
        .run();
    let mut browser = log_in(&gateway, &upstream, &json!(null));
    assert_eq!(browser.get("/app/a").status(), 200);
    redis.kill();

    let statuses: Vec<u16> = (0..5)
        .map(|_| browser.send(navigation("/app/a")).status())
        .collect();

    // A copy may answer until the loss of the server is known.
    assert!(
        statuses.iter().all(|status| matches!(status, 200 | 503)),
        "{statuses:?}"
    );
    assert_eq!(statuses.last(), Some(&503));
}

#[test]
fn every_fault_of_the_configuration_is_told() {
    let upstream = Upstream::start();
    let config = "loginPath: '//evil.test', returnParameter: 'a b', \
                  allowedReturnOrigins: ['example.com'], token: { provider: nobody }";
    let verdict = Site::new(&upstream).middleware(&require(config)).refused();

    for text in [
        "loginPath: `//evil.test`: expected a path such as `/login/`",
        "returnParameter: `a b`: expected letters",
        "allowedReturnOrigins[0]: `example.com` is no origin",
        "token.provider: no provider is called `nobody`; the plugin's `providers` names none at all",
    ] {
        verdict.assert_refused(text);
    }
    let status = Site::new(&upstream).middleware(&require("unauthenticatedStatus: 200"));
    status
        .refused()
        .assert_refused("unauthenticatedStatus: `200` is not one of them: known are 401, 407");
}
