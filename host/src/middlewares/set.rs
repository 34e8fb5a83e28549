//! `SetMiddleware`: flags that later middlewares read.

use abi::config::Faults;
use abi::{Exchange, Failure, Flag, Flow, Maybe, Middleware, Services};
use schemars::JsonSchema;
use serde::Deserialize;

/// Which flags to raise.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct SetConfig {
    /// Names of flags, such as `token_header` or `disable_redirect`. Which of them mean something is up to the
    /// middlewares behind.
    pub(crate) values: Vec<String>,
}

/// Raises flags on every request that passes.
#[derive(Debug)]
pub(crate) struct SetMiddleware {
    flags: Box<[Flag]>,
}

impl SetMiddleware {
    pub(crate) fn new(config: &SetConfig, services: &Services) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let mut flags = Vec::new();
        for (index, name) in config.values.iter().enumerate() {
            match services.flag(name) {
                _ if name.is_empty() => {
                    faults.push(format!("values[{index}]"), "a flag needs a name")
                }
                Ok(flag) => flags.push(flag),
                Err(error) => faults.push(format!("values[{index}]"), error.to_string()),
            }
        }
        faults.or(Self {
            flags: flags.into_boxed_slice(),
        })
    }
}

impl Middleware for SetMiddleware {
    type State = ();

    fn on_request<'a>(
        &'a self,
        mut exchange: Exchange<'a>,
    ) -> Maybe<'a, Result<Flow<()>, Failure>> {
        for flag in &self.flags {
            exchange.raise(*flag);
        }
        Maybe::Ready(Ok(Flow::Next(())))
    }
}

#[cfg(test)]
mod tests {
    use abi::handle::MiddlewareHandle;
    use abi::testing::TestGateway;
    use serde_json::json;

    use super::*;

    #[test]
    fn each_named_flag_is_raised_and_no_other() {
        let gateway = TestGateway::new();
        let config = serde_json::from_value(json!({ "values": ["token_header", "b"] })).unwrap();
        let middleware = SetMiddleware::new(&config, &gateway.services()).unwrap();
        let mut exchange = gateway.exchange("GET", "/");

        exchange
            .run(&MiddlewareHandle::new(middleware), 200)
            .unwrap();

        let raised = ["token_header", "b", "disable_redirect"]
            .map(|name| exchange.lend().flag(gateway.services().flag(name).unwrap()));
        assert_eq!(raised, [true, true, false]);
    }

    #[test]
    fn the_sixty_fifth_flag_is_a_fault() {
        let names: Vec<String> = (0..65).map(|number| format!("flag{number}")).collect();
        let config = serde_json::from_value(json!({ "values": names })).unwrap();

        let faults = SetMiddleware::new(&config, &TestGateway::new().services()).unwrap_err();

        assert_eq!(
            faults.to_string(),
            "values[64]: too many flags, 64 is the limit"
        );
    }
}
