//! What is wrong is said, all of it, and nothing is half-started.

use std::fs;
use std::net::TcpListener;

use e2e::{Redis, Site, Upstream, Verdict, plugins};
use tempfile::TempDir;

#[test]
fn check_reports_every_fault_of_every_file_at_once() {
    let session = format!("plugins: [{{ path: '{}' }}]", plugins::session().display());
    let directory = files(&[
        ("plugins.yaml", &session),
        (
            "storages.yaml",
            "storages: { S: { use: plugins.session.storages.RedisStorage, config: { prot: 1 } } }",
        ),
        (
            "middlewares.yaml",
            "middlewares: { L: { use: plugins.session.middlewares.LoadSessionMiddleware, config: { cookieExpiration: soon } } }",
        ),
        (
            "actions.yaml",
            "actions: { A: { use: gateway.actions.EchoActoin } }",
        ),
        ("server.yaml", "server: { adress: 'x' }"),
        (
            "routes.yaml",
            "routes: [{ path: /, middlewares: [M], action: A }, { path: a, action: A }]",
        ),
    ]);

    let verdict = Verdict::of("check", directory.path());

    for fault in [
        "server.yaml: server.adress: unknown key, did you mean `address`?",
        "storages.yaml: storages.S.config.prot: unknown key, did you mean `port`?",
        "middlewares.yaml: middlewares.L.config.cookieExpiration: expected a duration such as `30m`",
        "actions.yaml: actions.A",
        "did you mean `gateway.actions.EchoAction`?",
        "routes.yaml: routes[0].middlewares[0]: unknown middleware `M`",
        "routes.yaml: routes[1].path: a path begins with `/`",
    ] {
        verdict.assert_refused(fault);
    }
}

#[test]
fn right_configuration_passes_the_check_and_nothing_listens() {
    let upstream = Upstream::start();

    let verdict = Verdict::of("check", Site::new(&upstream).write().path());

    assert!(verdict.success, "{}", verdict.text());
    assert!(!verdict.text().contains("listening"));
}

#[test]
fn unknown_component_is_answered_with_the_known_ones() {
    let refused = |entry: &str| Site::bare().middleware(entry).refused();

    let misspelt = refused("X: { use: plugins.session.middlewares.LoadSesionMiddleware }");
    let stranger = refused("X: { use: plugins.turnstile.middlewares.Gate }");

    misspelt.assert_refused("did you mean `plugins.session.middlewares.LoadSessionMiddleware`?");
    misspelt.assert_refused("plugins.session.middlewares.MapSessionToHeaderMiddleware");
    stranger.assert_refused("turnstile");
    stranger.assert_refused("session");
}

#[test]
fn misspelt_keys_of_plugins_get_a_suggestion() {
    let load = |key: &str| Site::bare().load(key).refused();

    load("cookieSecur: true").assert_refused(
        "middlewares.Load.config.cookieSecur: unknown key, did you mean `cookieSecure`?",
    );
    load("cookieHttpOnly: true").assert_refused("did you mean `cookieHTTPOnly`?");
    let map = "use: plugins.session.middlewares.MapSessionToHeaderMiddleware";
    Site::bare()
        .middleware(&format!("M: {{ {map}, config: {{ header: {{}} }} }}"))
        .refused()
        .assert_refused("middlewares.M.config.header: unknown key, did you mean `headers`?");
}

#[test]
fn values_that_mean_nothing_are_refused_where_they_stand() {
    let cases = [
        ("storage: Nowhere", "middlewares.Load.config.storage"),
        (
            "cookieExpiration: soon",
            "expected a duration such as `30m`, `1h30m` or `300ms`",
        ),
        ("cookieExpiration: 0", "a duration cannot be 0"),
        ("autoRenewAfter: 101y", "a duration cannot exceed 100 years"),
        (
            "cookieSameSite: Loose",
            "middlewares.Load.config.cookieSameSite",
        ),
        (
            "cookieSameSite: None",
            "middlewares.Load.config.cookieSameSite",
        ),
        (
            "keyLookup: 'cookies:id'",
            "middlewares.Load.config.keyLookup",
        ),
        (
            "keyLookup: 'cookie:a b'",
            "middlewares.Load.config.keyLookup",
        ),
        ("keyLookup: []", "middlewares.Load.config.keyLookup"),
        (
            "cookieHTTPOnly: maybe",
            "middlewares.Load.config.cookieHTTPOnly",
        ),
    ];
    for (key, text) in cases {
        Site::bare().load(key).refused().assert_refused(text);
    }
    for (headers, text) in [
        ("'X User': user_id", "middlewares.Map.config.headers.X User"),
        (
            "X-User-Id: user_id, X_User_Id: user_id",
            "middlewares.Map.config.headers",
        ),
        (
            "Connection: user_id",
            "middlewares.Map.config.headers.Connection",
        ),
        ("", "middlewares.Map.config.headers"),
    ] {
        Site::bare().headers(headers).refused().assert_refused(text);
    }
    let unheard_of = Site::bare().response_header("X Session").refused();
    unheard_of.assert_refused("middlewares.Load.config.responseHeader");
}

