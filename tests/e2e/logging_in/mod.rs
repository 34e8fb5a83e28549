//! `LoginAction` in a real gateway: who gets in, what the session is afterwards, and what a person sees.

mod example;
mod page;
pub(crate) mod providers;
mod users;

use std::fs;

use e2e::{Browser, Gateway, Message, Request, Site, Upstream, plugins};
use tempfile::TempDir;

/// A gateway with a login at `/login`, and the service behind everything else.
struct Door {
    gateway: Gateway,
    upstream: Upstream,
    directory: TempDir,
}

impl Door {
    fn open(login: &str, load: &str) -> Self {
        Self::with(login, load, "")
    }

    fn with(login: &str, load: &str, plugin: &str) -> Self {
        let upstream = Upstream::start();
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("users"), USERS).unwrap();
        let mut site = Site::new(&upstream);
        if !plugin.is_empty() {
            site = site.plugins_in_order(&[]);
            site = site.plugin_with(plugins::session(), plugin);
        }
        let site = site
            .load(load)
            .action(&format!(
                "Login: {{ use: plugins.session.actions.LoginAction, config: {{ usersFile: '{}', {login} }} }}",
                directory.path().join("users").display()
            ))
            .route("path: /login, middlewares: [Load], action: Login");
        Self {
            gateway: site.run(),
            upstream,
            directory,
        }
    }

    /// As a real browser gets there: names that end in `localhost` are secure to it without TLS.
    fn url(&self, target: &str) -> String {
        let port = self.gateway.address().port();
        format!("http://localhost:{port}{target}")
    }

    fn browser(&self) -> Browser {
        self.gateway.browser()
    }

    /// Whom the service sees.
    fn user(&self, browser: &mut Browser) -> Option<String> {
        browser.get("/who");
        self.upstream.last().header("x-user-id")
    }
}

/// Sends the form as a browser does from its own page.
fn submit(browser: &mut Browser, body: &str) -> Message {
    let form = "application/x-www-form-urlencoded";
    browser.send(Request::post("/login", form, body).header("Origin", "http://gateway.test"))
}

/// Of `correct horse`, as cheap as can be.
const USERS: &str = "\
anna:$argon2id$v=19$m=64,t=1,p=1$3tqhBs1oaOYtz9QUU+47pA$07SbOw33xiwA5WFudYQzD1i/yNfXxSZHMmS47L6Xeyk
bob:$2y$04$PV.k9kMDGkZflJ9HXkfWn.7DGy5zj7sLHbPct5koL5js4p.5RdkHC
";
