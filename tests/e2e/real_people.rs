//! People with a real browser who log in and out with a real provider: its pages, its cookies, its redirects.

use std::fs;
use std::time::Instant;

use e2e::{Answer, Chromium, Gateway, PATIENCE, Provider, Site, Upstream, plugins, until};
use serde_json::{Value, json};

#[test]
fn person_comes_back_from_the_provider_to_where_the_login_began() {
    let town = Town::build();
    let mut chromium = Chromium::start();

    chromium.visit(&town.at("/app/reports?year=2026"));
    assert!(chromium.url().starts_with(town.provider.issuer()));
    picture(&mut chromium, "provider-login");
    enter(&mut chromium);

    assert_eq!(chromium.url(), town.at("/app/reports?year=2026"));
    let seen = echoed(&mut chromium);
    assert_eq!(seen["x-user-id"], "anna");
    assert_eq!(seen["x-email"], "anna@example.test");
    assert!(seen["x-token"].as_str().unwrap().starts_with("ey"));
    assert_eq!(seen["cookie"], Value::Null, "the session stays here");
    let cookies = chromium.devtools("Storage.getCookies", &json!({}));
    let cookies = cookies["cookies"].as_array().unwrap().iter();
    let ours = cookies.filter(|cookie| cookie["domain"] == "localhost");
    let names: Vec<_> = ours.map(|cookie| cookie["name"].clone()).collect();
    assert_eq!(names, ["session_id"], "the attempt has left nothing");
}

#[test]
fn tokens_are_renewed_while_the_person_goes_on() {
    let town = Town::build();
    let mut chromium = town.arrive();
    let first = town.see(&mut chromium, "/app/a")["x-token"].clone();

    let began = Instant::now();
    while town.see(&mut chromium, "/app/a")["x-token"] == first {
        assert!(began.elapsed() < PATIENCE, "the token stays the same");
    }

    assert_eq!(town.user(&mut chromium), "anna");
    assert!(!town.provider.refreshes().is_empty());
}

#[test]
fn person_who_has_logged_out_here_alone_is_known_to_the_provider() {
    let town = Town::build();
    let (mut here, mut elsewhere) = (town.arrive(), town.arrive());

    town.submit(&mut here, "/leave", "");

    assert_eq!(here.url(), town.at("/bye"));
    assert_eq!(town.user(&mut here), Value::Null);
    assert_eq!(here.cookies(), [] as [Value; 0]);
    assert_eq!(town.user(&mut elsewhere), "anna");
    // It asks for no password, but once more whether we may know: its tokens were given back.
    town.until_given_back();
    here.visit(&town.at("/app/again"));
    let asked = here.run("return document.querySelectorAll('input[type=password]').length");
    assert_eq!(asked, 0);
    here.submit_form();
    assert_eq!(here.url(), town.at("/app/again"));
    assert_eq!(town.user(&mut here), "anna");
}

#[test]
fn person_ends_the_other_logins_and_stays() {
    let town = Town::build();
    let (mut here, mut elsewhere) = (town.arrive(), town.arrive());

    town.submit(&mut here, "/logout", "others");

    assert_eq!(here.url(), town.at("/bye"));
    assert_eq!(town.user(&mut here), "anna");
    assert_eq!(town.user(&mut elsewhere), Value::Null);
}

#[test]
fn person_ends_all_logins_and_the_one_at_the_provider() {
    for (field, elsewhere_after) in [("", json!("anna")), ("everywhere", Value::Null)] {
        let town = Town::build();
        let (mut here, mut elsewhere) = (town.arrive(), town.arrive());

        town.submit(&mut here, "/logout", field);
        // Over before the provider has asked whether that is meant.
        let at_provider = here.url();
        assert!(at_provider.starts_with(&format!("{}/session/end?", town.provider.issuer())));
        picture(&mut here, "provider-logout");
        here.submit_form();

        assert_eq!(here.url(), town.at("/bye"), "by way of /logout/done");
        assert_eq!(town.user(&mut here), Value::Null);
        assert_eq!(town.user(&mut elsewhere), elsewhere_after, "{field:?}");
        // The provider knows nobody in this browser any more.
        here.visit(&town.at("/app/again"));
        assert!(here.url().starts_with(town.provider.issuer()));
    }
}

#[test]
fn person_who_logs_out_at_the_provider_is_logged_out_here() {
    // Told by the provider itself, or by a frame that the browser loads.
    for channel in ["backchannel", "frontchannel"] {
        let town = Town::build();
        let path = format!("/logout/{channel}");
        let place = match channel {
            "backchannel" => format!("http://{}{path}", town.gateway.address()),
            _ => town.at(&path),
        };
        town.provider.client(&json!({
            format!("{channel}_logout_uri"): place,
            format!("{channel}_logout_session_required"): true,
        }));
        let (mut here, mut elsewhere) = (town.arrive(), town.arrive());

        here.visit(&format!("{}/session/end", town.provider.issuer()));
        here.submit_form();

        town.gateway.logged("event=\"provider-logout\" ended=1");
        assert_eq!(town.user(&mut here), Value::Null, "{path}");
        assert_eq!(town.user(&mut elsewhere), "anna", "{path}");
    }
}

