//! Whether what a plugin calls itself and its components can be named in a configuration.

use abi::plugin::{ComponentDescription, Description};

/// What keeps a plugin's components from being found under names of their own.
pub(super) fn problem(plugin: &Description) -> Option<String> {
    let expected = "expected a name of letters, digits, `_` and `-`";
    if !is_word(&plugin.name) {
        let name = plugin.name.escape_debug();
        return Some(format!("the plugin calls itself `{name}`, {expected}"));
    }
    let mut components = plugin.components.iter().enumerate();
    components.find_map(|(index, component)| {
        if !is_word(&component.name) {
            let name = component.name.escape_debug();
            return Some(format!("the plugin offers `{name}`, {expected}"));
        }
        let is_same = |before: &ComponentDescription| {
            before.kind == component.kind && before.name == component.name
        };
        plugin.components[..index].iter().any(is_same).then(|| {
            let (kind, name) = (component.kind.as_str(), &component.name);
            format!("the plugin offers two {kind} called `{name}`, of which a configuration could only mean one")
        })
    })
}

fn is_word(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    !name.is_empty() && name.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use abi::plugin::Kind;
    use serde_json::json;

    use super::*;

    #[test]
    fn names_by_which_a_configuration_finds_components_are_fine() {
        let components = [
            (Kind::Actions, "A"),
            (Kind::Middlewares, "A"),
            (Kind::Actions, "B"),
        ];

        assert_eq!(problem(&plugin("front-desk_2", &components)), None);
    }

    #[test]
    fn a_name_that_would_end_elsewhere_in_a_path_is_refused() {
        for name in ["", "Front.Desk", "front desk", "d\u{e9}sk", "a\nb"] {
            let problem = problem(&plugin(name, &[])).unwrap();
            assert!(
                problem.starts_with("the plugin calls itself `"),
                "{problem}"
            );
        }
        let component = problem(&plugin("desk", &[(Kind::Actions, "Who.Action")])).unwrap();
        assert!(component.contains("`Who.Action`"), "{component}");
    }

    #[test]
    fn two_components_of_one_kind_and_name_are_refused() {
        let components = [(Kind::Actions, "A"), (Kind::Actions, "A")];

        let problem = problem(&plugin("desk", &components)).unwrap();

        assert!(problem.contains("two actions called `A`"), "{problem}");
    }

    fn plugin(name: &str, components: &[(Kind, &str)]) -> Description {
        let components = components.iter().map(|(kind, name)| ComponentDescription {
            kind: *kind,
            name: (*name).to_owned(),
            help: String::new(),
            schema: json!(true),
            session: None,
            below: Vec::new(),
        });
        Description {
            name: name.to_owned(),
            help: String::new(),
            version: "1.0.0".to_owned(),
            schema: json!(true),
            components: components.collect(),
        }
    }
}