#[test]
fn keys_that_contradict_each_other_are_refused_with_what_is_allowed() {
    let site = Site::bare().load(
        "cookieDomain: co.uk, cookieSameSite: None, cookieExpiration: 401d, inactivity: 30s, rotationGrace: 1h, \
         onLimit: refuse, strategy: cookieCache, sensitivePaths: [/ok, admin]",
    );

    let verdict = site.refused();

    for fault in [
        "cookieDomain: `co.uk`: browsers drop a cookie for a public suffix; a domain below one is allowed",
        "cookieSameSite: SameSite=None needs a secure cookie, or browsers drop it",
        "cookieExpiration: `401d` is longer than browsers keep a cookie; at most 400d, or cookieSessionOnly: true",
        "touchInterval: `1m` is not below inactivity (`30s`): who is active would count as idle",
        "rotationGrace: `1h` is too long for an id that was replaced; at most 5m",
        "onLimit: needs a maxSessionsPerPrincipal above 0",
        "strategy: `cookieCache` needs secrets, or anybody could write a snapshot",
        "sensitivePaths[1]: `admin`: a path begins with `/`",
    ] {
        verdict.assert_refused(&format!("gateway.yaml: middlewares.Load.config.{fault}"));
    }
}

#[test]
fn storage_that_is_not_there_hides_no_other_fault() {
    let verdict = Site::bare().load("storage: Nowhere, maxBytes: 0").refused();

    verdict.assert_refused("middlewares.Load.config.storage: no storage is called `Nowhere`");
    verdict.assert_refused("middlewares.Load.config.maxBytes: `0` would refuse all data");
}

#[test]
fn weaker_values_beside_a_preset_are_refused_with_what_it_allows() {
    let verdict = Site::bare()
        .load("preset: aal3, expiration: 2d, inactivity: 0, cookieSecure: false")
        .refused();

    for fault in [
        "expiration: `2d` is weaker than preset `aal3` allows: at most 12h, and not 0",
        "inactivity: `0` is weaker than preset `aal3` allows: at most 15m, and not 0",
        "cookieSecure: `false` is weaker than preset `aal3` allows: true",
    ] {
        verdict.assert_refused(&format!("gateway.yaml: middlewares.Load.config.{fault}"));
    }
    Site::bare()
        .load("preset: hardend")
        .refused()
        .assert_refused("middlewares.Load.config.preset: `hardend` is not one of them: did you mean `hardened`?");
}

#[test]
fn preset_is_enough_by_itself() {
    let upstream = crate::anna::upstream();
    let gateway = Site::new(&upstream).load("preset: aal2").run();

    let cookie = gateway
        .browser()
        .get("/login")
        .header("set-cookie")
        .unwrap();

    assert!(cookie.starts_with("__Host-session="), "{cookie}");
    for attribute in ["; HttpOnly", "; SameSite=Lax", "; Secure", "; Path=/;"] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
}

#[test]
fn secrets_are_read_from_the_lines_of_a_file() {
    let short = files(&[("secrets", "0123456789abcdef0123456789abcdef\nhunter2\n")]);
    let load = |file: &str| format!("secretsFile: '{}'", short.path().join(file).display());

    let verdict = Site::bare().load(&load("secrets")).refused();

    verdict.assert_refused("middlewares.Load.config.secrets[1]: shorter than 32 bytes");
    assert!(!verdict.text().contains("hunter2"), "{}", verdict.text());
    Site::bare()
        .load(&load("nowhere"))
        .refused()
        .assert_refused("middlewares.Load.config.secretsFile");
}

#[test]
fn newest_secret_is_the_one_in_the_first_line() {
    let redis = Redis::new();
    let [new, old] = ["new", "old"].map(|name| format!("{name:-<32}\n"));
    let secrets = files(&[
        ("both", &format!("{new}{old}")),
        ("new", &new),
        ("old", &old),
    ]);
    let upstream = crate::anna::upstream();
    let gateway = |file: &str| {
        let file = secrets.path().join(file);
        let load = format!("secretsFile: '{}'", file.display());
        Site::new(&upstream).redis(&redis).load(&load).run()
    };
    let browser = crate::anna::log_in(&gateway("both"));

    let known = ["new", "old"].map(|file| {
        let gateway = gateway(file);
        browser.at(gateway.address()).get("/");
        crate::anna::identity(&upstream.last()).0.is_some()
    });

    assert_eq!(known, [true, false]);
}

