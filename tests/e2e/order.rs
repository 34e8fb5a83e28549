//! Routes on which what needs a session has none, which could never work.

use abi::SessionUse;
use abi::loader::LoadedPlugin;
use e2e::{Site, Verdict, plugins};

#[test]
fn components_of_session_so_say_what_they_have_to_do_with_sessions() {
    let plugin = LoadedPlugin::load(plugins::session()).unwrap();

    let components = plugin.description().components.iter();
    let said: Vec<_> = components
        .filter_map(|component| Some((component.name.as_str(), component.session.clone()?)))
        .collect();

    let expected = [
        (
            "LoadSessionMiddleware",
            SessionUse::gives().unless("disableSessionForward"),
        ),
        ("MapSessionToHeaderMiddleware", SessionUse::needs()),
        (
            "RequireSessionMiddleware",
            SessionUse::needs().unless("token"),
        ),
        ("LoginAction", SessionUse::needs_at_times()),
        ("SessionsAction", SessionUse::needs()),
        ("InfoAction", SessionUse::needs()),
        ("RefreshAction", SessionUse::needs()),
        ("LogoutAction", SessionUse::needs_at_times()),
    ];
    assert_eq!(said, expected);
}

#[test]
fn what_needs_a_session_before_it_is_loaded_is_refused() {
    let site = site().route("path: /, middlewares: [Require, Load, Map], action: Echo");

    checked(&site).assert_refused(
        "gateway.yaml: routes[0].middlewares[0]: `Require` needs a session, and `Load`, which gives one, comes after it; \
         expected the other order",
    );
}

#[test]
fn middlewares_and_actions_that_need_a_session_are_refused_on_a_route_without() {
    let actions = ["Login", "Logout", "Sessions", "Info", "Refresh"];
    let site = site().route("path: /, middlewares: [Map], action: Echo");
    let site = actions.iter().fold(site, |site, action| {
        let config = match *action {
            "Login" => "usersFile: users",
            _ => "",
        };
        let entry = format!("use: plugins.session.actions.{action}Action, config: {{ {config} }}");
        let site = site.action(&format!("{action}: {{ {entry} }}"));
        site.route(&format!("path: /{action}, action: {action}"))
    });
    let directory = site.write();
    std::fs::write(directory.path().join("users"), USERS).unwrap();

    let checked = Verdict::of("check", directory.path());

    checked.assert_refused(
        "routes[0].middlewares[0]: `Map` needs a session, and no middleware before it gives one; expected before it: `Load`",
    );
    for (index, action) in actions.iter().enumerate() {
        checked.assert_refused(&format!(
            "routes[{}].action: `{action}` needs a session, and no middleware of this route gives one; \
             expected among them: `Load`",
            index + 1
        ));
    }
}

#[test]
fn what_any_request_needs_is_refused_where_only_routes_load_it() {
    let require = "plugins.session.middlewares.RequireSessionMiddleware";
    let site = site()
        .middleware(&format!("Guard: {{ use: {require}, anyRequest: true }}"))
        .route("path: /, middlewares: [Load], action: Echo");

    checked(&site).assert_refused(
        "gateway.yaml: middlewares.Guard: needs a session, and with `anyRequest` it runs before all that could give one; \
         expected before it, with `anyRequest` too: `Load`",
    );
}

#[test]
fn places_that_need_no_session_need_no_middleware() {
    let site = site()
        .action("Logout: { use: plugins.session.actions.LogoutAction }")
        .route("path: /logout, middlewares: [Load], action: Logout")
        .route("path: /logout/done, action: Logout");

    let checked = checked(&site);

    assert!(checked.success, "{}", checked.text());
}

#[test]
fn tokens_of_clients_stand_in_for_a_session() {
    let require =
        "use: plugins.session.middlewares.RequireSessionMiddleware, config: { token: {} }";
    let site = site()
        .providers("main: { issuer: 'https://login.example.test', clientId: gateway }")
        .middleware(&format!("Bearer: {{ {require} }}"))
        .route("path: /, middlewares: [Bearer, Map], action: Echo");

    let checked = checked(&site);

    assert!(checked.success, "{}", checked.text());
}

fn checked(site: &Site) -> Verdict {
    Verdict::of("check", site.write().path())
}

fn site() -> Site {
    Site::bare()
        .middleware("Require: { use: plugins.session.middlewares.RequireSessionMiddleware }")
        .action("Echo: { use: gateway.actions.EchoAction }")
}

/// Somebody who could log in.
const USERS: &str = "bob:$2y$04$PV.k9kMDGkZflJ9HXkfWn.7DGy5zj7sLHbPct5koL5js4p.5RdkHC\n";
