//! Drives a plugin without a gateway, for the tests of plugin authors.
//!
//! What is made here goes through the same tables as in a gateway; only the library is missing.
//!
//! ```
//! # use abi::config::{Faults, NoConfig};
//! # use abi::{Entry, Exchange, Failure, Flow, HeaderName, Maybe, Middleware, Offer, Plugin, Services, Side};
//! # struct Greeter { services: Services }
//! # struct Greeting(HeaderName);
//! # impl Plugin for Greeter {
//! #     const NAME: &'static str = "greeter";
//! #     const HELP: &'static str = "Says hello.";
//! #     const VERSION: &'static str = "1.0.0";
//! #     type Config = NoConfig;
//! #     fn open(_: Self::Config, services: Services) -> Result<Self, Faults> { Ok(Self { services }) }
//! #     fn components(offer: &mut Offer<Self>) {
//! #         offer.middleware("GreetingMiddleware", "Sets X-Greeting.", |plugin: &Self, _: Entry<'_>, _: NoConfig| {
//! #             Ok(Greeting(plugin.services.header("x-greeting").unwrap()))
//! #         });
//! #     }
//! # }
//! # impl Middleware for Greeting {
//! #     type State = ();
//! #     fn on_request<'a>(&'a self, mut exchange: Exchange<'a>) -> Maybe<'a, Result<Flow<()>, Failure>> {
//! #         exchange.set_header(Side::Request, self.0, "hello").unwrap();
//! #         Maybe::Ready(Ok(Flow::Next(())))
//! #     }
//! # }
//! use abi::testing::TestGateway;
//! use serde_json::json;
//!
//! let gateway = TestGateway::new();
//! let plugin = gateway.open::<Greeter>(json!({})).unwrap();
//! let greeting = plugin.middleware("GreetingMiddleware", json!({})).unwrap();
//!
//! let mut exchange = gateway.exchange("GET", "/");
//! exchange.run(&greeting, 200).unwrap();
//!
//! assert_eq!(exchange.request_header("X-Greeting"), Some("hello"));
//! ```

mod exchange;
mod gateway;
mod session;
mod store;

pub use exchange::TestExchange;
pub use gateway::{OpenTestPlugin, TestGateway};
pub use session::TestSession;
pub use store::TestSessionStore;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::Maybe;

/// Waits for a result on this thread. For tests: in a gateway nothing may block.
pub fn wait<T>(work: Maybe<'_, T>) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut work = pin!(work.wait());
    loop {
        match work.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests;
