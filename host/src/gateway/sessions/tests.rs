use std::fs;

use abi::SessionUse;
use abi::plugin::{ComponentDescription, Description, Kind};
use serde_json::json;

use super::Sessions;
use crate::config::{Config, Declaration, Fault, Reference, survey};
use crate::gateway::catalogue::Catalogue;

#[test]
fn what_needs_a_session_may_stand_behind_who_gives_one() {
    let faults = faults("- { path: /, middlewares: [Gives, Needs, Set], action: Needs }");

    assert_eq!(faults, NONE);
}

#[test]
fn wrong_order_is_told_at_what_stands_too_early() {
    let faults = faults(
        "- { path: /, middlewares: [Gives], action: Static }\n\
         - { path: /b, middlewares: [Set, Needs, Gives], action: Needs }",
    );

    let expected = "a.yaml: routes[1].middlewares[1]: `Needs` needs a session, and `Gives`, which gives one, comes \
                    after it; expected the other order";
    assert_eq!(faults, [expected]);
}

#[test]
fn whatever_needs_a_session_on_a_route_without_one_is_told_with_who_gives_one() {
    let faults = faults("- { path: /, middlewares: [Needs, Set], action: Needs }");

    let expected = [
        "a.yaml: routes[0].middlewares[0]: `Needs` needs a session, and no middleware before it gives one; \
         expected before it: `Gives`, `Others`",
        "a.yaml: routes[0].action: `Needs` needs a session, and no middleware of this route gives one; \
         expected among them: `Gives`, `Others`",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn where_nobody_who_gives_one_is_declared_a_component_that_does_is_named() {
    let text = "actions: { Needs: { use: plugins.known.actions.Needs } }\n\
                routes: [{ path: /, action: Needs }]";

    let expected = "a.yaml: routes[0].action: `Needs` needs a session, and no middleware of this route gives one; \
                    expected among them: one that uses `plugins.known.middlewares.Gives`";
    assert_eq!(judged(text), [expected]);
}

#[test]
fn where_no_plugin_offers_who_gives_one_that_is_said() {
    let text = "actions: { Needs: { use: plugins.silent.actions.Needs } }\n\
                routes: [{ path: /, action: Needs }]";

    let expected = "a.yaml: routes[0].action: `Needs` needs a session, and no middleware of this route gives one; \
                    expected among them: one of a plugin that gives sessions, and `plugins` names none";
    assert_eq!(
        judged_with(text, &[plugin("silent", needing())]),
        [expected]
    );
}

#[test]
fn components_in_place_are_judged_as_those_with_a_name() {
    let gives = "{ use: plugins.known.middlewares.Gives }";
    let needs = "{ use: plugins.known.middlewares.Needs }";

    let faults = faults(&format!(
        "- {{ path: /, middlewares: [{gives}, {needs}], action: Needs }}\n\
         - {{ path: /b, middlewares: [{needs}, {gives}], action: Needs }}"
    ));

    let expected = "a.yaml: routes[1].middlewares[0]: `plugins.known.middlewares.Needs` needs a session, and \
                    `plugins.known.middlewares.Gives`, which gives one, comes after it; expected the other order";
    assert_eq!(faults, [expected]);
}

#[test]
fn who_gives_one_to_any_request_comes_before_every_route() {
    let faults = with("Everywhere: { use: plugins.known.middlewares.Gives, anyRequest: true }");

    assert_eq!(faults, NONE);
}

#[test]
fn what_any_request_needs_in_vain_is_told_once_and_not_at_each_route() {
    let faults = with("Everywhere: { use: plugins.known.middlewares.Needs, anyRequest: true }");

    let expected = [
        "a.yaml: middlewares.Everywhere: needs a session, and with `anyRequest` it runs before all that could give one; \
         expected before it, with `anyRequest` too: `Gives`, `Others`",
        "a.yaml: routes[1].action: `Needs` needs a session, and no middleware of this route gives one; \
         expected among them: `Gives`, `Others`",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn behind_a_middleware_that_says_nothing_nobody_is_judged() {
    let faults = faults("- { path: /, middlewares: [Silent, Needs], action: Needs }");

    assert_eq!(faults, NONE);
}

#[test]
fn before_a_middleware_that_says_nothing_everybody_is_judged() {
    let faults = faults("- { path: /, middlewares: [Needs, Silent], action: Needs }");

    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("routes[0].middlewares[0]"), "{faults:?}");
}

#[test]
fn what_takes_back_that_it_gives_one_has_said_nothing() {
    let hidden = "Hidden: { use: plugins.known.middlewares.Gives, config: { hidden: true } }";
    let text = format!(
        "middlewares: {{ {hidden}, Needs: {{ use: plugins.known.middlewares.Needs }} }}\n\
         actions: {{ Static: {{ use: gateway.actions.StaticAction }} }}\n\
         routes: [{{ path: /, middlewares: [Hidden, Needs], action: Static }}]"
    );

    assert_eq!(judged(&text), NONE);
}

#[test]
fn an_action_that_needs_one_at_times_has_to_have_it_on_one_of_its_routes() {
    let with_one =
        "- { path: /, middlewares: [Gives], action: AtTimes }\n- { path: /done, action: AtTimes }";
    let without = "- { path: /, action: AtTimes }\n- { path: /done, action: AtTimes }";

    assert_eq!(faults(with_one), NONE);
    let faults = faults(without);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[1].starts_with("a.yaml: routes[1].action: `AtTimes` needs a session"));
}

#[test]
fn a_balancer_that_goes_by_sessions_has_to_have_one_on_one_of_its_routes() {
    let with_one =
        "- { path: /, middlewares: [Gives], action: Sticky }\n- { path: /logo, action: Sticky }";
    let without = "- { path: /, action: Sticky }\n- { path: /b, action: ByCookie }";

    assert_eq!(faults(with_one), NONE);
    let expected = "a.yaml: routes[0].action: `Sticky` needs a session, and no middleware of this route gives one; \
                    expected among them: `Gives`, `Others`";
    assert_eq!(faults(without), [expected]);
}

#[test]
fn what_cannot_be_read_may_be_who_gives_one() {
    let broken = with("Broken: { uses: plugins.known.middlewares.Gives, anyRequest: true }");

    assert_eq!(broken, NONE);
}

/// Judges routes with components of every kind.
fn faults(routes: &str) -> Vec<String> {
    judged(&format!("{COMPONENTS}\nroutes:\n{routes}"))
}

/// Judges two routes that lack one session, with one more middleware.
fn with(middleware: &str) -> Vec<String> {
    let components = COMPONENTS.replace("  Set:", &format!("  {middleware}\n  Set:"));
    judged(&format!(
        "{components}\nroutes:\n\
         - {{ path: /, middlewares: [Gives], action: Needs }}\n\
         - {{ path: /b, action: Needs }}"
    ))
}

fn judged(text: &str) -> Vec<String> {
    let silent = plugin("silent", vec![component("Silent", None)]);
    judged_with(text, &[known(), silent])
}

fn judged_with(text: &str, plugins: &[Description]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.yaml"), text).unwrap();
    let config = survey(dir.path()).0.unwrap();
    let mut catalogue = Catalogue::builtin();
    for (number, plugin) in plugins.iter().enumerate() {
        catalogue.add_plugin(number, plugin);
    }
    let mut sessions = Sessions::default();
    for (kind, declaration) in declared(&config) {
        let entry = catalogue.find(&declaration.component, kind).unwrap();
        sessions.note(declaration, entry, &declaration.config);
    }
    let faults = sessions.faults(&config, &catalogue);
    faults.iter().map(Fault::to_string).collect()
}

fn declared(config: &Config) -> impl Iterator<Item = (Kind, &Declaration)> {
    let of_routes = config.routes.iter().flat_map(|route| &route.middlewares);
    let in_place = of_routes.filter_map(|reference| match reference {
        Reference::Inline(declaration) => Some((Kind::Middlewares, declaration)),
        Reference::Named(_) => None,
    });
    let middlewares = config.middlewares.iter();
    let middlewares = middlewares.map(|each| (Kind::Middlewares, each));
    let actions = config.actions.iter().map(|each| (Kind::Actions, each));
    middlewares.chain(actions).chain(in_place)
}

fn needing() -> Vec<ComponentDescription> {
    let needs = component("Needs", Some(SessionUse::needs()));
    vec![ComponentDescription {
        kind: Kind::Actions,
        ..needs
    }]
}

fn known() -> Description {
    let action = |name: &str, used| ComponentDescription {
        kind: Kind::Actions,
        ..component(name, Some(used))
    };
    let components = vec![
        component("Gives", Some(SessionUse::gives().unless("hidden"))),
        component("Needs", Some(SessionUse::needs())),
        action("Needs", SessionUse::needs()),
        action("AtTimes", SessionUse::needs_at_times()),
    ];
    plugin("known", components)
}

fn plugin(name: &str, components: Vec<ComponentDescription>) -> Description {
    Description {
        name: name.to_owned(),
        help: String::new(),
        version: "1.0.0".to_owned(),
        schema: json!(true),
        components,
    }
}

fn component(name: &str, session: Option<SessionUse>) -> ComponentDescription {
    ComponentDescription {
        kind: Kind::Middlewares,
        name: name.to_owned(),
        help: String::new(),
        schema: json!(true),
        session,
        below: Vec::new(),
    }
}

const NONE: [&str; 0] = [];

const COMPONENTS: &str = "\
middlewares:
  Gives: { use: plugins.known.middlewares.Gives }
  Others: { use: plugins.known.middlewares.Gives, config: { hidden: false } }
  Needs: { use: plugins.known.middlewares.Needs }
  Silent: { use: plugins.silent.middlewares.Silent }
  Set: { use: gateway.middlewares.SetMiddleware, config: { values: [a] } }
actions:
  Needs: { use: plugins.known.actions.Needs }
  AtTimes: { use: plugins.known.actions.AtTimes }
  Static: { use: gateway.actions.StaticAction }
  Sticky: { use: gateway.actions.BalancerHttpAction, config: { sticky: session } }
  ByCookie: { use: gateway.actions.BalancerHttpAction, config: { sticky: { cookie: lb } } }
";
