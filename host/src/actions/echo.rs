//! `EchoAction`: the request as an upstream would see it, as JSON. For trying things out.

use std::collections::BTreeMap;

use abi::config::Faults;
use abi::{Action, Exchange, Failure, HeaderName, Maybe, Services, Side};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// Nothing to configure.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct EchoConfig {}

/// Answers with what would have been forwarded.
#[derive(Debug)]
pub(crate) struct EchoAction {
    content_type: HeaderName,
    cache_control: HeaderName,
}

impl EchoAction {
    pub(crate) fn new(services: &Services) -> Result<Self, Faults> {
        let header = |name: &str| {
            let resolved = services.header(name);
            resolved.map_err(|error| Faults::at("", error.to_string()))
        };
        Ok(Self {
            content_type: header("content-type")?,
            cache_control: header("cache-control")?,
        })
    }

    async fn answer(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        let body = exchange.read_body(LARGEST_BODY).wait().await?;
        let echo = json!({
            "method": exchange.method(),
            "path": exchange.path(),
            "query": exchange.query(),
            "headers": headers(&exchange),
            "body": String::from_utf8_lossy(&body),
        });
        exchange.respond(200, format!("{echo:#}\n"));
        let sent = exchange
            .set_header(Side::Response, self.content_type, "application/json")
            // What is echoed is somebody's identity.
            .and_then(|()| exchange.set_header(Side::Response, self.cache_control, "no-store"));
        sent.map_err(|error| Failure::internal(error.to_string()))
    }
}

impl Action for EchoAction {
    fn call<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
        Maybe::task(self.answer(exchange))
    }
}

/// In the order of their names; a text, or a list where a header has several values.
fn headers(exchange: &Exchange<'_>) -> BTreeMap<String, Value> {
    let mut headers: BTreeMap<String, Value> = BTreeMap::new();
    exchange.each_header(Side::Request, |name, value| {
        let value = Value::from(String::from_utf8_lossy(value));
        match headers.get_mut(name) {
            None => drop(headers.insert(name.to_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    });
    headers
}

// An echo is for looking at, not for moving data.
const LARGEST_BODY: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use abi::handle::ActionHandle;
    use abi::testing::TestGateway;

    use super::*;

    #[test]
    fn everything_that_would_be_forwarded_is_in_the_answer() {
        let gateway = TestGateway::new();
        let action = ActionHandle::new(EchoAction::new(&gateway.services()).unwrap());
        let mut exchange = gateway
            .exchange("POST", "//%61?b=c")
            .with_header("X-One", "1")
            .with_header("X-Two", "1")
            .with_header("X-Two", "2")
            .with_header("X-Two", "3")
            .with_body("hi");

        exchange.call(&action).unwrap();

        let echo: Value = serde_json::from_slice(exchange.response_body()).unwrap();
        let headers = json!({ "x-one": "1", "x-two": ["1", "2", "3"] });
        assert_eq!(
            echo,
            json!({ "method": "POST", "path": "/a", "query": "b=c", "headers": headers, "body": "hi" })
        );
        assert_eq!(exchange.response_headers("cache-control"), ["no-store"]);
    }
}
