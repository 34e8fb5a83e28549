//! What upstreams and logs are told about a client, with and without proxies in front.

use e2e::{Gateway, Request, Site, Upstream};

#[test]
fn strangers_are_who_they_are_whatever_they_claim() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream).run();

    ask(&gateway);

    let seen = upstream.last();
    let text = String::from_utf8_lossy(&seen.head).into_owned();
    assert!(
        !text.contains("203.0.113.7") && !text.contains("shop.test"),
        "{text}"
    );
    assert_eq!(seen.header("x-forwarded-for").as_deref(), Some("127.0.0.1"));
    assert!(gateway.logged("path=\"/a\"").contains("peer=127.0.0.1"));
}

#[test]
fn a_trusted_proxy_is_believed_about_client_scheme_and_host() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream).server("trustedProxies: [127.0.0.0/8]");
    let site = site.action("Told: { use: gateway.actions.StaticAction, config: { body: 'shop' } }");
    let gateway = site
        .route("path: /shop, host: shop.test, action: Told")
        .run();

    ask(&gateway);
    let routed = Request::get("/shop").header("X-Forwarded-Host", "shop.test");
    let routed = gateway.browser().send(routed);

    let seen = upstream.last();
    let told = [
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
        "host",
        "forwarded",
    ];
    assert_eq!(
        told.map(|name| seen.header(name).unwrap_or_default()),
        [
            "203.0.113.7, 127.0.0.1",
            "https",
            "shop.test",
            "shop.test",
            "for=203.0.113.7;host=\"shop.test\";proto=https, for=127.0.0.1",
        ]
    );
    assert_eq!(routed.text(), "shop");
    assert!(gateway.logged("path=\"/a\"").contains("peer=203.0.113.7"));
}

#[test]
fn a_proxy_that_passes_on_a_second_story_is_refused() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream).server("trustedProxies: [127.0.0.1]");

    let request = Request::get("/").header("X-Forwarded-For", "203.0.113.7");
    let request = request.header("Forwarded", "for=198.51.100.9");

    assert_eq!(site.run().browser().send(request).status(), 400);
    assert!(upstream.seen().is_empty());
}

fn ask(gateway: &Gateway) {
    let request = Request::get("/a")
        .header("X-Forwarded-For", "6.6.6.6, 203.0.113.7")
        .header("X-Forwarded-Proto", "https");
    gateway
        .browser()
        .send(request.header("X-Forwarded-Host", "shop.test"));
}
