//! `examples/balancer`, with services of the test's in place of its own.

use std::fs;

use e2e::{Answer, Gateway, Upstream, plugins};

use crate::anna::SESSION;

#[test]
fn visitors_of_the_example_stay_with_the_copy_they_came_to() {
    let copies = ["one", "two", "three"].map(|name| {
        let upstream = Upstream::start();
        upstream.answer("/up", Answer::status(204));
        upstream.answer("/login", Answer::ok().header("X-Session-Set", SESSION));
        upstream.answer("/", Answer::ok().body(name));
        upstream
    });
    let gateway = Gateway::run(configured(&copies));
    let mut browser = gateway.browser();
    browser.get("/login");

    let home = browser.get("/").text();

    assert!((0..10).all(|_| browser.get("/").text() == home));
    let seen = copies.iter().flat_map(Upstream::seen);
    let known = seen.filter(|request| request.header("x-user-id").as_deref() == Some("anna"));
    assert_eq!(known.count(), 11);
    assert!(
        gateway
            .admin()
            .get("/metrics")
            .text()
            .contains("gateway_upstream_requests_total{action=\"Shop\"")
    );
}

fn configured(copies: &[Upstream; 3]) -> tempfile::TempDir {
    let text = fs::read_to_string(plugins::root().join("examples/balancer/gateway.yaml")).unwrap();
    let places = ["127.0.0.1:9001", "127.0.0.1:9002", "127.0.0.1:9003"];
    let text = places.iter().zip(copies).fold(text, |text, (place, copy)| {
        assert!(text.contains(place), "{place} is not in the example");
        text.replace(place, &copy.address().to_string())
    });
    let text = text
        .replace("127.0.0.1:8090", "127.0.0.1:0")
        .replace("127.0.0.1:9091", "127.0.0.1:0")
        .replace(
            "../plugins/session.so",
            &plugins::session().display().to_string(),
        );
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("gateway.yaml"), text).unwrap();
    directory
}
