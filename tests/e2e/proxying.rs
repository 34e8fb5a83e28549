//! Requests and responses on their way through, with what belongs to a connection taken out.

use e2e::{Answer, Request, Site, Upstream, converse};

#[test]
fn method_path_query_headers_and_body_arrive_as_they_were_sent() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream).run();

    let request = Request::new("PUT", "/a%2Fb/%C3%A4?x=1&y=%20")
        .header("X-Custom", "one, two")
        .header("X-Custom", "three");
    gateway
        .browser()
        .send(request.header("Host", "shop.test").body("payload"));

    let seen = upstream.last();
    assert_eq!(seen.start_line(), "PUT /a%2Fb/%C3%A4?x=1&y=%20 HTTP/1.1");
    assert_eq!(seen.values("x-custom"), ["one, two", "three"]);
    assert_eq!(seen.header("host").as_deref(), Some("shop.test"));
    assert_eq!(seen.text(), "payload");
}

#[test]
fn status_headers_and_body_of_the_upstream_arrive_as_they_were_sent() {
    let upstream = Upstream::start();
    upstream.answer(
        "/",
        Answer::status(418)
            .header("X-A", "1")
            .header("X-A", "2")
            .body("short and stout"),
    );
    let gateway = Site::new(&upstream).run();

    let response = gateway.browser().get("/");

    assert_eq!(
        (response.status(), response.text().as_str()),
        (418, "short and stout")
    );
    assert_eq!(response.values("x-a"), ["1", "2"]);
}

#[test]
fn headers_of_one_connection_do_not_reach_the_next() {
    let upstream = Upstream::start();
    upstream.answer(
        "/",
        Answer::ok()
            .header("Connection", "X-Up")
            .header("X-Up", "1")
            .header("Keep-Alive", "timeout=5"),
    );
    let gateway = Site::new(&upstream).run();

    let request = Request::get("/")
        .header("Connection", "X-Down, close")
        .header("X-Down", "1");
    let request = request
        .header("Keep-Alive", "1")
        .header("Proxy-Authorization", "Basic x")
        .header("Proxy-Connection", "close");
    let response = gateway.browser().send(request);

    for name in [
        "x-down",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
    ] {
        assert_eq!(upstream.last().header(name), None, "{name}");
    }
    for name in ["x-up", "keep-alive"] {
        assert_eq!(response.header(name), None, "{name}");
    }
}

#[test]
fn forged_forwarding_headers_are_replaced() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream).run();

    let request = Request::get("/")
        .header("X-Forwarded-For", "6.6.6.6")
        .header("X-Forwarded-Proto", "https");
    gateway
        .browser()
        .send(request.header("Forwarded", "for=6.6.6.6"));

    let seen = upstream.last();
    assert!(!String::from_utf8_lossy(&seen.head).contains("6.6.6.6"));
    assert_eq!(seen.header("x-forwarded-for").as_deref(), Some("127.0.0.1"));
    assert_eq!(seen.header("x-forwarded-proto").as_deref(), Some("http"));
}

#[test]
fn most_specific_route_wins_whatever_the_order() {
    let gateway = echo_site(&[
        ("/*", "rest"),
        ("/users/:id", "one"),
        ("/users/me", "me"),
        ("/users/*", "all"),
    ]);

    let answers = ["/users/me", "/users/7", "/users/7/x", "/other"]
        .map(|path| gateway.browser().get(path).text());

    assert_eq!(answers, ["me", "one", "all", "rest"]);
}

#[test]
fn other_method_gets_405_with_what_is_allowed() {
    let action = "action: { use: gateway.actions.StaticAction }";
    let site = Site::bare().route(&format!("path: /a, methods: [GET, PUT], {action}"));
    let gateway = site
        .route(&format!("path: /a, method: DELETE, {action}"))
        .run();

    let response = gateway.browser().send(Request::new("POST", "/a"));

    assert_eq!(response.status(), 405);
    let mut allow: Vec<String> = response
        .header("allow")
        .unwrap()
        .split(", ")
        .map(str::to_owned)
        .collect();
    allow.sort();
    assert_eq!(allow, ["DELETE", "GET", "PUT"]);
}

#[test]
fn unknown_path_gets_404() {
    let gateway = echo_site(&[("/a", "a")]);

    assert_eq!(gateway.browser().get("/b").status(), 404);
}

