//! Traces go on behind the gateway (W3C Trace Context), and the access log says which.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::process::Command;

use e2e::{Answer, Gateway, Message, OPENING, Redis, Request, SWITCH, Site, Upstream};
use serde_json::Value;

use crate::anna;

#[test]
fn upstream_continues_the_trace_of_the_client_below_the_gateways_step() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream).run();

    gateway.browser().send(traced("/a"));

    let seen = upstream.last();
    let step = step(&seen);
    assert_ne!(step, "00f067aa0ba902b7");
    assert_eq!(
        seen.values("traceparent"),
        [format!("00-{TRACE}-{step}-01")]
    );
    assert_eq!(seen.values("tracestate"), ["a=1,b=2"]);
    let line = gateway.logged("path=\"/a\"");
    assert!(
        line.ends_with(&format!("trace={TRACE} span={step}")),
        "{line}"
    );
}

#[test]
fn who_sends_no_trace_gets_one_where_that_is_configured_and_only_there() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream);
    let gateway = site.run();

    gateway.browser().get("/without");
    gateway.reload(&site.server("tracing: begin"));
    gateway.browser().get("/with");

    let [without, with] = <[Message; 2]>::try_from(upstream.seen()).ok().unwrap();
    assert_eq!(without.header("traceparent"), None);
    assert!(
        !gateway
            .logged("access: method=\"GET\" path=\"/without\"")
            .contains("trace=")
    );
    let parent = with.header("traceparent").unwrap();
    assert_eq!(
        (parent.len(), &parent[..3], &parent[52..]),
        (55, "00-", "-03")
    );
    let line = gateway.logged("path=\"/with\"");
    assert!(
        line.contains(&format!("trace={}", &parent[3..35])),
        "{line}"
    );
}

#[test]
fn what_names_no_trace_does_not_reach_the_upstream() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream).run();
    let request = Request::get("/").header("traceparent", &format!("00-{TRACE}-nonsense"));

    gateway.browser().send(request.header("tracestate", "a=1"));

    let seen = upstream.last();
    let parent = seen.header("traceparent").unwrap();
    assert!(parent.len() == 55 && !parent.contains(TRACE), "{parent}");
    assert_eq!(seen.header("tracestate"), None);
}

#[test]
fn headers_pass_as_they_are_where_that_is_configured() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream).server("tracing: pass").run();

    gateway.browser().send(traced("/a"));

    assert_eq!(upstream.last().header("traceparent").unwrap(), PARENT);
    assert!(!gateway.logged("path=\"/a\"").contains("trace="));
}

#[test]
fn a_request_that_is_sent_again_is_the_same_step() {
    let [one, two] = [(), ()].map(|()| {
        let upstream = Upstream::start();
        upstream.answer("/", Answer::status(503));
        upstream
    });
    let action = format!(
        "Balanced: {{ use: gateway.actions.BalancerHttpAction, config: {{ upstreamEndpoints: ['http://{}', 'http://{}'], retryBudget: 100 }} }}",
        one.address(),
        two.address()
    );
    let site = Site::bare().action(&action);
    let gateway = site.route("path: /*, action: Balanced").run();

    let answer = gateway.browser().send(traced("/"));

    assert_eq!(answer.status(), 503);
    let seen = [&one, &two].map(|upstream| upstream.last().values("traceparent"));
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].len(), 1);
}

#[test]
fn a_trace_goes_on_over_http_2_and_into_a_websocket() {
    let upstream = Upstream::start();
    upstream.by_hand("/ws", |_, mut line| {
        line.get_mut().write_all(SWITCH.as_bytes()).unwrap();
    });
    let gateway = Site::new(&upstream).run();

    let url = format!("http://{}/", gateway.address());
    let header = format!("traceparent: {PARENT}");
    let curl = ["-sf", "--http2-prior-knowledge", "-H", &header, &url];
    let said = Command::new("curl").args(curl).output().unwrap();
    assert!(said.status.success(), "{said:?}");
    let over_http_2 = upstream.last();
    let switched = open_websocket(&gateway);
    let into_websocket = upstream.last();

    assert_eq!(switched.status(), 101);
    for seen in [&over_http_2, &into_websocket] {
        let parent = seen.header("traceparent").unwrap();
        assert!(parent.contains(TRACE) && parent != PARENT, "{parent}");
    }
    assert_ne!(step(&over_http_2), step(&into_websocket));
}

