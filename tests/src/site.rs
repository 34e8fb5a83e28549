//! A configuration, written as the test needs it.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{Gateway, Redis, Upstream, Verdict, plugins};

/// The configuration that most tests start from: `session.so`, sessions in memory, and every path led through
/// `Load` and `Map` to the upstream. Everything given to it is YAML in flow style, without the outer braces.
#[derive(Clone, Debug)]
pub struct Site {
    address: String,
    threads: u16,
    server: String,
    plugins: String,
    storages: String,
    load: String,
    headers: String,
    response_header: String,
    middlewares: String,
    actions: String,
    routes: String,
}

impl Site {
    /// The usual configuration in front of `upstream`, which writes sessions with `X-Session-Set`.
    pub fn new(upstream: &Upstream) -> Self {
        let forward = format!(
            "Forward: {{ use: gateway.actions.HttpAction, config: {{ upstreamEndpoint: 'http://{}' }} }}",
            upstream.address()
        );
        Self {
            actions: forward,
            routes: "{ path: /*, middlewares: [Load, Map], action: Forward }".to_owned(),
            ..Self::bare()
        }
    }

    /// The usual plugin and middlewares without any action or route.
    pub fn bare() -> Self {
        Self {
            address: "'127.0.0.1:0'".to_owned(),
            threads: 1,
            server: String::new(),
            plugins: format!("{{ path: '{}' }}", plugins::session().display()),
            storages: String::new(),
            load: String::new(),
            headers: "Authorization: authorization, X-User-Id: user_id".to_owned(),
            response_header: "X-Session-Set".to_owned(),
            middlewares: String::new(),
            actions: String::new(),
            routes: String::new(),
        }
    }

    /// Listens there instead: an address or a list of them.
    #[must_use]
    pub fn address(mut self, address: &str) -> Self {
        self.address = address.to_owned();
        self
    }

    /// Serves with so many workers instead of one.
    #[must_use]
    pub const fn threads(mut self, threads: u16) -> Self {
        self.threads = threads;
        self
    }

    /// Adds keys to `server`.
    #[must_use]
    pub fn server(mut self, keys: &str) -> Self {
        append(&mut self.server, keys);
        self
    }

    /// Adds a library.
    #[must_use]
    pub fn plugin(mut self, path: &Path) -> Self {
        append(
            &mut self.plugins,
            &format!("{{ path: '{}' }}", path.display()),
        );
        self
    }

    /// Lets `session.so` know these providers of tokens.
    #[must_use]
    pub fn providers(mut self, entries: &str) -> Self {
        self.plugins.clear();
        self.plugin_with(plugins::session(), &format!("providers: {{ {entries} }}"))
    }

    /// Loads these libraries and no others, in this order.
    #[must_use]
    pub fn plugins_in_order(mut self, paths: &[&Path]) -> Self {
        self.plugins.clear();
        paths.iter().fold(self, |site, path| site.plugin(path))
    }

    /// Adds a library with a configuration.
    #[must_use]
    pub fn plugin_with(mut self, path: &Path, config: &str) -> Self {
        append(
            &mut self.plugins,
            &format!("{{ path: '{}', config: {{ {config} }} }}", path.display()),
        );
        self
    }

    /// Keeps sessions in a storage called `Store`.
    #[must_use]
    pub fn storage(mut self, component: &str, config: &str) -> Self {
        append(
            &mut self.storages,
            &format!("Store: {{ use: {component}, config: {{ {config} }} }}"),
        );
        self.load("storage: Store")
    }

    /// Keeps sessions in a Redis.
    #[must_use]
    pub fn redis(self, redis: &Redis) -> Self {
        let config = format!(
            "host: '{}', timeout: 1s, connectTimeout: 1s",
            redis.socket().display()
        );
        self.storage("plugins.session.storages.RedisStorage", &config)
    }

    /// Keeps sessions on a server, with sentinels or in a Cluster, as its `settings` say.
    ///
    /// # Panics
    /// When they are not the block of a storage.
    #[must_use]
    pub fn redis_as(self, settings: &Value) -> Self {
        // JSON is YAML in flow style.
        let json = settings.to_string();
        let config = json
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        let config = config.expect("settings are an object");
        self.storage("plugins.session.storages.RedisStorage", config)
    }

    /// Adds keys to the configuration of `Load`.
    #[must_use]
    pub fn load(mut self, keys: &str) -> Self {
        append(&mut self.load, keys);
        self
    }

    /// Lets upstreams write sessions with this header instead.
    #[must_use]
    pub fn response_header(mut self, name: &str) -> Self {
        self.response_header = name.to_owned();
        self
    }

    /// Maps these headers instead.
    #[must_use]
    pub fn headers(mut self, headers: &str) -> Self {
        self.headers = headers.to_owned();
        self
    }

    /// Adds middlewares.
    #[must_use]
    pub fn middleware(mut self, entries: &str) -> Self {
        append(&mut self.middlewares, entries);
        self
    }

    /// Adds actions.
    #[must_use]
    pub fn action(mut self, entries: &str) -> Self {
        append(&mut self.actions, entries);
        self
    }

    /// Adds a route.
    #[must_use]
    pub fn route(mut self, entry: &str) -> Self {
        append(&mut self.routes, &format!("{{ {entry} }}"));
        self
    }

    /// Writes the configuration and runs the gateway on it.
    ///
    /// # Panics
    /// When the gateway does not start to listen.
    #[track_caller]
    pub fn run(&self) -> Gateway {
        Gateway::run(self.write())
    }

    /// Runs the gateway on it and expects that it ends by itself.
    #[track_caller]
    pub fn refused(&self) -> Verdict {
        Verdict::of("run", self.write().path())
    }

    /// Writes the configuration into a new directory.
    ///
    /// # Panics
    /// When the disk is full.
    pub fn write(&self) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory for the configuration");
        self.write_into(directory.path());
        directory
    }

    /// Writes the configuration over the one in a directory.
    ///
    /// # Panics
    /// When the disk is full.
    pub fn write_into(&self, directory: &Path) {
        fs::write(directory.join("gateway.yaml"), self.yaml())
            .expect("the configuration is written");
    }

    fn yaml(&self) -> String {
        let server = format!("address: {}, threads: {}", self.address, self.threads);
        let load = format!("responseHeader: '{}'", self.response_header);
        let middlewares = format!(
            "Load: {{ use: plugins.session.middlewares.LoadSessionMiddleware, config: {{ {} }} }},\n  \
             Map: {{ use: plugins.session.middlewares.MapSessionToHeaderMiddleware, config: {{ headers: {{ {} }} }} }}",
            joined(&load, &self.load),
            self.headers
        );
        let mut yaml = String::new();
        let sections = [
            ("server", ["{", "}"], joined(&server, &self.server)),
            ("plugins", ["[", "]"], self.plugins.clone()),
            ("storages", ["{", "}"], self.storages.clone()),
            (
                "middlewares",
                ["{", "}"],
                joined(&middlewares, &self.middlewares),
            ),
            ("actions", ["{", "}"], self.actions.clone()),
            ("routes", ["[", "]"], self.routes.clone()),
        ];
        for (key, [open, close], entries) in sections {
            // Writing to a text cannot fail.
            let _ = writeln!(yaml, "{key}: {open}\n  {entries}\n{close}");
        }
        yaml
    }
}

fn append(list: &mut String, entry: &str) {
    *list = joined(list, entry);
}

fn joined(first: &str, second: &str) -> String {
    match (first, second) {
        (one, "") | ("", one) => one.to_owned(),
        (first, second) => format!("{first},\n  {second}"),
    }
}
