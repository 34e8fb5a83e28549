//! What a session adds to a request.
//!
//! `without middlewares` is the request coming in, and nothing else. What the other lines take beyond it is what both
//! middlewares of `session.so` add in both phases with the session in memory: at most 1 us.
#![forbid(unsafe_code)]

mod desk;
mod exchange;
mod login;
mod visit;

use abi::handle::MiddlewareHandle;
use abi::loader::LoadedPlugin;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use e2e::plugins;
use serde_json::json;

use self::desk::Desk;
use self::exchange::{InFlight, cookie_header};
use self::login::logged_in;
use self::visit::{load_config, map_config, pass};

criterion_group!(benches, added_per_request);
criterion_main!(benches);

fn added_per_request(criterion: &mut Criterion) {
    let desk = Desk::default();
    let chain = middlewares(&desk);
    let [load, _] = &chain;
    let mut known = logged_in(&desk, load);
    let mut stranger = InFlight::new(&desk, Some(&cookie_header("sid=of-somebody-else")));
    let mut newcomer = InFlight::new(&desk, None);

    let mut group = criterion.benchmark_group("session in memory");
    measure(&mut group, "without middlewares", &[], &mut known);
    measure(&mut group, "session found", &chain, &mut known);
    measure(&mut group, "other cookies only", &chain, &mut stranger);
    measure(&mut group, "no cookie", &chain, &mut newcomer);
    group.finish();
}

fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    case: &str,
    chain: &[MiddlewareHandle],
    exchange: &mut InFlight,
) {
    group.bench_function(case, |bencher| {
        bencher.iter(|| {
            exchange.arrive();
            pass(chain, exchange);
        });
    });
}

fn middlewares(desk: &Desk) -> [MiddlewareHandle; 2] {
    let plugin = LoadedPlugin::load(plugins::session()).expect("session.so loads");
    let plugin = plugin
        .open(desk.services(), &json!({}))
        .expect("session.so opens");
    [
        ("LoadSessionMiddleware", load_config()),
        ("MapSessionToHeaderMiddleware", map_config()),
    ]
    .map(|(component, config)| {
        plugin
            .middleware(component, component, &config)
            .expect("the middleware is made")
    })
}