#[test]
fn a_question_of_a_proxy_is_logged_in_its_trace_and_answered_without_it() {
    let gateway = Site::bare()
        .server("trustedProxies: [127.0.0.1], log: { format: json }")
        .action("Authorize: { use: gateway.actions.AuthorizeAction }")
        .route("path: /authorize, middlewares: [Load, Map], action: Authorize")
        .run();
    let question = traced("/authorize").header("X-Forwarded-Uri", "/page");
    let question = question
        .header("X-Forwarded-Method", "GET")
        .header("X-Forwarded-Proto", "http");

    let answer = gateway
        .browser()
        .send(question.header("X-Forwarded-Host", "a"));

    assert_eq!(answer.status(), 200);
    assert_eq!(answer.header("traceparent"), None);
    let line: Value = serde_json::from_str(&gateway.logged("\"target\":\"access\"")).unwrap();
    assert_eq!(line["trace"], TRACE);
    assert_eq!(line["span"].as_str().unwrap().len(), 16);
}

#[test]
fn what_a_plugin_logs_about_a_request_names_its_trace_and_no_other() {
    let upstream = anna::upstream();
    anna::writes_session(&upstream, "/untraced", r#"{"user_id":"ben"}"#);
    let gateway = Site::new(&upstream).server(EVENTS).run();

    gateway.browser().get("/untraced");
    gateway.browser().send(traced("/login"));

    gateway.logged("path=\"/login\"");
    let log = gateway.log();
    let created = log.lines().filter(|line| line.contains(CREATED));
    let created: Vec<&str> = created.collect();
    assert_eq!(created.len(), 2, "{created:?}");
    assert!(!created[0].contains("trace="), "{}", created[0]);
    assert!(
        created[1].ends_with(&format!(" trace={TRACE}")),
        "{}",
        created[1]
    );
    let access = gateway.logged("path=\"/login\"");
    assert_eq!(access.matches("trace=").count(), 1, "{access}");
}

#[test]
fn what_a_plugin_logs_after_it_waited_for_a_storage_names_the_trace_too() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let site = Site::new(&upstream).redis(&redis);
    let json = EVENTS.replace(" }", ", format: json }");
    let gateway = site.server(&json).run();

    gateway.browser().send(traced("/login"));

    let line: Value = serde_json::from_str(&gateway.logged("\"event\":\"created\"")).unwrap();
    assert_eq!(
        (&line["trace"], &line["target"]),
        (&TRACE.into(), &"session".into())
    );
}

#[test]
fn what_fails_in_a_trace_is_logged_in_it_and_not_where_traces_pass() {
    let gone = "Gone: { use: gateway.actions.HttpAction, config: { upstreamEndpoint: 'http://127.0.0.1:9' } }";
    let site = Site::bare().action(gone).route("path: /*, action: Gone");
    let gateway = site.run();

    assert_eq!(gateway.browser().send(traced("/a")).status(), 502);
    gateway.logged("path=\"/a\"");
    gateway.reload(&site.server("tracing: pass"));
    assert_eq!(gateway.browser().send(traced("/b")).status(), 502);
    gateway.logged("path=\"/b\"");

    let log = gateway.log();
    let failed = log.lines().filter(|line| line.contains("action=\"Gone\""));
    let is_traced: Vec<bool> = failed.map(|line| line.ends_with(TRACE)).collect();
    assert_eq!(is_traced, [true, false], "{log}");
}

fn traced(target: &str) -> Request {
    Request::get(target)
        .header("traceparent", PARENT)
        .header("tracestate", "a=1,b=2")
}

fn step(seen: &Message) -> String {
    seen.header("traceparent").unwrap()[36..52].to_owned()
}

fn open_websocket(gateway: &Gateway) -> Message {
    let mut client = TcpStream::connect(gateway.address()).unwrap();
    let head = format!("GET /ws HTTP/1.1\r\nHost: a\r\n{OPENING}traceparent: {PARENT}\r\n\r\n");
    client.write_all(head.as_bytes()).unwrap();
    let mut reader = BufReader::new(client);
    Message::read_head(&mut reader).unwrap().unwrap()
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const EVENTS: &str = "log: { level: 'info,session=debug' }";
const CREATED: &str = r#"event="created""#;
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
