//! Holds a value against a JSON Schema, reports everything that is wrong, and settles what is right.
//!
//! The one gate for the gateway's own sections and for the configuration of every component, so that nothing is
//! accepted silently anywhere. It understands the part of JSON Schema that `schemars` emits.

mod expectation;
mod secrets;

#[cfg(test)]
mod tests;

use std::path::Path;

use abi::config::{ByteSize, ConfigDuration, DurationOrNone, Faults};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use self::secrets::offer_files;

use self::expectation::{Kinds, choices, expected, found, found_secret, is_secret};
use super::suggest;

/// Checks `value` and settles it: secrets are read from their files, paths are made absolute against `dir`, and a
/// text that came from the environment becomes the integer or boolean that is asked for.
///
/// # Errors
/// With every fault at once. No message holds a value whose schema has the format `secret`.
pub fn settle(schema: &Value, mut value: Value, dir: &Path) -> Result<Value, Faults> {
    let mut shape = Shape {
        root: schema,
        dir,
        faults: Faults::default(),
    };
    shape.node(schema, &mut value, "");
    shape.faults.or(value)
}

struct Shape<'a> {
    root: &'a Value,
    dir: &'a Path,
    faults: Faults,
}

impl<'a> Shape<'a> {
    fn node(&mut self, schema: &'a Value, value: &mut Value, path: &str) {
        let schema = self.target(schema);
        if let Some(options) = choices(self.root, schema) {
            return self.choice(schema, &options, value, path);
        }
        if let Some(variants) = variants(schema) {
            return self.variant(variants, value, path);
        }
        let kinds = Kinds::of(schema);
        kinds.adopt(value);
        if !kinds.allow(value) {
            return self.mismatch(schema, value, path);
        }
        match value {
            Value::Object(entries) => self.object(schema, entries, path),
            Value::Array(items) => self.array(schema, items, path),
            Value::Number(_) => self.number(schema, value, path),
            Value::String(_) => self.text(schema, value, path),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Follows `$ref`. An unknown target allows everything: the constructor still has the last word.
    fn target(&self, schema: &'a Value) -> &'a Value {
        expectation::target(self.root, schema)
    }

    fn mismatch(&mut self, schema: &Value, value: &Value, path: &str) {
        let found = match is_secret(self.root, schema) {
            true => found_secret(value).to_owned(),
            false => found(value),
        };
        let mut message = format!("expected {}, found {found}", expected(self.root, schema));
        if value.is_number() && Kinds::of(schema).allow(&Value::String(String::new())) {
            message.push_str("; put it in quotes");
        }
        self.faults.push(path, message);
    }

    fn choice(&mut self, schema: &Value, options: &[&Value], value: &mut Value, path: &str) {
        if options.contains(&&*value) || (value.is_null() && expectation::is_nullable(schema)) {
            return;
        }
        let spelt = options.iter().find(|option| {
            let text = value.as_str();
            text.is_some_and(|text| text == expectation::bare(option))
        });
        if let Some(option) = spelt {
            *value = (*option).clone();
            return;
        }
        let names: Vec<String> = options
            .iter()
            .map(|option| expectation::bare(option))
            .collect();
        let known = suggest::known(&expectation::bare(value), names.iter().map(String::as_str));
        self.faults.push(
            path,
            format!("{} is not one of them: {known}", found(value)),
        );
    }

    /// Takes the first variant without a fault, else reports the faults of the one that comes closest.
    fn variant(&mut self, variants: &'a [Value], value: &mut Value, path: &str) {
        let mut nearest: Option<Faults> = None;
        for variant in variants {
            let mut candidate = value.clone();
            let mut attempt = Shape {
                root: self.root,
                dir: self.dir,
                faults: Faults::default(),
            };
            attempt.node(variant, &mut candidate, path);
            if attempt.faults.is_empty() {
                *value = candidate;
                return;
            }
            let fits = expectation::is_of_kind(self.root, self.target(variant), value);
            let fewer = |best: &Faults| attempt.faults.iter().len() < best.iter().len();
            if fits && nearest.as_ref().is_none_or(fewer) {
                nearest = Some(attempt.faults);
            }
        }
        match nearest {
            Some(faults) => self.faults.extend(faults),
            None => self.no_variant(variants, value, path),
        }
    }

    fn no_variant(&mut self, variants: &[Value], value: &Value, path: &str) {
        let found = match variants.iter().any(|variant| is_secret(self.root, variant)) {
            true => found_secret(value).to_owned(),
            false => found(value),
        };
        let wanted: Vec<String> = variants
            .iter()
            .filter(|variant| !expectation::is_null(variant))
            .map(|variant| expected(self.root, variant))
            .collect();
        let message = format!("expected {}, found {found}", wanted.join(" or "));
        self.faults.push(path, message);
    }

    fn object(&mut self, schema: &'a Value, entries: &mut Map<String, Value>, path: &str) {
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        let named = properties.unwrap_or(&none);
        self.read_secret_files(named, entries, path);
        self.missing(schema, named, entries, path);
        for (key, value) in entries {
            let path = join(path, key);
            match (
                properties.and_then(|named| named.get(key)),
                schema.get("additionalProperties"),
            ) {
                (Some(property), _) => self.node(property, value, &path),
                (None, Some(Value::Bool(false))) => {
                    let known = suggest::known(key, named.keys().map(String::as_str));
                    self.faults.push(path, format!("unknown key, {known}"));
                }
                (None, Some(other)) => self.node(other, value, &path),
                (None, None) => {}
            }
        }
    }

    fn missing(
        &mut self,
        schema: &Value,
        properties: &Map<String, Value>,
        entries: &Map<String, Value>,
        path: &str,
    ) {
        let required = schema["required"].as_array().into_iter().flatten();
        for key in required
            .filter_map(Value::as_str)
            .filter(|key| !entries.contains_key(*key))
        {
            let wanted = properties
                .get(key)
                .map(|property| expected(self.root, property));
            let wanted = wanted.unwrap_or_else(|| "a value".to_owned());
            self.faults
                .push(join(path, key), format!("missing, expected {wanted}"));
        }
    }

    fn array(&mut self, schema: &'a Value, items: &mut [Value], path: &str) {
        let Some(item_schema) = schema.get("items") else {
            return;
        };
        for (index, item) in items.iter_mut().enumerate() {
            self.node(item_schema, item, &format!("{path}[{index}]"));
        }
    }

    fn number(&mut self, schema: &Value, value: &Value, path: &str) {
        let Some(number) = value.as_f64() else { return };
        let (least, greatest) = expectation::bounds(schema);
        let below = least.and_then(|least| least.as_f64());
        let below = below.is_some_and(|least| number < least);
        let above = greatest.and_then(|greatest| greatest.as_f64());
        let above = above.is_some_and(|greatest| number > greatest);
        if below || above {
            let wanted = expected(self.root, schema);
            self.faults
                .push(path, format!("expected {wanted}, found `{value}`"));
        } else if let Err(message) = unit(schema, value) {
            self.faults.push(path, message);
        }
    }

    fn text(&mut self, schema: &Value, value: &mut Value, path: &str) {
        match (schema["format"].as_str(), value.as_str()) {
            (Some("path"), Some(text)) if !text.is_empty() => {
                *value = self.dir.join(text).to_string_lossy().into();
            }
            _ => {
                if let Err(message) = unit(schema, value) {
                    self.faults.push(path, message);
                }
            }
        }
    }
}

/// Parses what carries a unit, by the code that the component itself will parse it with.
fn unit(schema: &Value, value: &Value) -> Result<(), String> {
    let parsed = match schema["format"].as_str() {
        Some("duration") => parse::<ConfigDuration>(value),
        Some("duration-or-none") => parse::<DurationOrNone>(value),
        Some("byte-size") => parse::<ByteSize>(value),
        _ => Ok(()),
    };
    parsed.map_err(|fault| format!("{fault}, found {}", found(value)))
}

fn parse<T: DeserializeOwned>(value: &Value) -> Result<(), String> {
    if value.as_i64().is_some_and(i64::is_negative) {
        return Err("a duration or a size cannot be negative".to_owned());
    }
    T::deserialize(value)
        .map(drop)
        .map_err(|fault| fault.to_string())
}

fn variants(schema: &Value) -> Option<&[Value]> {
    let variants = schema.get("anyOf").or_else(|| schema.get("oneOf"))?;
    variants.as_array().map(Vec::as_slice)
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
