//! `${ENV_VAR}` in configuration values.

use abi::config::{Fault, Faults};
use serde_json::Value;

/// Looks a variable of the environment up.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces every `${NAME}` in the texts of `value`; `$${` stands for a literal `${`. Keys are left alone.
pub(super) fn expand(value: &mut Value, environment: Environment<'_>) -> Faults {
    match value {
        Value::String(text) => match expand_text(text, environment) {
            Ok(expanded) => {
                *text = expanded;
                Faults::default()
            }
            Err(message) => Faults::at("", message),
        },
        Value::Array(items) => {
            let faults = items
                .iter_mut()
                .enumerate()
                .flat_map(|(index, item)| expand(item, environment).under(&format!("[{index}]")));
            faults.collect()
        }
        Value::Object(entries) => {
            let faults = entries
                .iter_mut()
                .flat_map(|(key, entry)| expand(entry, environment).under(key));
            faults.collect::<Vec<Fault>>().into_iter().collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Faults::default(),
    }
}

fn expand_text(text: &str, environment: Environment<'_>) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let before = &rest[..start];
        rest = &rest[start + 2..];
        if let Some(literal) = before.strip_suffix('$') {
            expanded.push_str(literal);
            expanded.push_str("${");
            continue;
        }
        expanded.push_str(before);
        let end = rest
            .find('}')
            .ok_or("`${` without `}`; write `$${` for a literal `${`")?;
        expanded.push_str(&lookup(&rest[..end], environment)?);
        rest = &rest[end + 1..];
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn lookup(name: &str, environment: Environment<'_>) -> Result<String, String> {
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_name {
        return Err(format!(
            "`${{{name}}}` does not name an environment variable; write `$${{` for a literal `${{`"
        ));
    }
    environment(name).ok_or_else(|| format!("environment variable `{name}` is not set"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn variables_are_replaced_at_every_depth() {
        let mut value = json!({ "a": ["x-${HOST}:${PORT}"], "b": 7, "${HOST}": true });

        let faults = expand(&mut value, &environment);

        assert!(faults.is_empty());
        assert_eq!(
            value,
            json!({ "a": ["x-localhost:80"], "b": 7, "${HOST}": true })
        );
    }

    #[test]
    fn a_doubled_dollar_is_literal() {
        let mut value = json!("$${HOST} costs $5");

        let faults = expand(&mut value, &environment);

        assert!(faults.is_empty());
        assert_eq!(value, json!("${HOST} costs $5"));
    }

    #[test]
    fn what_cannot_be_replaced_is_a_fault_at_its_place() {
        let mut value = json!({ "a": ["ok", "${NOPE}"], "b": "${HOST", "c": "${a b}" });

        let faults = expand(&mut value, &environment);

        assert_eq!(
            faults.to_string(),
            "a[1]: environment variable `NOPE` is not set\n\
             b: `${` without `}`; write `$${` for a literal `${`\n\
             c: `${a b}` does not name an environment variable; write `$${` for a literal `${`"
        );
    }

    fn environment(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("localhost".to_owned()),
            "PORT" => Some("80".to_owned()),
            _ => None,
        }
    }
}
