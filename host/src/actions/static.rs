//! `StaticAction`: always the same answer.

use std::collections::BTreeMap;

use abi::config::Faults;
use abi::{Action, Exchange, Failure, HeaderName, Maybe, Services, Side};
use schemars::JsonSchema;
use serde::Deserialize;

/// The answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct StaticConfig {
    /// The status, from 200 to 599.
    #[schemars(range(min = 200, max = 599))]
    status: u16,
    /// Its headers.
    headers: BTreeMap<String, String>,
    /// Its body.
    body: String,
}

/// Answers without asking anybody.
#[derive(Debug)]
pub(crate) struct StaticAction {
    status: u16,
    headers: Vec<(HeaderName, String)>,
    body: String,
}

impl Default for StaticConfig {
    fn default() -> Self {
        Self {
            status: 200,
            headers: BTreeMap::new(),
            body: String::new(),
        }
    }
}

impl StaticAction {
    pub(crate) fn new(config: StaticConfig, services: &Services) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let mut headers = Vec::new();
        for (name, value) in config.headers {
            let path = format!("headers.{name}");
            if http::HeaderValue::from_str(&value).is_err() {
                faults.push(&path, "the value holds characters that no header can carry");
            }
            match services.header(&name) {
                Ok(name) => headers.push((name, value)),
                Err(error) => faults.push(path, error.to_string()),
            }
        }
        faults.or(Self {
            status: config.status,
            headers,
            body: config.body,
        })
    }
}

impl Action for StaticAction {
    fn call<'a>(&'a self, mut exchange: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
        exchange.respond(self.status, &self.body);
        for (name, value) in &self.headers {
            if exchange
                .append_header(Side::Response, *name, value)
                .is_err()
            {
                return Maybe::Ready(Err(Failure::internal("a checked header was refused")));
            }
        }
        Maybe::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use abi::handle::ActionHandle;
    use abi::testing::TestGateway;
    use serde_json::json;

    use super::*;

    #[test]
    fn answer_is_as_configured() {
        let gateway = TestGateway::new();
        let config = json!({ "status": 418, "headers": { "X-A": "b" }, "body": "short and stout" });
        let action = action(&gateway, config).unwrap();
        let mut exchange = gateway.exchange("GET", "/");

        exchange.call(&action).unwrap();

        assert_eq!(exchange.status(), Some(418));
        assert_eq!(exchange.response_headers("x-a"), ["b"]);
        assert_eq!(exchange.response_body(), b"short and stout");
    }

    #[test]
    fn header_that_cannot_be_sent_is_a_fault() {
        let config = json!({ "headers": { "X-A": "b\nc", "a b": "c" } });

        let faults = action(&TestGateway::new(), config).unwrap_err();

        assert_eq!(
            faults.to_string(),
            "headers.X-A: the value holds characters that no header can carry\nheaders.a b: not a header name"
        );
    }

    fn action(gateway: &TestGateway, config: serde_json::Value) -> Result<ActionHandle, Faults> {
        let config = serde_json::from_value(config).unwrap();
        StaticAction::new(config, &gateway.services()).map(ActionHandle::new)
    }
}
