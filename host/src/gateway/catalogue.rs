//! Every component there is: those of the gateway and those of its plugins.

use std::collections::BTreeMap;

use abi::plugin::{ComponentDescription, Description, Kind};
use schemars::{JsonSchema, schema_for};
use serde_json::{Value, json};

use crate::actions::authorize::AuthorizeConfig;
use crate::actions::{BalancerConfig, EchoConfig, HttpConfig, StaticConfig};
use crate::config::{shape, suggest};
use crate::middlewares::SetConfig;

/// Components by their full names.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    entries: BTreeMap<String, Entry>,
}

/// A component.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) source: Source,
    pub(crate) description: ComponentDescription,
}

/// Who makes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Source {
    Builtin(Builtin),
    /// The plugin of this number.
    Plugin(usize),
}

/// What the gateway itself brings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Builtin {
    Authorize,
    Balancer,
    Echo,
    Http,
    Set,
    Static,
}

impl Catalogue {
    /// What the gateway itself brings.
    pub(crate) fn builtin() -> Self {
        let mut catalogue = Self::default();
        catalogue.add_builtin::<SetConfig>(Builtin::Set, Kind::Middlewares, "SetMiddleware");
        catalogue.add_builtin::<AuthorizeConfig>(
            Builtin::Authorize,
            Kind::Actions,
            "AuthorizeAction",
        );
        let balancer = "BalancerHttpAction";
        catalogue.add_builtin::<BalancerConfig>(Builtin::Balancer, Kind::Actions, balancer);
        catalogue.add_builtin::<EchoConfig>(Builtin::Echo, Kind::Actions, "EchoAction");
        catalogue.add_builtin::<HttpConfig>(Builtin::Http, Kind::Actions, "HttpAction");
        catalogue.add_builtin::<StaticConfig>(Builtin::Static, Kind::Actions, "StaticAction");
        catalogue
    }

    pub(crate) fn add_plugin(&mut self, number: usize, plugin: &Description) {
        for component in &plugin.components {
            let name = format!(
                "plugins.{}.{}.{}",
                plugin.name,
                component.kind.as_str(),
                component.name
            );
            let entry = Entry {
                source: Source::Plugin(number),
                description: component.clone(),
            };
            self.entries.insert(name, entry);
        }
    }

    fn add_builtin<C: JsonSchema>(&mut self, builtin: Builtin, kind: Kind, name: &str) {
        let schema = schema_for!(C).to_value();
        let description = ComponentDescription {
            kind,
            name: name.to_owned(),
            help: builtin.help().to_owned(),
            schema,
            session: None,
            below: Vec::new(),
        };
        let entry = Entry {
            source: Source::Builtin(builtin),
            description,
        };
        let name = format!("gateway.{}.{name}", kind.as_str());
        self.entries.insert(name, entry);
    }

    /// Finds a component of a kind.
    ///
    /// # Errors
    /// With what is known instead.
    pub(crate) fn find(&self, name: &str, kind: Kind) -> Result<&Entry, String> {
        match self.entries.get(name) {
            Some(entry) if entry.description.kind == kind => Ok(entry),
            Some(entry) => Err(format!(
                "`{name}` is one of the {}, not of the {}",
                entry.description.kind.as_str(),
                kind.as_str()
            )),
            None => {
                let names = self.of_kind(kind).map(|(name, _)| name);
                Err(format!(
                    "unknown component `{name}`, {}",
                    suggest(name, names)
                ))
            }
        }
    }

    /// All components of a kind, by name.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries
            .iter()
            .filter(move |(_, entry)| entry.description.kind == kind)
            .map(|(name, entry)| (name.as_str(), entry))
    }

    /// The schema of all files, with the configuration of each component tied to its name.
    pub(crate) fn complete(&self, mut schema: Value) -> Value {
        for kind in [Kind::Storages, Kind::Middlewares, Kind::Actions] {
            let choices: Vec<Value> = self
                .of_kind(kind)
                .map(|(name, entry)| {
                    let config = embed(entry.description.schema.clone());
                    json!({
                        "if": { "properties": { "use": { "const": name } }, "required": ["use"] },
                        "then": { "properties": { "use": { "description": entry.description.help }, "config": config } },
                    })
                })
                .collect();
            let names: Vec<&str> = self.of_kind(kind).map(|(name, _)| name).collect();
            let section = &mut schema["properties"][kind.as_str()]["additionalProperties"];
            let shape = section.take();
            let mut all = vec![shape, json!({ "properties": { "use": { "enum": names } } })];
            all.extend(choices);
            *section = json!({ "allOf": all });
        }
        schema
    }
}

/// A schema in the middle of another: its own definitions move to where it stands.
fn embed(mut schema: Value) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        let definitions = object.remove("$defs");
        if let Some(definitions) = definitions {
            inline(&mut schema, &definitions);
        }
    }
    shape::offer_files(&mut schema);
    schema
}

fn inline(schema: &mut Value, definitions: &Value) {
    match schema {
        Value::Object(object) => {
            let target = object.get("$ref").and_then(Value::as_str);
            let name = target.and_then(|target| target.strip_prefix("#/$defs/"));
            if let Some(definition) = name.and_then(|name| definitions.get(name)).cloned() {
                object.remove("$ref");
                if let Value::Object(definition) = definition {
                    for (key, value) in definition {
                        object.entry(key).or_insert(value);
                    }
                }
            }
            object
                .values_mut()
                .for_each(|value| inline(value, definitions));
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|value| inline(value, definitions)),
        _ => {}
    }
}

impl Builtin {
    const fn help(self) -> &'static str {
        match self {
            Self::Authorize => {
                "Answers another proxy whether a request may pass, with the mapped headers."
            }
            Self::Balancer => "Forwards to one of several upstreams that stand in for each other.",
            Self::Echo => "Answers with the request as an upstream would see it, as JSON.",
            Self::Http => "Forwards to an upstream; WebSocket upgrades pass.",
            Self::Set => "Raises flags that later middlewares read.",
            Self::Static => "Always gives the same answer.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_component_is_answered_with_those_there_are() {
        let problem = Catalogue::builtin()
            .find("gateway.actions.EchoActoin", Kind::Actions)
            .unwrap_err();

        assert!(
            problem.contains("did you mean `gateway.actions.EchoAction`"),
            "{problem}"
        );
    }

    #[test]
    fn component_of_another_kind_is_named_as_such() {
        let problem = Catalogue::builtin()
            .find("gateway.actions.EchoAction", Kind::Middlewares)
            .unwrap_err();

        assert_eq!(
            problem,
            "`gateway.actions.EchoAction` is one of the actions, not of the middlewares"
        );
    }

    #[test]
    fn complete_schema_ties_configurations_to_names() {
        let schema = Catalogue::builtin().complete(crate::config::schema());

        let actions = schema["properties"]["actions"]["additionalProperties"].to_string();
        assert!(
            actions.contains("gateway.actions.StaticAction"),
            "{actions}"
        );
        assert!(actions.contains("upstreamEndpoint"), "{actions}");
        assert!(
            !schema["properties"]["actions"]
                .to_string()
                .contains("$schema")
        );
    }

    #[test]
    fn schema_of_a_component_has_the_files_of_its_secrets() {
        let schema = json!({
            "properties": { "tls": { "$ref": "#/$defs/Tls" } },
            "$defs": { "Tls": { "properties": { "password": { "format": "secret" } } } },
        });

        let properties = &embed(schema)["properties"]["tls"]["properties"];

        assert!(properties["passwordFile"].is_object(), "{properties}");
    }
}
