//! Return targets that other sites are hidden in, at every place that takes one. Where a browser and a parser of RFC 3986
//! would go to from there is asked of parsers that are not ours, and of a browser.

use std::fs;

use e2e::{Browser, Chromium, Gateway, Message, Provider, Request, Site, plugins};
use iri_string::types::{UriReferenceStr, UriStr};
use serde_json::json;
use url::Url;

use crate::logging_in::providers::enter_at_provider;

#[test]
fn login_by_form_leads_to_no_other_site() {
    // Whoever guesses wrong is held back, and so is everybody else at that address.
    let [right, wrong] = [House::open(), House::open()];
    let mut tally = Tally::default();
    for payload in payloads() {
        let form = |password| {
            let target = encoded(&payload);
            format!("username=anna&password={password}&redirect_path={target}")
        };

        let entered = submit(
            &mut right.gateway.browser(),
            "/enter",
            &form("correct+horse"),
        );
        let refused = submit(&mut wrong.gateway.browser(), "/enter", &form("x"));

        assert_eq!(
            (entered.status(), refused.status()),
            (303, 303),
            "{payload:?}"
        );
        tally.judge(&payload, &entered);
        // Back to the page, with the target.
        tally.judge_parameter(&payload, &refused);
    }
    tally.told_apart();
}

#[test]
fn login_with_a_provider_leads_to_no_other_site() {
    let house = House::open();
    let mut there = Browser::new(house.provider.address());
    let mut tally = Tally::default();
    for payload in payloads() {
        let begin = format!("/login?redirect_path={}", encoded(&payload));
        let [mut done, mut refused] = [(); 2].map(|()| house.gateway.browser());

        let url = done.get(&begin).header("location").unwrap();
        let back = enter_at_provider(&mut there, &url, "anna");
        let answer = done.get(&back);

        assert_eq!(answer.status(), 303, "{payload:?}");
        tally.judge(&payload, &answer);
        let url = Url::parse(&refused.get(&begin).header("location").unwrap()).unwrap();
        let (_, state) = url.query_pairs().find(|(name, _)| name == "state").unwrap();
        let back = format!("/login/callback?state={state}&error=access_denied");
        tally.judge_parameter(&payload, &refused.get(&back));
    }
    tally.told_apart();
}

#[test]
fn logout_leads_to_no_other_site() {
    let house = House::open();
    let mut tally = Tally::default();
    for payload in payloads() {
        let mut browser = house.gateway.browser();
        let target = encoded(&payload);

        let here = submit(&mut browser, "/logout", &format!("redirect_path={target}"));
        let back = browser.get(&format!("/logout/done?state={target}"));

        for answer in [here, back] {
            assert_eq!(answer.status(), 303, "{payload:?}");
            tally.judge(&payload, &answer);
        }
    }
    tally.told_apart();
}

#[test]
fn page_that_needs_a_login_leads_to_no_other_site() {
    let house = House::open();
    let mut tally = Tally::default();
    let mut sent_on = 0;
    for payload in payloads() {
        // As the path itself, where it can be one, and behind one.
        let is_path =
            payload.starts_with('/') && payload.bytes().all(|byte| byte.is_ascii_graphic());
        let own = is_path.then(|| payload.clone());
        let targets = [Some(format!("/app?{}", encoded(&payload))), own];
        for target in targets.into_iter().flatten() {
            let request = Request::get(&target).header("Accept", "text/html");
            let answer = house.gateway.browser().send(request);

            match answer.status() {
                302 => tally.judge_parameter(&payload, &answer),
                status => assert!([400, 404].contains(&status), "{target:?}: {status}"),
            }
            sent_on += usize::from(answer.status() == 302);
        }
    }
    assert!(sent_on > payloads().len(), "{sent_on}");
}

#[test]
fn real_browser_stays_on_this_site() {
    let house = House::open_to("");
    let mut chromium = Chromium::start();
    let port = house.gateway.address().port();
    let at = |target: &str| format!("http://localhost:{port}{target}");
    let ours = at("");
    chromium.visit(&at("/enter"));
    chromium.type_keys(&["anna", Chromium::TAB, "correct horse"].concat());
    chromium.until_elsewhere(|chromium| chromium.type_keys(Chromium::ENTER));
    let followed = payloads()
        .into_iter()
        .filter(|payload| house.follows(payload));
    let mut visits = 0;
    for payload in followed {
        let target = encoded(&payload);

        chromium.visit(&at(&format!("/logout/done?state={target}")));
        let arrived = chromium.run("return location.origin");
        // Whoever is logged in is offered to go on.
        chromium.visit(&at(&format!("/enter?redirect_path={target}")));
        let offered = chromium.run("return document.querySelector('main a').origin");

        assert_eq!(arrived, ours.as_str(), "{payload:?}");
        assert_eq!(offered, ours.as_str(), "{payload:?}");
        visits += 1;
    }
    assert!(visits > 20, "{visits}");
}

/// What became of the payloads at one place.
#[derive(Default)]
struct Tally {
    here: usize,
    allowed: usize,
    usual: usize,
}

impl Tally {
    /// Looks at where an answer leads.
    #[track_caller]
    fn judge(&mut self, payload: &str, answer: &Message) {
        let location = answer.header("location").unwrap();
        assert_eq!(answer.values("location").len(), 1, "{payload:?}");
        self.count(payload, &location);
    }

