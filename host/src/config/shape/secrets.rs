//! `<key>File` beside every secret `<key>`.

use std::fs;

use serde_json::{Map, Value, json};

use super::expectation::{is_secret, target};
use super::{Shape, join};

impl Shape<'_> {
    /// Replaces every `<key>File` by the content of the file, where `<key>` is a secret. A list of secrets takes one
    /// from each line.
    pub(super) fn read_secret_files(
        &mut self,
        properties: &Map<String, Value>,
        entries: &mut Map<String, Value>,
        path: &str,
    ) {
        for (key, file_key) in file_keys(self.root, properties) {
            let schema = &properties[key];
            let Some(file) = entries.remove(&file_key) else {
                continue;
            };
            if entries.contains_key(key) {
                let message = format!("cannot be given together with {key}");
                self.faults.push(join(path, &file_key), message);
                continue;
            }
            match self.read_secret(&file, target(self.root, schema)) {
                Ok(secret) => drop(entries.insert(key.to_owned(), secret)),
                Err(message) => {
                    self.faults.push(join(path, &file_key), message);
                    // The key was given, if badly: it must not be reported as missing as well.
                    entries.insert(key.to_owned(), empty(target(self.root, schema)));
                }
            }
        }
    }

    fn read_secret(&self, file: &Value, schema: &Value) -> Result<Value, String> {
        let name = file.as_str().ok_or("expected a path")?;
        let text = fs::read_to_string(self.dir.join(name))
            .map_err(|error| format!("`{name}` cannot be read: {error}"))?;
        if text.trim().is_empty() {
            // Nothing here may stand for "none": that would switch off what the secret was to protect.
            return Err(format!("`{name}`: the file holds no secret"));
        }
        if schema["type"] == "array" {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            return Ok(lines.map(Value::from).collect());
        }
        let text = text.strip_suffix('\n').unwrap_or(&text);
        Ok(text.strip_suffix('\r').unwrap_or(text).into())
    }
}

/// Adds `<key>File` beside every secret `<key>`, for those who hold files against the schema as they are written.
pub fn offer_files(schema: &mut Value) {
    let root = schema.clone();
    offer_below(&root, schema);
}

fn offer_below(root: &Value, schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            offer(root, object);
            object
                .values_mut()
                .for_each(|value| offer_below(root, value));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| offer_below(root, item)),
        _ => {}
    }
}

fn offer(root: &Value, object: &mut Map<String, Value>) {
    let Some(Value::Object(properties)) = object.get_mut("properties") else {
        return;
    };
    let keys = file_keys(root, properties).map(|(key, file_key)| (key.to_owned(), file_key));
    let keys: Vec<_> = keys.collect();
    for (key, file_key) in &keys {
        let description = format!("The file that holds `{key}`, in its place.");
        let file = json!({ "type": "string", "description": description });
        properties.insert(file_key.clone(), file);
    }
    for (key, file_key) in &keys {
        require_either(object, key, file_key);
    }
}

/// Lets the file stand in for a secret that is required.
fn require_either(object: &mut Map<String, Value>, key: &str, file_key: &str) {
    let required = object.get_mut("required").and_then(Value::as_array_mut);
    let was_required = required.and_then(|required| {
        let index = required.iter().position(|name| name == key)?;
        Some(required.remove(index))
    });
    if was_required.is_none() {
        return;
    }
    let either = json!({ "anyOf": [{ "required": [key] }, { "required": [file_key] }] });
    let all_of = object.entry("allOf").or_insert_with(|| json!([]));
    if let Value::Array(all_of) = all_of {
        all_of.push(either);
    }
}

/// Every secret with the key of its file, unless that key means something else.
fn file_keys<'a>(
    root: &'a Value,
    properties: &'a Map<String, Value>,
) -> impl Iterator<Item = (&'a str, String)> {
    let secrets = properties
        .iter()
        .filter(|(_, schema)| is_secret(root, schema));
    secrets
        .map(|(key, _)| (key.as_str(), format!("{key}File")))
        .filter(|(_, file_key)| !properties.contains_key(file_key))
}

fn empty(schema: &Value) -> Value {
    if schema["type"] == "array" {
        Value::Array(Vec::new())
    } else {
        Value::from("")
    }
}