#[test]
fn route_of_another_host_is_not_taken() {
    let action = |body: &str| {
        format!("action: {{ use: gateway.actions.StaticAction, config: {{ body: {body} }} }}")
    };
    let site = Site::bare().route(&format!("path: /, host: shop.test, {}", action("shop")));
    let gateway = site
        .route(&format!("path: /, host: '*.blog.test', {}", action("blog")))
        .run();
    let ask = |host: &str| {
        gateway
            .browser()
            .send(Request::get("/").header("Host", host))
    };

    assert_eq!(ask("shop.test:80").text(), "shop");
    assert_eq!(ask("anna.blog.test").text(), "blog");
    assert_eq!(ask("else.test").status(), 404);
}

#[test]
fn body_beyond_the_limit_is_refused_before_the_upstream_has_it() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream)
        .server("limits: { bodyBytes: 1KiB }")
        .run();
    let post = |bytes: usize| {
        gateway
            .browser()
            .send(Request::post("/", "text/plain", &"x".repeat(bytes)))
    };

    assert_eq!(post(1024).status(), 200);
    assert_eq!(post(1025).status(), 413);
    assert_eq!(upstream.seen().len(), 1);
}

#[test]
fn malformed_requests_are_refused_and_never_forwarded() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream).run();

    for request in MALFORMED {
        let answer = converse(gateway.address(), request.as_bytes());

        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{request:?}\n{answer}"
        );
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

#[test]
fn client_that_drips_its_headers_is_cut_off() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream)
        .server("timeouts: { headerRead: 200ms }")
        .run();

    // The end of the headers never comes, and the connection is closed all the same.
    let answer = converse(gateway.address(), b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");

    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
        "{answer}"
    );
    assert!(upstream.seen().is_empty());
}

#[test]
fn upstream_that_is_not_there_is_a_502() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let action = format!(
        "action: {{ use: gateway.actions.HttpAction, config: {{ upstreamEndpoint: 'http://{gone}' }} }}"
    );
    let gateway = Site::bare().route(&format!("path: /, {action}")).run();

    assert_eq!(gateway.browser().get("/").status(), 502);
}

#[test]
fn upstream_that_says_nothing_is_a_504() {
    let upstream = Upstream::start();
    upstream.by_hand("/", |_, mut line| {
        let _ = std::io::BufRead::fill_buf(&mut line);
    });
    let gateway = Site::new(&upstream)
        .server("timeouts: { upstreamRead: 200ms }")
        .run();

    assert_eq!(gateway.browser().get("/").status(), 504);
}

#[test]
fn flag_of_set_middleware_needs_no_configuration_of_others() {
    let set = "Set: { use: gateway.middlewares.SetMiddleware, config: { values: [token_header] } }";
    let site = Site::bare().middleware(set);
    let gateway = site.route("path: /, middlewares: [Set], action: { use: gateway.actions.StaticAction, config: { body: ok } }").run();

    assert_eq!(gateway.browser().get("/").text(), "ok");
}

#[test]
fn middleware_for_any_request_runs_on_every_route() {
    let upstream = crate::anna::upstream();
    let everywhere = "Everywhere: { use: plugins.session.middlewares.LoadSessionMiddleware, anyRequest: true, config: { responseHeader: X-Session-Set } }";
    let gateway = Site::new(&upstream)
        .middleware(everywhere)
        .route("path: /login, action: Forward")
        .run();

    assert!(
        gateway
            .browser()
            .get("/login")
            .header("set-cookie")
            .is_some()
    );
}

#[test]
fn requests_on_one_connection_are_answered_in_order() {
    let gateway = echo_site(&[("/a", "first"), ("/b", "second")]);

    let pipelined =
        "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = converse(gateway.address(), pipelined.as_bytes());

    let places = ["first", "second"].map(|body| answer.find(body).unwrap());
    assert!(places[0] < places[1], "{answer}");
}

fn echo_site(routes: &[(&str, &str)]) -> e2e::Gateway {
    let add = |site: Site, (path, body): &(&str, &str)| {
        site.route(&format!("path: '{path}', action: {{ use: gateway.actions.StaticAction, config: {{ body: {body} }} }}"))
    };
    routes.iter().fold(Site::bare(), add).run()
}

const MALFORMED: [&str; 13] = [
    "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
    "GET /a HTTP/9.9\r\nHost: a\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n folded\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
    "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nConnection: close\r\n\r\n",
    "GET /../etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n",
];