    /// Looks at where an answer leads, and where its parameter would lead after a login. There may be none.
    #[track_caller]
    fn judge_parameter(&mut self, payload: &str, answer: &Message) {
        let location = answer.header("location").unwrap();
        assert_eq!(place(&location), HERE, "{payload:?} -> {location}");
        let url = Url::parse(HERE).unwrap().join(&location).unwrap();
        let mut pairs = url.query_pairs();
        if let Some((_, target)) = pairs.find(|(name, _)| name == "redirect_path") {
            self.count(payload, &target);
        }
    }

    #[track_caller]
    fn count(&mut self, payload: &str, location: &str) {
        let count = match (&*place(location), location) {
            (HERE, "/usual") => &mut self.usual,
            (HERE, _) => &mut self.here,
            (ALLOWED, _) => &mut self.allowed,
            (elsewhere, _) => panic!("{payload:?} -> {location} -> {elsewhere}"),
        };
        *count += 1;
    }

    /// If nothing were followed, nothing could lead anywhere.
    #[track_caller]
    fn told_apart(&self) {
        assert!(
            self.here > 20 && self.allowed > 3 && self.usual > 300,
            "{:?}",
            (self.here, self.allowed, self.usual)
        );
    }
}

/// The origin that a `Location` leads to, about which a browser and a parser of RFC 3986 have to agree.
#[track_caller]
fn place(location: &str) -> String {
    let base = format!("{HERE}/login/x");
    let browser = Url::parse(&base).unwrap().join(location).unwrap();
    let reference =
        UriReferenceStr::new(location).unwrap_or_else(|error| panic!("{location:?}: {error}"));
    let strict = reference.resolve_against(UriStr::new(&base).unwrap().to_absolute());
    let strict = Url::parse(&strict.to_string()).unwrap();
    assert_eq!(browser, strict, "{location}");
    let reference = reference.authority_components();
    assert!(
        reference.is_none_or(|authority| authority.userinfo().is_none()),
        "{location}"
    );
    browser.origin().ascii_serialization()
}

struct House {
    provider: Provider,
    gateway: Gateway,
    _directory: tempfile::TempDir,
}

impl House {
    /// A gateway that may return to one other site.
    fn open() -> Self {
        Self::open_to(ALLOWED)
    }

    fn open_to(allowed: &str) -> Self {
        let provider = Provider::start();
        let callback = format!("{HERE}/login/callback");
        provider.client(&json!({ "redirect_uris": [callback] }));
        let directory = tempfile::tempdir().unwrap();
        let users = directory.path().join("users");
        fs::write(&users, USERS).unwrap();
        let allowed = match allowed {
            "" => String::new(),
            origin => format!(", allowedReturnOrigins: ['{origin}']"),
        };
        let returns = format!("returnTo: /usual{allowed}");
        let (issuer, users) = (provider.issuer(), users.display());
        let gateway = Site::bare()
            .providers(&format!(
                "corporate: {{ issuer: '{issuer}', clientId: gateway, clientSecret: gateway-secret }}"
            ))
            .middleware("Require: { use: plugins.session.middlewares.RequireSessionMiddleware, config: { loginPath: /enter } }")
            .action(&format!(
                "Enter: {{ use: plugins.session.actions.LoginAction, config: {{ usersFile: '{users}', {returns} }} }}"
            ))
            .action(&format!(
                "Login: {{ use: plugins.session.actions.LoginAction, config: {{ provider: corporate, {returns} }} }}"
            ))
            .action(&format!(
                "Logout: {{ use: plugins.session.actions.LogoutAction, config: {{ {returns} }} }}"
            ))
            .action("Echo: { use: gateway.actions.EchoAction }")
            .route("path: /*, middlewares: [Load, Require, Map], action: Echo")
            .route("path: /enter, middlewares: [Load], action: Enter")
            .route("path: /login, middlewares: [Load], action: Login")
            .route("path: /login/callback, middlewares: [Load], action: Login")
            .route("path: /logout, middlewares: [Load], action: Logout")
            .route("path: /logout/done, middlewares: [Load], action: Logout")
            .run();
        Self {
            provider,
            gateway,
            _directory: directory,
        }
    }

    /// Whether the payload is taken for a target, whatever that is.
    fn follows(&self, payload: &str) -> bool {
        let back = format!("/logout/done?state={}", encoded(payload));
        let location = self.gateway.browser().get(&back).header("location");
        location.as_deref() != Some("/usual")
    }
}

fn submit(browser: &mut Browser, path: &str, body: &str) -> Message {
    let form = "application/x-www-form-urlencoded";
    browser.send(Request::post(path, form, body).header("Origin", HERE))
}

fn payloads() -> Vec<String> {
    let text = fs::read_to_string(plugins::root().join("tests/corpus/redirects.txt")).unwrap();
    let lines = text.lines().filter(|line| line.starts_with('"'));
    let payloads: Vec<_> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(payloads.len() > 400, "{}", payloads.len());
    payloads
}

/// As the value of a parameter.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// What browsers of these tests ask for.
const HERE: &str = "http://gateway.test";
const ALLOWED: &str = "https://good.test";
/// `anna` with `correct horse`, as cheap as can be.
const USERS: &str = "anna:$argon2id$v=19$m=64,t=1,p=1$3tqhBs1oaOYtz9QUU+47pA$07SbOw33xiwA5WFudYQzD1i/yNfXxSZHMmS47L6Xeyk\n";