#[test]
fn one_warning_names_everything_weak() {
    let upstream = Upstream::start();
    let gateway = Site::new(&upstream).run();

    let warning = gateway.logged("weak configuration");

    for key in [
        "storage is not set",
        "cookieHTTPOnly is false",
        "cookieSecure is false",
        "secrets is empty",
        "expiration is 0",
    ] {
        assert!(warning.contains(key), "{key}: {warning}");
    }
    let warnings = gateway.log().matches(" WARN ").count();
    assert_eq!(warnings, 1, "{}", gateway.log());
}

#[test]
fn check_tells_of_warnings_and_what_only_prints_does_not() {
    let directory = Site::new(&Upstream::start()).write();

    let [check, routes] = ["check", "routes"].map(|word| Verdict::of(word, directory.path()));

    assert!(check.success && routes.success, "{}", check.text());
    assert!(
        check.errors.contains("weak configuration"),
        "{}",
        check.text()
    );
    assert_eq!(routes.errors, "");
}

#[test]
fn users_file_without_users_is_warned_of() {
    let directory = Site::bare()
        .action("In: { use: plugins.session.actions.LoginAction, config: { usersFile: users } }")
        .write();
    fs::write(directory.path().join("users"), "# none yet\n").unwrap();

    let verdict = Verdict::of("check", directory.path());

    assert!(verdict.success, "{}", verdict.text());
    assert!(
        verdict.errors.contains("the users file has no users"),
        "{}",
        verdict.text()
    );
}

#[test]
fn key_that_is_defined_twice_names_both_places() {
    let directory = files(&[("a.yaml", "routes: []"), ("b.yaml", "routes: []")]);

    Verdict::of("run", directory.path())
        .assert_refused("b.yaml: routes: in line 1, already defined in line 1 of a.yaml");
}

#[test]
fn name_that_is_given_twice_is_refused() {
    let verdict = Site::bare()
        .middleware("Load: { use: gateway.middlewares.SetMiddleware }")
        .refused();

    verdict.assert_refused("Load");
    verdict.assert_refused("duplicate");
}

#[test]
fn routes_that_answer_the_same_requests_are_refused() {
    let echo = "action: { use: gateway.actions.EchoAction }";
    let site = Site::bare()
        .route(&format!("path: '/a/:x', {echo}"))
        .route(&format!("path: '/a/:y', {echo}"));

    site.refused()
        .assert_refused("routes[1].path: answers the same requests as routes[0]");
}

#[test]
fn directory_that_is_missing_or_empty_is_a_fault() {
    let empty = files(&[]);

    Verdict::of("run", &empty.path().join("nowhere")).assert_refused("cannot be read");
    Verdict::of("run", empty.path()).assert_refused("there is no *.yaml file in this directory");
}

#[test]
fn port_in_use_is_named_and_nothing_else_is_started() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let upstream = Upstream::start();

    let verdict = Site::new(&upstream)
        .address(&format!("['127.0.0.1:0', '{address}']"))
        .refused();

    verdict.assert_refused(&address.to_string());
    verdict.assert_refused("in use");
}

#[test]
fn secrets_are_in_no_message() {
    let verdict = Site::bare()
        .storage(
            "plugins.session.storages.RedisStorage",
            "password: hunter2, prot: 1, url: 'redis://anna:hunter2@[', host: a",
        )
        .refused();

    verdict.assert_refused("prot");
    assert!(!verdict.text().contains("hunter2"), "{}", verdict.text());
}

#[test]
fn password_is_read_from_a_file() {
    let redis = Redis::new();
    redis.run(&["CONFIG", "SET", "requirepass", "hunter2"]);
    let secret = files(&[("password", "hunter2\n")]);
    let upstream = crate::anna::upstream();
    let config = format!(
        "host: '{}', passwordFile: '{}'",
        redis.socket().display(),
        secret.path().join("password").display()
    );

    let gateway = Site::new(&upstream)
        .storage("plugins.session.storages.RedisStorage", &config)
        .run();

    crate::anna::log_in(&gateway);
    assert!(!gateway.log().contains("hunter2"));
}

#[test]
fn routes_are_printed() {
    let upstream = Upstream::start();
    let site = Site::new(&upstream)
        .route("path: '/users/:id', method: GET, middlewares: [Load], action: Forward");

    let verdict = Verdict::of("routes", site.write().path());

    assert!(verdict.success, "{}", verdict.text());
    for text in ["/users/:id", "GET", "Load", "Forward", "/*"] {
        assert!(
            verdict.output.contains(text),
            "{text} is not in:\n{}",
            verdict.output
        );
    }
}

fn files(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}
