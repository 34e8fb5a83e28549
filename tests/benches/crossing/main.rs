//! What the boundary costs, and what a session costs.
//!
//! `in the gateway` is the work of a middleware written against `http` types and compiled into the program; `in a library`
//! is the same work behind `dlopen`. The difference is the price of the boundary: at most 30 ns. `both middlewares` is
//! everything `session.so` adds to `the request alone`, with the session in memory: at most 1 us.
#![forbid(unsafe_code)]

mod exchange;
mod services;

use std::hint::black_box;
use std::sync::Arc;

use abi::handle::MiddlewareHandle;
use abi::loader::{LoadedPlugin, OpenPlugin};
use abi::testing::wait;
use abi::{Exchange, Flow, Services};
use criterion::{Criterion, criterion_group, criterion_main};
use e2e::plugins;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use self::exchange::InFlight;
use self::services::Desk;

criterion_group!(benches, boundary, session);
criterion_main!(benches);

fn boundary(criterion: &mut Criterion) {
    let desk = Arc::new(Desk::default());
    let stamp =
        open(&desk, plugins::fixture("stamp")).middleware("StampMiddleware", "Stamp", &json!({}));
    let stamp = stamp.expect("the middleware is made");
    let mut exchange = InFlight::new(&desk, "sid=abc; theme=dark");
    let names = ["cookie", "x-user", "x-role"].map(|name| name.parse().expect("a header name"));
    let mut group = criterion.benchmark_group("boundary");
    group.bench_function("in the gateway", |bencher| {
        bencher.iter(|| stamp_in_place(black_box(&mut exchange.request), &names))
    });
    group.bench_function("in a library", |bencher| {
        bencher.iter(|| {
            drop(black_box(wait(
                stamp.on_request(Exchange::new(&mut exchange)),
            )))
        });
    });
    group.finish();
}

fn session(criterion: &mut Criterion) {
    let desk = Arc::new(Desk::default());
    let plugin = open(&desk, plugins::session());
    let load = plugin.middleware(
        "LoadSessionMiddleware",
        "Load",
        &json!({ "responseHeader": "x-session-set" }),
    );
    let headers =
        json!({ "headers": { "X-User-Id": "user_id", "Authorization": "authorization" } });
    let map = plugin
        .middleware("MapSessionToHeaderMiddleware", "Map", &headers)
        .expect("the middleware is made");
    let load = load.expect("the middleware is made");
    let mut exchange = InFlight::new(&desk, &log_in(&desk, &load));
    pass(&load, &map, &mut exchange);
    assert_eq!(exchange.request["x-user-id"], "anna");
    let mut group = criterion.benchmark_group("session in memory");
    group.bench_function("the request alone", |bencher| {
        bencher.iter(|| black_box(&mut exchange).arrive())
    });
    group.bench_function("both middlewares, both phases", |bencher| {
        bencher.iter(|| pass(&load, &map, &mut exchange))
    });
    let mut anonymous = InFlight::new(&desk, "theme=dark");
    group.bench_function("both middlewares, no session", |bencher| {
        bencher.iter(|| pass(&load, &map, &mut anonymous))
    });
    group.finish();
}

/// What `StampMiddleware` does, without a boundary. Names are resolved before, as they are there.
fn stamp_in_place(request: &mut HeaderMap, [cookie, user, role]: &[HeaderName; 3]) {
    let cookie = request
        .get(cookie)
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    let is_known = cookie.windows(4).any(|part| part == b"sid=");
    if is_known {
        for (name, value) in [(user, "anna"), (role, "reader")] {
            if let Ok(value) = HeaderValue::from_bytes(black_box(value.as_bytes())) {
                request.insert(name.clone(), value);
            }
        }
    }
}

/// One request through both, the way a chain does it. The cookie is put back, because it is not forwarded.
fn pass(load: &MiddlewareHandle, map: &MiddlewareHandle, exchange: &mut InFlight) {
    exchange.arrive();
    let Ok(Flow::Next(loaded)) = wait(load.on_request(Exchange::new(exchange))) else {
        return;
    };
    let Ok(Flow::Next(mapped)) = wait(map.on_request(Exchange::new(exchange))) else {
        return;
    };
    let _ = wait(map.on_response(Exchange::new(exchange), mapped));
    let _ = wait(load.on_response(Exchange::new(exchange), loaded));
}

/// The cookie of a session with a user, a token and a little more.
fn log_in(desk: &Arc<Desk>, load: &MiddlewareHandle) -> String {
    let mut login = InFlight::new(desk, "");
    let Ok(Flow::Next(state)) = wait(load.on_request(Exchange::new(&mut login))) else {
        panic!("the login passes");
    };
    let session = json!({ "user_id": "anna", "authorization": format!("Bearer {}", "t".repeat(593)), "locale": "de", "visits": 42 });
    let session = HeaderValue::from_str(&session.to_string()).expect("JSON in ASCII");
    login.response.insert("x-session-set", session);
    wait(load.on_response(Exchange::new(&mut login), state)).expect("the session is stored");
    let cookie = login.response["set-cookie"].to_str().expect("a cookie");
    cookie.split(';').next().unwrap_or_default().to_owned()
}

fn open(desk: &Arc<Desk>, path: &std::path::Path) -> OpenPlugin {
    let loaded = LoadedPlugin::load(path).expect("the plugin loads");
    loaded
        .open(
            Services::new(Arc::clone(desk)),
            &Value::Object(Default::default()),
        )
        .expect("the plugin opens")
}
