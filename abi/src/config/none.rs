//! The configuration of what has none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No keys at all: `config` may be left out, and any key in it is refused.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_gateway_passes_for_an_absent_config_is_taken() {
        assert_eq!(
            serde_json::from_value::<NoConfig>(json!({})).unwrap(),
            NoConfig {}
        );
    }

    #[test]
    fn any_key_is_refused() {
        serde_json::from_value::<NoConfig>(json!({ "a": 1 })).unwrap_err();
    }
}
