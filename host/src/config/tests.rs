use std::fs;
use std::time::Duration;

use super::loading::load_with;
use super::*;

#[test]
fn what_is_not_written_has_its_default() {
    let config = load("routes: []\n").unwrap();

    assert_eq!(
        config.server.addresses,
        [Address::Tcp("0.0.0.0:8090".to_owned())]
    );
    assert_eq!(
        config.server.timeouts.header_read.get(),
        Duration::from_secs(10)
    );
    assert_eq!(config.server.shutdown_grace, Duration::from_secs(30));
    assert!(config.server.admin.is_none());
    assert!(config.routes.is_empty());
}

#[test]
fn files_without_routes_are_a_fault() {
    for text in [
        "",
        "# routes: []\n",
        "null\n",
        "routes:\n",
        "server: { threads: 1 }\n",
    ] {
        let faults = faults(text);

        assert_eq!(faults.len(), 1, "{text:?}: {faults:?}");
        assert!(faults[0].ends_with(
            ": no file has `routes:`, so there is nothing to serve; `routes: []` if this is meant"
        ));
    }
}

#[test]
fn the_schema_shows_the_defaults() {
    let schema = schema();

    let server = &schema["$defs"]["ServerSection"]["properties"];
    assert_eq!(server["shutdownGrace"]["default"], "30s");
    assert_eq!(server["address"]["default"], "0.0.0.0:8090");
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn a_full_configuration_is_read() {
    let config = load(FULL).unwrap();

    let server = &config.server;
    let unix = Address::Unix("/run/gateway.sock".into());
    assert_eq!(server.addresses, [Address::Tcp("[::1]:0".to_owned()), unix]);
    assert_eq!(
        server.admin,
        Some(Address::Tcp("127.0.0.1:9091".to_owned()))
    );
    assert_eq!(server.limits.body_bytes.bytes(), 1024 * 1024);
    assert_eq!((server.threads, server.log.format), (2, LogFormat::Json));
    assert_eq!(config.plugins[0].path, config.dir.join("session.so"));
    let order: Vec<&str> = config.middlewares.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(order, ["Zeta", "Alpha"]);
    assert!(config.middlewares[0].any_request && !config.middlewares[1].any_request);
    let route = &config.routes[0];
    assert_eq!(
        (route.methods.as_slice(), route.host.as_str()),
        (&[http::Method::GET][..], "*.a.org")
    );
    assert!(matches!(&route.middlewares[0], Reference::Named(name) if name == "Alpha"));
    let Reference::Inline(inline) = &route.middlewares[1] else {
        panic!("not inline")
    };
    assert_eq!(inline.name, "routes[0].middlewares[1]");
    assert_eq!(
        inline.config_origin().path,
        "routes[0].middlewares[1].config"
    );
}

#[test]
fn every_section_reports_its_faults_at_once() {
    let faults = faults(
        "server: { adress: x, threads: -1, timeouts: { idle: soon }, log: { format: xml } }\n\
         plugins: [{ path: 7 }, {}]\n\
         storages: { A: { uses: x } }\n\
         sessions: {}\n\
         route: []\n",
    );

    let expected = [
        "a.yaml: server.adress: unknown key, did you mean `address`? known are address, socketMode, tls, trustedProxies, proxyProtocol, healthCheck, admin, \
         limits, timeouts, shutdownGrace, threads, tracing, log",
        "a.yaml: server.threads: expected an integer from 0 to 65535, found `-1`",
        "a.yaml: server.timeouts.idle: expected a duration such as `30m`, `1h30m` or `300ms`, found `soon`",
        "a.yaml: server.log.format: `xml` is not one of them: known are json, text",
        "a.yaml: plugins[0].path: expected a path, found `7`; put it in quotes",
        "a.yaml: plugins[1].path: missing, expected a path",
        "a.yaml: storages.A.use: missing, expected a text",
        "a.yaml: storages.A.uses: unknown key, did you mean `use`? known are use, config",
        "a.yaml: route: unknown section, did you mean `routes`? known are server, plugins, storages, middlewares, \
         actions, routes",
        "a.yaml: sessions: unknown section, known are server, plugins, storages, middlewares, actions, routes",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn a_middleware_that_would_run_twice_on_a_route_is_a_fault() {
    let faults = faults(
        "middlewares: { Load: { use: x, anyRequest: true }, Map: { use: x }, Set: { use: x } }\n\
         actions: { A: { use: x } }\n\
         routes: [{ path: /, middlewares: [Map, Set, Load, Map], action: A }]\n",
    );

    let expected = [
        "a.yaml: routes[0].middlewares[2]: `Load` runs on this route already, by its anyRequest: true",
        "a.yaml: routes[0].middlewares[3]: `Map` runs on this route already, as it is there twice",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn a_mode_for_sockets_needs_a_socket() {
    let with = |address: &str| {
        faults(&format!(
            "server: {{ address: {address}, socketMode: '0660' }}\nroutes: []\n"
        ))
    };

    let expected =
        "a.yaml: server.socketMode: is for sockets, and none of `address` is `unix:/path`";
    assert_eq!(with("'127.0.0.1:80'"), [expected]);
    let both = "server: { address: ['127.0.0.1:80', 'unix:/run/a'], socketMode: '0660' }";
    load(&format!("{both}\nroutes: []\n")).unwrap();
}

#[test]
fn what_the_schema_cannot_express_is_checked() {
    let faults = faults(
        "server:\n  address: [nowhere, 'a:99999', 'unix:relative', '::1:80']\n  admin: { address: '' }\n  \
         healthCheck: { live: live }\n  limits: { headerBytes: 10 }\n  log: { level: verbose }\nroutes: []\n",
    );

    let address = "expected `host:port`, `[ipv6]:port` or `unix:/path`";
    assert_eq!(
        faults[0],
        format!("a.yaml: server.address[0]: {address}, found `nowhere`")
    );
    assert_eq!(
        faults[1],
        format!("a.yaml: server.address[1]: {address}, found `a:99999`")
    );
    assert_eq!(
        faults[2],
        format!("a.yaml: server.address[2]: {address}, found `unix:relative`")
    );
    assert_eq!(
        faults[3],
        format!("a.yaml: server.address[3]: {address}, found `::1:80`")
    );
    assert_eq!(
        faults[4],
        format!("a.yaml: server.admin.address: {address}")
    );
    assert_eq!(
        faults[5],
        "a.yaml: server.healthCheck.live: expected a path that begins with `/`, found `live`"
    );
    assert_eq!(
        faults[6],
        "a.yaml: server.limits.headerBytes: expected at least 1KiB: less refuses browsers"
    );
    assert_eq!(
        faults[7],
        "a.yaml: server.log.level: `verbose` is not a level, known are off, error, warn, info, debug, trace"
    );
    assert_eq!(faults.len(), 8);
}

#[test]
fn an_unknown_name_is_answered_with_the_known_ones() {
    let faults = faults(
        "middlewares: { Load: { use: x } }\n\
         actions: { Echo: { use: x } }\n\
         routes: [{ path: /, middlewares: [load], action: Forward }]\n",
    );

    let expected = [
        "a.yaml: routes[0].middlewares[0]: unknown middleware `load`, did you mean `Load`? known are Load",
        "a.yaml: routes[0].action: unknown action `Forward`, known are Echo",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn routes_that_collide_or_cannot_be_are_refused() {
    let faults = faults(
        "actions: { A: { use: x } }\n\
         routes:\n\
         - { path: /a, method: GET, action: A }\n\
         - { path: /a, methods: [POST, GET], action: A }\n\
         - { path: a, action: A }\n\
         - { path: /b, host: 'a:80', action: A }\n",
    );

    let expected = [
        "a.yaml: routes[1].path: answers the same requests as routes[0]",
        "a.yaml: routes[2].path: a path begins with `/`",
        "a.yaml: routes[3].host: expected a host such as `example.org` or `*.example.org`, without a port",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn what_would_answer_for_another_is_refused() {
    let faults = faults(
        "server:\n  address: ['a:1', 'a:0', 'a:0', 'unix:/s', 'a:1', 'unix:/s']\n  admin: { address: 'a:1' }\n  \
         healthCheck: { live: /health, ready: /health }\nroutes: []\n",
    );

    let expected = [
        "a.yaml: server.address[4]: `a:1` is listed already",
        "a.yaml: server.address[5]: `unix:/s` is listed already",
        "a.yaml: server.admin.address: is one of `address` already",
        "a.yaml: server.healthCheck.ready: is the path of healthCheck.live, which would answer for both",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn a_route_on_the_path_of_a_health_route_is_refused() {
    let routes = "actions: { A: { use: x } }\n\
                  routes: [{ path: /health/ready, action: A }, { path: /health/*, action: A }]\n";

    let expected =
        ["a.yaml: routes[0].path: is server.healthCheck.ready, which answers there".to_owned()];
    assert_eq!(faults(routes), expected);
    assert!(
        load(&format!(
            "server: {{ healthCheck: {{ disabled: true }} }}\n{routes}"
        ))
        .is_ok()
    );
}

#[test]
fn one_wrong_entry_hides_nothing_of_the_others() {
    let faults = faults(
        "server: { threads: x }\n\
         middlewares: { M: { uses: x } }\n\
         actions: { A: { use: x } }\n\
         routes:\n\
         - { path: 7, action: A }\n\
         - { path: /a, middlewares: [M, N], action: A }\n\
         - { path: /a, action: A }\n",
    );

    let expected = [
        "a.yaml: server.threads: expected an integer from 0 to 65535, found `x`",
        "a.yaml: middlewares.M.use: missing, expected a text",
        "a.yaml: middlewares.M.uses: unknown key, did you mean `use`? known are use, config, anyRequest",
        "a.yaml: routes[0].path: expected a text, found `7`; put it in quotes",
        "a.yaml: routes[1].middlewares[1]: unknown middleware `N`, known are M",
        "a.yaml: routes[2].path: answers the same requests as routes[1]",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn a_section_of_the_wrong_kind_is_a_fault() {
    let faults = faults("plugins: { a: b }\nstorages: [a]\nroutes: []\n");

    let expected = [
        "a.yaml: plugins: expected a list",
        "a.yaml: storages: expected a map of names",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn methods_are_written_once_and_in_capitals() {
    let faults = faults(
        "actions: { A: { use: x } }\n\
         routes:\n\
         - { path: /a, method: get, action: A }\n\
         - { path: /b, method: GET, methods: [GET], action: A }\n\
         - { path: /c, methods: [], action: A }\n",
    );

    let expected = [
        "a.yaml: routes[0].method: `get` is not a method, did you mean `GET`? known are GET, HEAD, POST, PUT, PATCH, \
         DELETE, OPTIONS, TRACE",
        "a.yaml: routes[1].methods: cannot be given together with method",
        "a.yaml: routes[2].methods: an empty list answers nothing; leave it out for all methods",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn the_faults_of_an_inline_declaration_are_its_own() {
    let faults =
        faults("routes: [{ path: /, action: { use: x, confg: {} } }, { path: /a, action: 7 }]\n");

    let expected = [
        "a.yaml: routes[0].action.confg: unknown key, did you mean `config`? known are use, config",
        "a.yaml: routes[1].action: expected a text or a map of keys, found `7`",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn nothing_of_a_components_configuration_is_in_debug_output() {
    let config =
        load("routes: []\nstorages: { A: { use: x, config: { password: hunter2 } } }\n").unwrap();

    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn the_faults_of_a_component_are_placed_in_its_file() {
    let config = load("routes: []\nstorages: { A: { use: x, config: { prot: 1 } } }\n").unwrap();
    let schema = serde_json::json!({ "properties": { "port": {} }, "additionalProperties": false });

    let faults = config.storages[0].settle(&schema, &config.dir).unwrap_err();

    assert_eq!(
        faults[0].to_string(),
        "a.yaml: storages.A.config.prot: unknown key, did you mean `port`? known are port"
    );
}

fn load(text: &str) -> Result<Config, Vec<Fault>> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.yaml"), text).unwrap();
    load_with(dir.path(), &|_| None)
}

fn faults(text: &str) -> Vec<String> {
    load(text)
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect()
}

const FULL: &str = "
server:
  address: ['[::1]:0', 'unix:/run/gateway.sock']
  healthCheck: { live: /live, ready: /ready, disabled: true }
  admin: { address: 127.0.0.1:9091 }
  limits: { headerBytes: 32KiB, bodyBytes: 1MiB, connections: 1000 }
  timeouts: { headerRead: 5s, idle: 1m, connect: 1s, upstreamRead: 30s, upstreamWrite: 30s }
  shutdownGrace: 10s
  threads: 2
  log: { level: 'info,access=off', format: json }
plugins:
  - { path: session.so, config: { ioThreads: 1 } }
storages:
  Memory: { use: plugins.session.storages.MemoryStorage, config: { maxEntries: 10 } }
middlewares:
  Zeta: { use: plugins.session.middlewares.LoadSessionMiddleware, config: { storage: Memory }, anyRequest: true }
  Alpha: { use: gateway.middlewares.SetMiddleware, config: }
actions:
  Echo: { use: gateway.actions.EchoAction }
routes:
  - path: /users/:id
    method: GET
    host: '*.a.org'
    middlewares: [Alpha, { use: gateway.middlewares.SetMiddleware, config: { values: [a] } }]
    action: Echo
  - { path: /*, action: { use: gateway.actions.StaticAction } }
";
