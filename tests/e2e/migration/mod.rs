//! The pages for people who come from elsewhere: each names every option of theirs, and its configuration is one.

use std::fs;
use std::path::Path;

use e2e::{Verdict, plugins};

#[test]
fn every_option_of_the_others_is_named() {
    for (page, options) in OPTIONS {
        let text = page_of(page);
        let rows: String = text.lines().filter(|line| line.starts_with('|')).collect();
        for option in options.split_whitespace() {
            let is_named = [
                format!("`{option}`"),
                format!(".{option}`"),
                format!(" {option}`"),
            ]
            .iter()
            .any(|name| rows.contains(name));
            assert!(is_named, "docs/from-{page}.md has no row for {option}");
        }
    }
}

#[test]
fn every_configuration_passes_the_check() {
    for (page, _) in OPTIONS {
        let text = page_of(page);
        let blocks: Vec<_> = text.split("```yaml\n").skip(1).collect();
        assert!(!blocks.is_empty(), "{page}");
        for block in blocks {
            let (yaml, _) = block.split_once("```").unwrap();
            let session = plugins::session().display().to_string();
            let directory = tempfile::tempdir().unwrap();
            let yaml = yaml.replace("/plugins/session.so", &session);
            fs::write(directory.path().join("gateway.yaml"), yaml).unwrap();

            let verdict = Verdict::of("check", directory.path());

            assert!(verdict.success, "docs/from-{page}.md: {}", verdict.errors);
        }
    }
}

#[test]
fn what_replaces_an_option_is_named_by_a_test() {
    let mut tests = String::new();
    for directory in ["tests/e2e", "plugin/engine/src"] {
        gather(&plugins::root().join(directory), &mut tests);
    }
    for (option, ours) in REPLACED.iter().flat_map(|pairs| pairs.iter()) {
        for name in ours.split_whitespace() {
            let mut words = tests.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            assert!(
                words.any(|word| word == name),
                "no test names `{name}`, which replaces `{option}`"
            );
        }
    }
}

/// What tests say, below a directory: whole files of tests, and what stands behind `#[cfg(test)]` in others.
fn gather(directory: &Path, tests: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, tests);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("migration.rs")
        {
            let text = fs::read_to_string(&path).unwrap();
            let place = path.strip_prefix(plugins::root()).unwrap();
            let is_test = place.components().any(|part| part.as_os_str() == "tests")
                || place.ends_with("tests.rs");
            let (_, part) = text.split_once("#[cfg(test)]").unwrap_or(("", ""));
            tests.push_str(if is_test { &text } else { part });
        }
    }
}

fn page_of(system: &str) -> String {
    fs::read_to_string(plugins::root().join(format!("docs/from-{system}.md"))).unwrap()
}

/// What the documentation of each of them has.
const OPTIONS: [(&str, &str); 5] = [
    (
        "turna",
        "session_key store.active store.redis.address username password store.redis.tls.enabled cert_file key_file \
         ca_file store.file.path options.path options.max_age domain options.secure http_only options.same_site \
         cookie_name value_name actions.active actions.token login_path disable_refresh insecure_skip_verify \
         oauth2.token_url cert_url client_id client_secret information.values custom roles scopes token_header \
         disable_redirect",
    ),
    (
        "seam",
        "Storage KeyLookup CookieHTTPOnly CookieSecure CookieSameSite CookieSessionOnly CookieExpiration \
         DisableAutoRenew AutoRenewAfter DisableSessionForward Headers",
    ),
    (
        "goauth",
        "EnableSessionManagement Strategy CookieEncoding CookieCacheTTL SensitivePaths SlidingExpiration UpdateAge \
         /login /logout /refresh /sessions /sessions/{id}",
    ),
    (
        "authelia",
        "name secret expiration inactivity remember_me_duration domain redis.host port redis.username password \
         database_index redis.maximum_active_connections minimum_idle_connections redis.tls.server_name skip_verify \
         minimum_version redis.high_availability.sentinel_name sentinel_password nodes route_by_latency route_randomly",
    ),
    (
        "fiber",
        "Expiration Storage KeyLookup CookieDomain CookiePath CookieSecure CookieHTTPOnly CookieSameSite \
         CookieSessionOnly KeyGenerator CookieName New RegisterType Store.Get Store.Reset Session.Get Set Delete Keys \
         Session.Destroy Regenerate Session.Save Session.Fresh ID Session.SetExpiry",
    ),
];

/// The options of turna, goauth and Authelia, and what stands here in their place.
const REPLACED: [&[(&str, &str)]; 3] = [
    &[
        ("session_key", "secrets"),
        ("store.active", "storage RedisStorage FileStorage"),
        ("store.redis", "host port username password"),
        ("store.redis.tls", "enabled certFile keyFile caFile"),
        ("store.file.path", "path"),
        ("options.path", "cookiePath"),
        ("options.max_age", "cookieExpiration"),
        ("options.domain", "cookieDomain"),
        ("options.secure", "cookieSecure"),
        ("options.http_only", "cookieHTTPOnly"),
        ("options.same_site", "cookieSameSite"),
        ("cookie_name", "keyLookup"),
        ("login_path", "loginPath"),
        ("disable_refresh", "disableRefresh"),
        ("insecure_skip_verify", "insecureSkipVerify"),
        ("oauth2", "tokenUrl certUrl clientId clientSecret"),
        ("information", "InfoAction values custom roles scopes"),
        ("token_header", "token_header"),
        ("disable_redirect", "disable_redirect"),
    ],
    &[
        ("EnableSessionManagement", "SessionsAction"),
        ("Strategy", "strategy cookieCache"),
        ("CookieEncoding", "encoding compact jwt"),
        ("CookieCacheTTL", "ttl"),
        ("SensitivePaths", "sensitivePaths"),
        ("SlidingExpiration", "slidingExpiration"),
        ("UpdateAge", "updateAge"),
        ("/login", "LoginAction"),
        ("/refresh", "RefreshAction"),
    ],
    &[
        ("name", "keyLookup"),
        ("secret", "secrets"),
        ("expiration", "expiration"),
        ("inactivity", "inactivity"),
        ("remember_me_duration", "rememberMe"),
        ("domain", "cookieDomain"),
        (
            "redis",
            "host port username password databaseIndex connections",
        ),
        ("redis.tls", "serverName skipVerify minimumVersion"),
        (
            "redis.high_availability",
            "sentinelName sentinelPassword nodes routeByLatency routeRandomly",
        ),
        ("secrets from files", "passwordFile secretsFile"),
    ],
];
