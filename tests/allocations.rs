//! What does not wait does not allocate: crossing the boundary costs calls, never memory.
//!
//! The middlewares here are linked in, so that both sides of each table use the allocator that counts. A library has its
//! own.
#![forbid(unsafe_code)]

#[path = "benches/crossing/exchange.rs"]
mod exchange;
#[path = "benches/crossing/services.rs"]
mod services;

use std::hint::black_box;
use std::sync::Arc;

use abi::handle::MiddlewareHandle;
use abi::services::ServicesObject as _;
use abi::{Exchange, Failure, Flow, HeaderName, Maybe, Middleware, Side};
use allocation_counter::measure;

use self::exchange::InFlight;
use self::services::Desk;

#[test]
fn both_phases_cross_without_an_allocation() {
    let desk = Arc::new(Desk::default());
    let cookie = HeaderName::from_number(desk.header("cookie").unwrap());
    let middleware = MiddlewareHandle::new(Reader { cookie });
    let mut exchange = InFlight::new(&desk, "sid=abc");

    let counted = measure(|| visit(&middleware, &mut exchange));

    assert_eq!(counted.count_total, 0);
}

#[test]
fn counter_counts() {
    let counted = measure(|| drop(black_box(Box::new(1))));

    assert_eq!(counted.count_total, 1);
}

/// One request; taken apart by hand, because waiting in general would need a waker.
fn visit(middleware: &MiddlewareHandle, exchange: &mut InFlight) {
    let Maybe::Ready(Ok(Flow::Next(state))) = middleware.on_request(Exchange::new(exchange)) else {
        panic!("the request passes at once");
    };
    let Maybe::Ready(Ok(())) = middleware.on_response(Exchange::new(exchange), state) else {
        panic!("the response passes at once");
    };
}

/// Reads what it can and remembers a little.
struct Reader {
    cookie: HeaderName,
}

impl Middleware for Reader {
    type State = usize;

    fn on_request<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<Flow<usize>, Failure>> {
        let cookie = exchange.header(Side::Request, self.cookie);
        let facts = [
            exchange.method(),
            exchange.path(),
            exchange.host(),
            exchange.route(),
        ];
        let seen = facts.map(str::len).iter().sum::<usize>() + cookie.map_or(0, <[u8]>::len);
        Maybe::Ready(Ok(Flow::Next(seen)))
    }

    fn on_response<'a>(
        &'a self,
        mut exchange: Exchange<'a>,
        seen: usize,
    ) -> Maybe<'a, Result<(), Failure>> {
        assert_eq!(seen, "GET/pagebench.test/pagesid=abc".len());
        exchange.remove_header(Side::Response, self.cookie);
        Maybe::Ready(Ok(()))
    }
}
