use std::fs;

use super::Gateway;

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

fn faults(text: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.yaml"), text).unwrap();
    let faults = Gateway::load(dir.path()).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}
