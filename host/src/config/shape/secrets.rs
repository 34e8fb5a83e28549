//! `<key>File` beside every secret `<key>`.

use std::fs;

use serde_json::{Map, Value};

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
        for (key, schema) in properties {
            let file_key = format!("{key}File");
            let is_ours = is_secret(self.root, schema) && !properties.contains_key(&file_key);
            let Some(file) = is_ours.then(|| entries.remove(&file_key)).flatten() else {
                continue;
            };
            if entries.contains_key(key) {
                let message = format!("cannot be given together with {key}");
                self.faults.push(join(path, &file_key), message);
                continue;
            }
            match self.read_secret(&file, target(self.root, schema)) {
                Ok(secret) => drop(entries.insert(key.clone(), secret)),
                Err(message) => {
                    self.faults.push(join(path, &file_key), message);
                    // The key was given, if badly: it must not be reported as missing as well.
                    entries.insert(key.clone(), empty(target(self.root, schema)));
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

fn empty(schema: &Value) -> Value {
    if schema["type"] == "array" {
        Value::Array(Vec::new())
    } else {
        Value::from("")
    }
}
