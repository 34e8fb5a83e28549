//! A provider that does not do its work.

use super::*;

#[test]
fn redirects_are_not_followed() {
    let scene = Scene::new();
    scene.stage.answers_with(
        "/token",
        307,
        &format!("Location: {}\r\n", scene.stage.url("/evil")),
        &json!({}),
    );

    let error = scene
        .stage
        .wait(scene.provider.password_grant("anna", "secret"))
        .unwrap_err();

    assert_eq!(error.reason(), "unexpected-answer");
    assert!(scene.stage.calls("/evil").is_empty());
}

#[test]
fn more_than_a_provider_has_to_say_is_not_read() {
    let scene = Scene::new();
    scene.stage.answers(
        "/token",
        200,
        &json!({ "access_token": "x".repeat(600 * 1024) }),
    );

    let error = scene
        .stage
        .wait(scene.provider.password_grant("anna", "secret"))
        .unwrap_err();

    assert_eq!(error.reason(), "too-large");
}

#[test]
fn a_connection_that_breaks_is_an_outage() {
    let scene = Scene::new();
    for bytes in [
        "",
        "HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n{",
        "nonsense\r\n\r\n",
    ] {
        scene.stage.says("/token", bytes);

        let error = scene
            .stage
            .wait(scene.provider.password_grant("anna", "secret"))
            .unwrap_err();

        assert!(
            matches!(error, GrantError::Unavailable(_)),
            "{bytes:?}: {error:?}"
        );
        assert_eq!(error.reason(), "connection-broken");
    }
}

#[test]
fn whoever_is_not_there_and_whoever_never_answers_are_outages() {
    let stage = Stage::new();
    // Connections to it wait in its backlog.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    for (port, reason) in [(1, "connect"), (silent_port, "timeout")] {
        let provider = stage.provider(json!({
            "tokenUrl": format!("http://127.0.0.1:{port}/token"), "certUrl": stage.url("/keys"), "clientId": "a",
            "timeout": "50ms", "connectTimeout": "50ms",
        }));

        let error = stage
            .wait(provider.password_grant("anna", "secret"))
            .unwrap_err();

        assert_eq!(error.reason(), reason);
    }
}

#[test]
fn an_outage_says_when_to_come_back_and_nothing_about_the_user() {
    let scene = Scene::new();
    for (status, body, reason) in [
        (503, json!({}), "server-error"),
        (500, json!({ "error": "invalid_grant" }), "server-error"),
        (429, json!({ "error": "slow_down" }), "too-many-requests"),
        (
            404,
            json!({ "error": "no such realm" }),
            "unexpected-answer",
        ),
    ] {
        scene
            .stage
            .answers_with("/token", status, "Retry-After: 7\r\n", &body);

        let error = scene
            .stage
            .wait(scene.provider.password_grant("anna", "secret"))
            .unwrap_err();

        let GrantError::Unavailable(outage) = error else {
            panic!("{error:?}");
        };
        assert_eq!(
            (outage.reason(), outage.retry_after),
            (reason, Some(std::time::Duration::from_secs(7)))
        );
    }
}
