//! What a schema asks for and what was found instead, in words.

use std::mem::discriminant;

use serde_json::{Number, Value};

/// The JSON types a schema allows.
pub(super) struct Kinds<'a>(Vec<&'a str>);

impl<'a> Kinds<'a> {
    /// Reads `type`; a schema without one allows everything.
    pub(super) fn of(schema: &'a Value) -> Self {
        match schema.get("type") {
            Some(Value::String(kind)) => Self(vec![kind]),
            Some(Value::Array(kinds)) => Self(kinds.iter().filter_map(Value::as_str).collect()),
            _ if schema == &Value::Bool(false) => Self(vec!["nothing"]),
            _ => Self(Vec::new()),
        }
    }

    pub(super) fn allow(&self, value: &Value) -> bool {
        self.0.is_empty() || self.0.iter().any(|kind| is_a(value, kind))
    }

    /// Reads a text as the integer or boolean it spells, where no text is allowed: a variable of the environment can
    /// only ever be a text.
    pub(super) fn adopt(&self, value: &mut Value) {
        let Value::String(text) = value else { return };
        if self.0.contains(&"string") {
            return;
        }
        let number = || {
            text.parse::<u64>()
                .ok()
                .map(|number| Value::Number(Number::from(number)))
        };
        let boolean = || text.parse().ok().map(Value::Bool);
        let adopted = self.0.iter().find_map(|kind| match *kind {
            "integer" | "number" => number(),
            "boolean" => boolean(),
            _ => None,
        });
        if let Some(adopted) = adopted {
            *value = adopted;
        }
    }
}

/// Whether a value has a JSON type that the schema allows, whatever else is wrong with it.
pub(super) fn is_of_kind(root: &Value, schema: &Value, value: &Value) -> bool {
    choices(root, schema).map_or_else(
        || Kinds::of(schema).allow(value),
        |options| {
            let mut kinds = options.into_iter().map(discriminant);
            kinds.any(|kind| kind == discriminant(value))
        },
    )
}

fn is_a(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => false,
    }
}

/// Follows `$ref` to the definition.
pub(super) fn target<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let pointer = schema.get("$ref").and_then(Value::as_str);
    let pointer = pointer.and_then(|reference| reference.strip_prefix('#'));
    pointer
        .and_then(|pointer| root.pointer(pointer))
        .unwrap_or(schema)
}

/// The values of an enumeration, whether it is written as `enum`, as `const`, or as one `const` per variant.
pub(super) fn choices<'a>(root: &'a Value, schema: &'a Value) -> Option<Vec<&'a Value>> {
    let schema = target(root, schema);
    if let Some(constant) = schema.get("const") {
        return Some(vec![constant]);
    }
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        return Some(options.iter().collect());
    }
    let variants = schema
        .get("oneOf")
        .or_else(|| schema.get("anyOf"))?
        .as_array()?;
    let options: Option<Vec<_>> = variants
        .iter()
        .filter(|variant| !is_null(variant))
        .map(|variant| choices(root, variant))
        .collect();
    options.map(|options| options.concat())
}

/// Whether `null` is one of the variants.
pub(super) fn is_nullable(schema: &Value) -> bool {
    let variants = schema
        .get("oneOf")
        .or_else(|| schema.get("anyOf"))
        .and_then(Value::as_array);
    variants.into_iter().flatten().any(is_null)
}

/// Whether the schema allows `null` and nothing else.
pub(super) fn is_null(schema: &Value) -> bool {
    schema["type"] == "null"
}

/// Whether the value, or an item of it, must not be printed.
pub(super) fn is_secret(root: &Value, schema: &Value) -> bool {
    let schema = target(root, schema);
    let variants = ["anyOf", "oneOf"]
        .iter()
        .filter_map(|key| schema.get(key)?.as_array());
    schema["format"] == "secret"
        || schema
            .get("items")
            .is_some_and(|items| is_secret(root, items))
        || variants.flatten().any(|variant| is_secret(root, variant))
}

/// What the schema asks for.
pub(super) fn expected(root: &Value, schema: &Value) -> String {
    let schema = target(root, schema);
    if let Some(options) = choices(root, schema) {
        let names: Vec<String> = options.iter().map(|option| bare(option)).collect();
        return format!("one of {}", names.join(", "));
    }
    match schema["format"].as_str() {
        Some("duration") => return "a duration such as `30m`".to_owned(),
        Some("duration-or-none") => return "a duration such as `30m`, or 0".to_owned(),
        Some("byte-size") => return "a size such as `64KiB`".to_owned(),
        Some("path") => return "a path".to_owned(),
        _ => {}
    }
    if let Some(variants) = schema.get("anyOf").or_else(|| schema.get("oneOf")) {
        let variants = variants
            .as_array()
            .into_iter()
            .flatten()
            .filter(|variant| !is_null(variant));
        return variants
            .map(|variant| expected(root, variant))
            .collect::<Vec<_>>()
            .join(" or ");
    }
    let kinds = Kinds::of(schema).0;
    let names = kinds
        .iter()
        .filter(|kind| **kind != "null")
        .map(|kind| kind_name(schema, kind));
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        "a value".to_owned()
    } else {
        names.join(" or ")
    }
}

fn kind_name(schema: &Value, kind: &str) -> String {
    let name = match kind {
        "string" => "a text",
        "integer" => return integer_name(schema),
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "object" => "a map of keys",
        _ => "nothing",
    };
    name.to_owned()
}

/// The least and the greatest number that a schema allows. `schemars` writes the bounds of narrow integers down, and
/// leaves those of wider ones to the format.
pub(super) fn bounds(schema: &Value) -> (Option<Value>, Option<Value>) {
    let (least, greatest) = match schema["format"].as_str() {
        Some("int32") => (Some(i32::MIN.into()), Some(i32::MAX.into())),
        Some("uint32") => (Some(0.into()), Some(u32::MAX.into())),
        _ => (None, None),
    };
    let written = |name: &str| schema.get(name).cloned();
    (
        written("minimum").or(least),
        written("maximum").or(greatest),
    )
}

fn integer_name(schema: &Value) -> String {
    match bounds(schema) {
        (Some(minimum), Some(maximum)) => format!("an integer from {minimum} to {maximum}"),
        (Some(minimum), None) => format!("an integer of at least {minimum}"),
        (None, Some(maximum)) => format!("an integer of at most {maximum}"),
        (None, None) => "an integer".to_owned(),
    }
}

/// What was found.
pub(super) fn found(value: &Value) -> String {
    match value {
        Value::Bool(_) | Value::Number(_) | Value::String(_) => format!("`{}`", bare(value)),
        Value::Null | Value::Array(_) | Value::Object(_) => found_secret(value).to_owned(),
    }
}

/// What was found, without its value.
pub(super) const fn found_secret(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map of keys",
        Value::Bool(_) => "`true` or `false`",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
    }
}

/// The value as it is written in YAML, without quotes.
pub(super) fn bare(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}
