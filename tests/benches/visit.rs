//! A request through middlewares that answer at once.

use abi::handle::MiddlewareHandle;
use abi::{Exchange, Failure, Flow, Maybe};
use serde_json::{Value, json};

use crate::exchange::InFlight;

/// `config` of `LoadSessionMiddleware`, as in the quickstart.
pub(crate) fn load_config() -> Value {
    json!({ "responseHeader": SESSION_SET })
}

/// `config` of `MapSessionToHeaderMiddleware`, as in the quickstart.
pub(crate) fn map_config() -> Value {
    json!({ "headers": { "Authorization": "authorization", "X-User-Id": "user_id" } })
}

/// One request through a chain whose middlewares all answer at once.
pub(crate) fn pass(chain: &[MiddlewareHandle], exchange: &mut InFlight) {
    let Some((first, behind)) = chain.split_first() else {
        return;
    };
    match at_once(first.on_request(Exchange::new(exchange))) {
        Flow::Respond => panic!("nothing in here answers by itself"),
        Flow::Next(state) => {
            pass(behind, exchange);
            at_once(first.on_response(Exchange::new(exchange), state));
        }
    }
}

/// What a phase that does not wait gave.
pub(crate) fn at_once<T>(work: Maybe<'_, Result<T, Failure>>) -> T {
    match work {
        Maybe::Ready(Ok(value)) => value,
        Maybe::Ready(Err(failure)) => panic!("a phase failed: {failure}"),
        Maybe::Pending(_) => panic!("what is in memory answers at once"),
    }
}

/// The `responseHeader` of the quickstart.
pub(crate) const SESSION_SET: &str = "x-session-set";
