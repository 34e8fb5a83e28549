//! What a call through the boundary costs.
//!
//! Every line does the work of `fixtures/stamp` from the same source file. `in place` is that work on the gateway's own
//! types, inlined: the least it can cost. `in a library` is a gateway's call of the plugin behind `dlopen`; what it
//! costs beyond `in place` is the price of the boundary, at most 30 ns. `in the gateway` is the call of a middleware
//! that is linked in, which goes through the same table.
#![forbid(unsafe_code)]

mod desk;
mod exchange;
#[path = "../fixtures/stamp/src/stamp.rs"]
mod stamp;

use std::hint::black_box;

use abi::exchange::ExchangeObject as _;
use abi::handle::MiddlewareHandle;
use abi::loader::LoadedPlugin;
use abi::{Exchange, HeaderError, Maybe, Side};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use e2e::plugins;
use serde_json::json;

use self::desk::Desk;
use self::exchange::{InFlight, cookie_header};
use self::stamp::{Headers, Idle, Stamp};

criterion_group!(benches, nothing, two_headers);
criterion_main!(benches);

/// The bare call.
fn nothing(criterion: &mut Criterion) {
    let desk = Desk::default();
    let loaded = load(&desk, "IdleMiddleware");
    let linked = MiddlewareHandle::new(Idle);
    let mut exchange = request(&desk);

    let mut group = criterion.benchmark_group("crossing, nothing done");
    measure(&mut group, "in the gateway", &linked, &mut exchange);
    measure(&mut group, "in a library", &loaded, &mut exchange);
    group.finish();
}

/// A cookie of 200 bytes is searched and two headers of a request with 15 are set.
fn two_headers(criterion: &mut Criterion) {
    let desk = Desk::default();
    let loaded = load(&desk, "StampMiddleware");
    let linked = MiddlewareHandle::new(stamp(|name| desk.services().header(name).ok()));
    let names = desk.names();
    let number = |name: &str| names.iter().position(|known| known == name);
    let in_place = stamp(|name| number(name).and_then(|number| u32::try_from(number).ok()));
    let mut exchange = request(&desk);

    let mut group = criterion.benchmark_group("crossing, two headers set");
    group.bench_function("in place", |bencher| {
        bencher.iter(|| in_place.apply(black_box(&mut exchange)));
    });
    measure(&mut group, "in the gateway", &linked, &mut exchange);
    measure(&mut group, "in a library", &loaded, &mut exchange);
    group.finish();
}

fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    place: &str,
    middleware: &MiddlewareHandle,
    exchange: &mut InFlight,
) {
    group.bench_function(place, |bencher| {
        bencher.iter(|| {
            let called = middleware.on_request(Exchange::new(black_box(exchange)));
            assert!(matches!(called, Maybe::Ready(Ok(_))), "it passes at once");
        });
    });
}

fn load(desk: &Desk, component: &str) -> MiddlewareHandle {
    let plugin = LoadedPlugin::load(plugins::fixture("stamp")).expect("the plugin loads");
    let plugin = plugin
        .open(desk.services(), &json!({}))
        .expect("the plugin opens");
    plugin
        .middleware(component, "Stamp", &json!({}))
        .expect("the middleware is made")
}

fn request(desk: &Desk) -> InFlight {
    let cookie = cookie_header("sid=kT2sVfR9wQb1nX4yZ7aLcE0hJ3mP6uD8gWoKiTvBxNs");
    InFlight::new(desk, Some(&cookie))
}

fn stamp<N>(resolve: impl Fn(&str) -> Option<N>) -> Stamp<N> {
    let resolve = |name| resolve(name).expect("the plugin asked for this header");
    Stamp {
        cookie: resolve("cookie"),
        user: resolve("x-user"),
        role: resolve("x-role"),
    }
}

/// No boundary: the names are numbers that lead to the gateway's own.
impl Headers for InFlight {
    type Name = u32;

    #[inline]
    fn value(&self, name: u32) -> Option<&[u8]> {
        self.header(Side::Request, name, 0)
    }

    #[inline]
    fn set(&mut self, name: u32, value: &str) -> Result<(), HeaderError> {
        self.set_header(Side::Request, name, value.as_bytes())
    }
}
