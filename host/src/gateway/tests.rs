use std::fs;
use std::sync::Arc;

use abi::Purpose;
use abi::services::ServicesObject as _;

use super::Gateway;
use super::raised::Raised;
use crate::config::Origin;
use crate::desk::Desk;

#[test]
fn a_route_that_is_wrong_is_one_fault() {
    let faults = faults(
        "actions: { A: { use: gateway.actions.StaticAction } }\n\
         routes:\n\
         - { path: a, action: A }\n\
         - { path: /b, host: 'a:80', action: A }\n\
         - { path: /c, action: A }\n\
         - { path: /c, action: { use: gateway.actions.StaticAction, config: { stats: 200 } } }\n",
    );

    let expected = [
        "a.yaml: routes[0].path: a path begins with `/`",
        "a.yaml: routes[1].host: expected a host such as `example.org` or `*.example.org`, without a port",
        "a.yaml: routes[3].path: answers the same requests as routes[2]",
        "a.yaml: routes[3].action.config.stats: unknown key, did you mean `status`? known are status, headers, body",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn what_a_file_that_cannot_be_read_may_hold_is_not_missed_and_the_rest_is_judged() {
    let dir = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("broken.yaml", "storages: { A: [\n"),
        (
            "actions.yaml",
            "actions: { S: { use: gateway.actions.StaticAction, config: { stats: 200 } },\n  \
               A: { use: gateway.actions.AuthorizeAction }, P: { use: plugins.any.actions.Thing },\n  \
               H: { use: gateway.actions.HttpAction, config: { upstreamEndpoint: 'http://127.0.0.1:8090' } } }\n",
        ),
        (
            "routes.yaml",
            "routes: [{ path: /, middlewares: [Elsewhere], action: S }, { path: b, action: Nothing }]\n",
        ),
    ] {
        fs::write(dir.path().join(file), text).unwrap();
    }

    let faults = Gateway::check(dir.path()).unwrap_err();

    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    let expected = [
        "broken.yaml: did not find expected node content at line 2 column 1, while parsing a flow node",
        "routes.yaml: routes[1].action: unknown action `Nothing`, known are S, A, P, H",
        "routes.yaml: routes[1].path: a path begins with `/`",
        "actions.yaml: actions.S.config.stats: unknown key, did you mean `status`? known are status, headers, body",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn a_service_that_is_the_gateway_itself_is_a_fault() {
    let faults = faults(
        "server: { address: ['0.0.0.0:8090', 'unix:/run/gateway.sock'] }\n\
         actions:\n  \
           A: { use: gateway.actions.HttpAction, config: { upstreamEndpoint: 'http://127.0.0.1:8090/app' } }\n  \
           B: { use: gateway.actions.BalancerHttpAction, config: { upstreamEndpoints: ['http://127.0.0.1:8091', 'unix:/run/gateway.sock'] } }\n\
         routes: []\n",
    );

    let expected = [
        "a.yaml: actions.A.config.upstreamEndpoint: is this gateway itself, which listens at `0.0.0.0:8090`: \
         each request would ask for another without end",
        "a.yaml: actions.B.config.upstreamEndpoints[1]: is this gateway itself, which listens at `unix:/run/gateway.sock`: \
         each request would ask for another without end",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn a_flag_that_nobody_heeds_is_named_with_what_was_meant() {
    let desk = Desk::new(Arc::default(), Purpose::Check);
    let mut raised = Raised::default();
    let values = ["token_header", "tokn_header"].map(str::to_owned);
    for name in &values {
        desk.flag(name).unwrap();
    }
    raised.add(&Origin::of_file("a.yaml").key("middlewares.Set"), &values);

    desk.flag("token_header").unwrap();

    let unheeded = raised.unheeded(&desk);
    let expected = "a.yaml: middlewares.Set.values[1]: no middleware or action heeds the flag `tokn_header`, \
                    did you mean `token_header`? known are token_header";
    let shown: Vec<_> = unheeded.iter().map(ToString::to_string).collect();
    assert_eq!(shown, [expected]);
}

fn faults(text: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.yaml"), text).unwrap();
    let faults = Gateway::load(dir.path()).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}
