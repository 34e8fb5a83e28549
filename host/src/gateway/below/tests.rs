use std::fs;

use abi::plugin::{ComponentDescription, Description, Kind};
use serde_json::json;

use super::*;
use crate::config::survey;
use crate::gateway::catalogue::Catalogue;

#[test]
fn a_login_with_its_callback_is_fine_in_each_of_its_spellings() {
    for routes in [
        "- { path: /login, action: Login }\n- { path: /login/callback, action: Login }",
        "- { path: /login, action: Login }\n- { path: /login/*, method: GET, action: Login }",
        "- { path: /login/, action: Login }\n- { path: /login/callback, action: Login }",
        "- { path: /:tenant/login, action: Login }",
        "- { path: /a, host: '*.a.example', action: Login }\n\
         - { path: /a/callback, host: '*.a.example', action: Login }",
        "- { path: /login, action: Elsewhere }",
        "- { path: /login, action: Form }",
    ] {
        assert_eq!(unreached(routes), NONE, "{routes}");
    }
}

#[test]
fn a_login_without_its_callback_is_told_which_route_it_needs() {
    let needs =
        "with `provider`, `Login` needs a route `/login/callback` that leads to it and takes GET";
    for routes in [
        "- { path: /login, action: Login }",
        "- { path: /login, action: Login }\n- { path: /login/*, action: Form }",
        "- { path: /login, action: Login }\n- { path: /login/callback, host: a.example, action: Login }",
    ] {
        let expected = format!("a.yaml: routes[0].path: {needs}");
        assert_eq!(unreached(routes), [expected], "{routes}");
    }
}

#[test]
fn a_route_that_does_not_take_the_method_is_told_beside_the_one_that_needs_it() {
    let routes = "- { path: /login, action: Login }\n\
                  - { path: /login/callback, methods: [POST, PUT], action: Login }";

    let expected = [
        "a.yaml: routes[0].path: with `provider`, `Login` needs a route `/login/callback` that leads to it and takes GET",
        "a.yaml: routes[1]: `Login` answers GET at a path that ends in `/callback`; expected GET among the methods",
    ];
    assert_eq!(unreached(routes), expected);
}

#[test]
fn a_route_that_is_up_to_the_user_has_to_take_the_method_if_there_is_one() {
    assert_eq!(unreached("- { path: /logout, action: Logout }"), NONE);
    let open = "- { path: /logout/backchannel, method: POST, action: Logout }";
    assert_eq!(unreached(open), NONE);

    let closed = unreached("- { path: /logout/backchannel, method: GET, action: Logout }");

    let expected = "a.yaml: routes[0]: `Logout` answers POST at a path that ends in `/backchannel`; expected POST among the methods";
    assert_eq!(closed, [expected]);
}

fn unreached(routes: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("a.yaml"),
        format!("{ACTIONS}routes:\n{routes}"),
    )
    .unwrap();
    let (config, faults) = survey(dir.path());
    assert_eq!(faults, []);
    let config = config.unwrap();
    let mut catalogue = Catalogue::builtin();
    catalogue.add_plugin(0, &plugin());
    let mut below = Below::default();
    for declaration in &config.actions {
        let entry = catalogue
            .find(&declaration.component, Kind::Actions)
            .unwrap();
        below.note(declaration, entry, &declaration.config);
    }
    let unreached = below.unreached(&config);
    unreached.iter().map(Fault::to_string).collect()
}

fn plugin() -> Description {
    let action = |name: &str, below| ComponentDescription {
        kind: Kind::Actions,
        name: name.to_owned(),
        help: String::new(),
        schema: json!(true),
        session: None,
        below: vec![below],
    };
    let callback = RouteBelow::new("/callback", "GET");
    let callback = callback.needed_with("provider").unless("redirectUri");
    Description {
        name: "p".to_owned(),
        help: String::new(),
        version: "1.0.0".to_owned(),
        schema: json!(true),
        components: vec![
            action("Login", callback),
            action("Logout", RouteBelow::new("/backchannel", "POST")),
        ],
    }
}

const NONE: [&str; 0] = [];
const ACTIONS: &str = "\
actions:
  Login: { use: plugins.p.actions.Login, config: { provider: corporate } }
  Elsewhere: { use: plugins.p.actions.Login, config: { provider: corporate, redirectUri: 'https://a.example/callback' } }
  Form: { use: plugins.p.actions.Login, config: { usersFile: users } }
  Logout: { use: plugins.p.actions.Logout }
";
