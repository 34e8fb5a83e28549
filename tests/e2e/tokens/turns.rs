//! Whose turn it is to call the provider: on each kind of storage, and after somebody has slept through theirs.

use std::thread;

use e2e::{Gateway, Provider, Redis, Site, Upstream};
use serde_json::json;

use super::*;

#[test]
fn requests_of_one_gateway_are_one_call_with_sessions_in_memory_and_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = format!("path: '{}'", directory.path().display());
    let in_memory = |site: Site| site.storage("plugins.session.storages.MemoryStorage", "");
    let in_a_file = |site: Site| site.storage("plugins.session.storages.FileStorage", &path);
    let kinds: [&dyn Fn(Site) -> Site; 2] = [&in_memory, &in_a_file];
    for kept in kinds {
        let (provider, upstream) = (Provider::start(), Upstream::start());
        let gateway = kept(usual(&provider, &upstream)).run();
        let browser = log_in(&gateway, &upstream, &tokens(&provider, -1));

        let shown = together(&browser, 200);

        assert_eq!(provider.calls("/token").len(), 1);
        assert!(shown.iter().all(|token| token.starts_with("Bearer ")));
        assert!(shown.iter().all(|token| *token == shown[0]), "one token");
    }
}

#[test]
fn whoever_wakes_after_his_turn_overwrites_no_newer_tokens() {
    // Their refresh token works on, and they are given good tokens, as late as they are.
    Late::with(&json!({ "rotate": false })).wakes_and_changes_nothing();
}

#[test]
fn whoever_wakes_after_his_turn_ends_no_session_for_a_token_that_was_used_up() {
    // The one who took over has used it, and they are told that the login is over.
    Late::with(&json!({ "rotate": true })).wakes_and_changes_nothing();
}

/// Two gateways with the same session. The first is frozen while it calls the provider, for longer than its lease.
struct Late {
    provider: Provider,
    upstream: Upstream,
    gateways: [Gateway; 2],
    _redis: Redis,
}

impl Late {
    fn with(settings: &Value) -> Self {
        let (provider, upstream) = (Provider::with(settings), Upstream::start());
        let redis = Redis::new();
        let site = usual(&provider, &upstream)
            .redis(&redis)
            .server("log: { level: 'info,session=debug' }");
        Self {
            gateways: [site.run(), site.run()],
            provider,
            upstream,
            _redis: redis,
        }
    }

    /// Lets the second gateway renew the tokens while the first one sleeps, and wakes the first one to the answer that it
    /// had asked for.
    fn wakes_and_changes_nothing(&self) {
        let [first, second] = &self.gateways;
        let slow = json!({ "hang": 8000, "times": 1 });
        self.provider.fault("/token", &slow);
        let browser = log_in(first, &self.upstream, &tokens(&self.provider, -1));
        let mut sleeper = browser.at(first.address());
        let newer = thread::scope(|scope| {
            let slept = scope.spawn(move || sleeper.get("/app/a").status());
            while self.provider.calls("/token").is_empty() {
                thread::yield_now();
            }
            first.signal("STOP");

            let newer = browser.at(second.address()).get("/app/a");

            assert_eq!(newer.status(), 200);
            while !self.provider.calls("/token").iter().all(is_done) {
                thread::yield_now();
            }
            first.signal("CONT");
            assert_eq!(slept.join().unwrap(), 200);
            shown(&newer)
        });
        let line = first.logged("tokens-renewed");
        assert!(line.contains("outcome=\"found\""), "{line}");
        for gateway in &self.gateways {
            let answer = browser.at(gateway.address()).get("/app/a");
            assert_eq!(shown(&answer), newer);
            assert_eq!(gateway.count("tokens-ended"), 0);
        }
        assert_eq!(self.provider.calls("/token").len(), 2);
    }
}

fn is_done(call: &Value) -> bool {
    !call["status"].is_null()
}

/// What the upstream is shown in answer to so many requests at once.
fn together(browser: &Browser, count: usize) -> Vec<String> {
    at_once(browser, count).iter().map(shown).collect()
}
