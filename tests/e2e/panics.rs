//! A panic in a plugin costs one request.

use e2e::{Gateway, Site, Upstream, plugins};

use crate::anna::{self, identity, is_anna, log_in};

#[test]
fn panic_in_any_phase_costs_one_request_and_is_logged_with_its_names() {
    let places = [
        ("request", "in the request phase"),
        ("future", "in a future"),
        ("response", "in the response phase"),
        ("responseFuture", "in a later future"),
    ];
    for (place, message) in places {
        let (gateway, _upstream) = with_panic_in(place);

        let statuses =
            ["/calm", "/panic", "/calm"].map(|path| gateway.browser().get(path).status());

        assert_eq!(statuses, [200, 500, 200], "{place}");
        let line = gateway.logged("component=\"Shaky\"");
        assert!(
            line.contains(message) && line.contains("plugin=\"trouble\""),
            "{line}"
        );
    }
}

#[test]
fn panic_in_an_action_costs_one_request() {
    let site = Site::bare().plugin(plugins::fixture("trouble"));
    let gateway = site
        .route("path: /*, action: { use: plugins.trouble.actions.PanicAction }")
        .run();

    let statuses = ["/", "/panic", "/"].map(|path| gateway.browser().get(path).status());

    assert_eq!(statuses, [200, 500, 200]);
    assert!(gateway.logged("in the action").contains("trouble"));
}

#[test]
fn client_learns_nothing_of_a_panic() {
    let (gateway, _upstream) = with_panic_in("request");

    let response = gateway.browser().get("/panic");

    let text = String::from_utf8_lossy(&response.head).into_owned() + &response.text();
    assert!(
        !text.contains("phase") && !text.contains("trouble") && !text.contains("Shaky"),
        "{text}"
    );
}

#[test]
fn session_is_still_there_after_a_panic() {
    let (gateway, upstream) = with_panic_in("request");
    let mut browser = log_in(&gateway);

    let during = browser.get("/panic");
    browser.get("/");

    assert_eq!((during.status(), during.header("set-cookie")), (500, None));
    assert_eq!(identity(&upstream.last()), is_anna());
}

fn with_panic_in(place: &str) -> (Gateway, Upstream) {
    let upstream = anna::upstream();
    let shaky = format!(
        "Shaky: {{ use: plugins.trouble.middlewares.PanicMiddleware, config: {{ in: {place} }} }}"
    );
    let site = Site::new(&upstream)
        .plugin(plugins::fixture("trouble"))
        .middleware(&shaky);
    let gateway = site.route("path: /panic, middlewares: [Load, Map, Shaky], action: Forward");
    let gateway = gateway
        .route("path: /calm, middlewares: [Shaky], action: Forward")
        .run();
    (gateway, upstream)
}