/// A gateway, a provider, and a service that shows what it is told.
struct Town {
    provider: Provider,
    gateway: Gateway,
    upstream: Upstream,
}

impl Town {
    fn build() -> Self {
        let provider = Provider::start();
        let upstream = Upstream::start();
        let gateway = site(&upstream, &provider).run();
        let town = Self {
            provider,
            gateway,
            upstream,
        };
        town.provider.client(&json!({
            "redirect_uris": [town.at("/login/callback")],
            "post_logout_redirect_uris": [town.at("/logout/done")],
        }));
        town
    }

    fn at(&self, path: &str) -> String {
        let port = self.gateway.address().port();
        format!("http://localhost:{port}{path}")
    }

    /// A browser of its own whose person has logged in.
    fn arrive(&self) -> Chromium {
        let mut chromium = Chromium::start();
        chromium.visit(&self.at("/app/"));
        enter(&mut chromium);
        assert_eq!(chromium.url(), self.at("/app/"));
        chromium
    }

    /// What the service is told of a visit.
    fn see(&self, chromium: &mut Chromium, path: &str) -> Value {
        chromium.visit(&self.at(path));
        echoed(chromium)
    }

    fn user(&self, chromium: &mut Chromium) -> Value {
        self.see(chromium, "/who")["x-user-id"].clone()
    }

    /// Waits until the provider has taken tokens back.
    fn until_given_back(&self) {
        let is_done = |call: &Value| call["status"] == 200;
        until("the tokens are given back", || {
            self.provider.calls("/token/revocation").iter().any(is_done)
        });
    }

    /// Presses the button of a page of the service.
    fn submit(&self, chromium: &mut Chromium, action: &str, field: &str) {
        let field = match field {
            "" => String::new(),
            field => format!("<input type='hidden' name='{field}' value='true'>"),
        };
        let page = format!(
            "<!DOCTYPE html><form method='post' action='{action}'>{field}\
             <input type='hidden' name='redirect_path' value='/bye'><button>Sign out</button></form>"
        );
        let page = Answer::ok().header("Content-Type", "text/html").body(page);
        self.upstream.answer("/account", page);
        chromium.visit(&self.at("/account"));
        chromium.submit_form();
    }
}

fn site(upstream: &Upstream, provider: &Provider) -> Site {
    let issuer = provider.issuer();
    Site::new(upstream)
        .headers("X-User-Id: user_id, X-Email: email, X-Token: token.access_token")
        .providers(&format!(
            "corporate: {{ issuer: '{issuer}', clientId: gateway, clientSecret: gateway-secret, \
             scopes: [openid, email], audience: ['https://api.test'], claims: {{ email: email }} }}"
        ))
        // Tokens live for a minute.
        .middleware("Require: { use: plugins.session.middlewares.RequireSessionMiddleware, config: { loginPath: /login, token: { provider: corporate, refreshBefore: 58s } } }")
        .action("Login: { use: plugins.session.actions.LoginAction, config: { provider: corporate } }")
        .action("Logout: { use: plugins.session.actions.LogoutAction }")
        .action("Leave: { use: plugins.session.actions.LogoutAction, config: { providerLogout: false } }")
        .action("Echo: { use: gateway.actions.EchoAction }")
        .route("path: /app/*, middlewares: [Load, Require, Map], action: Echo")
        .route("path: /who, middlewares: [Load, Map], action: Echo")
        .route("path: /login, middlewares: [Load], action: Login")
        .route("path: /login/callback, middlewares: [Load], action: Login")
        .route("path: /leave, middlewares: [Load], action: Leave")
        .route("path: /logout, middlewares: [Load], action: Logout")
        .route("path: /logout/done, middlewares: [Load], action: Logout")
        .route("path: /logout/backchannel, middlewares: [Load], action: Logout")
        .route("path: /logout/frontchannel, middlewares: [Load], action: Logout")
}

/// Goes through the provider's pages: the login, and the consent.
fn enter(chromium: &mut Chromium) {
    chromium.until_elsewhere(|chromium| {
        chromium.type_keys(&["anna", Chromium::TAB, "any", Chromium::ENTER].concat());
    });
    chromium.submit_form();
}

/// The headers that the service was told, which is all the page shows.
fn echoed(chromium: &mut Chromium) -> Value {
    let text = chromium.run("return document.body.innerText");
    let told: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    told["headers"].clone()
}

/// For people who want to look.
fn picture(chromium: &mut Chromium, name: &str) {
    let place = plugins::scratch_directory("screenshots").join(format!("{name}.png"));
    fs::write(place, chromium.screenshot()).unwrap();
}
