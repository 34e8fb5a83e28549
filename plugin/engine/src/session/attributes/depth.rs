//! How deep a value may be nested.

use serde_json::Value;

/// Whether a value is nested more than 100 deep. Readers of JSON follow no more than 127 levels, and what is around the
/// value counts too: a session with a deeper one could be stored and never be read again.
pub fn is_too_deep(value: &Value) -> bool {
    !fits(value, MOST)
}

fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
        Value::Object(map) => levels > 0 && map.values().all(|item| fits(item, levels - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

const MOST: usize = 100;

#[cfg(test)]
mod tests {
    use std::iter::successors;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_hundred_levels_are_not_too_deep_and_one_more_is() {
        for wrap in [
            |inner: &Value| json!([inner]),
            |inner: &Value| json!({ "a": inner }),
        ] {
            let nested = |levels| successors(Some(json!(1)), |inner| Some(wrap(inner))).nth(levels);

            assert!(!is_too_deep(&nested(100).unwrap()));
            assert!(is_too_deep(&nested(101).unwrap()));
        }
    }
}
