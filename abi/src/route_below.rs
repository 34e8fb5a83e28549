//! The routes that a component answers below its own, as its plugin declares them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A route that an action answers below its own, told with [`Offered::below`](crate::plugin::Offered::below): where
/// browsers come back to from a login elsewhere, say.
///
/// From this a gateway sees, before it serves, that a request would never get there. One that does not know of this, being
/// older, does not look.
///
/// ```
/// use abi::RouteBelow;
///
/// let callback = RouteBelow::new("/callback", "GET").needed_with("provider").unless("redirectUri");
/// let logout_of_the_provider = RouteBelow::new("/backchannel", "POST");
/// # let _ = (callback, logout_of_the_provider);
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteBelow {
    ending: String,
    method: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    needed_with: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unless: Option<String>,
}

impl RouteBelow {
    /// A route that ends in `ending`, such as `/callback`, and leads to the action takes `method`. That there is one is up
    /// to the user.
    pub fn new(ending: &str, method: &str) -> Self {
        Self {
            ending: ending.to_owned(),
            method: method.to_owned(),
            needed_with: None,
            unless: None,
        }
    }

    /// There has to be one below each other route of the action, where this key of its configuration is written and
    /// neither `null` nor `false`.
    #[must_use]
    pub fn needed_with(self, key: &str) -> Self {
        Self {
            needed_with: Some(key.to_owned()),
            ..self
        }
    }

    /// Takes [`needed_with`](Self::needed_with) back, where this key is written.
    #[must_use]
    pub fn unless(self, key: &str) -> Self {
        Self {
            unless: Some(key.to_owned()),
            ..self
        }
    }

    /// How its path ends, with the `/` first.
    pub fn ending(&self) -> &str {
        &self.ending
    }

    /// The method that it takes.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The key for which an action of this configuration cannot do without it; `None` if it can.
    pub fn reason(&self, config: &Value) -> Option<&str> {
        let is_set = |key: &&str| {
            !matches!(
                config.get(*key),
                None | Some(Value::Null | Value::Bool(false))
            )
        };
        let reason = self.needed_with.as_deref().filter(is_set)?;
        match self.unless.as_deref().filter(is_set) {
            Some(_) => None,
            None => Some(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_say_whether_it_is_needed() {
        let below = RouteBelow::new("/callback", "GET")
            .needed_with("provider")
            .unless("redirectUri");

        let reason = |config: Value| below.reason(&config).map(ToOwned::to_owned);

        assert_eq!(
            reason(json!({ "provider": "a" })).as_deref(),
            Some("provider")
        );
        let without = [
            json!({}),
            json!({ "provider": null }),
            json!({ "provider": "a", "redirectUri": "https://a/callback" }),
        ];
        for config in without {
            assert_eq!(reason(config.clone()), None, "{config}");
        }
    }

    #[test]
    fn declaration_crosses_as_the_words_it_is_documented_with() {
        let below = RouteBelow::new("/backchannel", "POST");

        let text = serde_json::to_value(&below).unwrap();

        assert_eq!(text, json!({ "ending": "/backchannel", "method": "POST" }));
        assert_eq!(serde_json::from_value::<RouteBelow>(text).unwrap(), below);
    }
}
