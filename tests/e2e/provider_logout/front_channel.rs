//! OpenID Connect Front-Channel Logout: a frame in a page of the provider ends a login.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::{Answer, Browser, Chromium, Redis, Request};
use serde_json::{Value, json};

use super::House;
use crate::outage::{is_outage, until_answered};

#[test]
fn frame_ends_its_login_on_every_gateway_and_no_other() {
    let redis = Redis::new();
    let house = House::open(Some(&redis));
    let other_gateway = house.site(Some(&redis)).run();
    house.names_logins();
    let (mut here, _) = house.log_in("anna");
    let (mut elsewhere, _) = house.log_in("anna");
    let mut there = here.at(other_gateway.address());
    let target = house.frame_of(&mut here);

    // As from a frame on another site: without a cookie.
    let answer = other_gateway.browser().get(&target);

    assert_eq!(answer.status(), 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    let kind = answer.header("content-type");
    assert_eq!(kind.as_deref(), Some("text/html; charset=utf-8"));
    let policy = answer.header("content-security-policy").unwrap();
    let framed_by = format!("frame-ancestors {}", house.provider.issuer());
    assert!(policy.ends_with(&framed_by), "{policy}");
    assert_eq!(answer.header("x-frame-options"), None);
    house.until_nobody(&mut here);
    house.until_nobody(&mut there);
    assert_eq!(house.user(&mut elsewhere).as_deref(), Some("anna"));
    other_gateway.logged("event=\"provider-logout\"");
}

#[test]
fn frame_that_does_not_name_a_login_ends_nothing_and_writes_nothing() {
    let redis = Redis::new();
    let house = House::open(Some(&redis));
    house.names_logins();
    let (mut browser, _) = house.log_in("anna");
    let target = house.frame_of(&mut browser);
    let (path, query) = target.split_once('?').unwrap();
    let (iss, sid) = query.split_once('&').unwrap();
    let keys = redis.size();
    for (status, target) in [
        (400, path.to_owned()),
        (400, format!("{path}?{iss}")),
        (400, format!("{path}?{sid}")),
        (400, format!("{path}?{iss}&sid=")),
        (400, format!("{path}?iss=&{sid}")),
        (400, format!("{path}?{iss}x&{sid}")),
        (400, format!("{path}?{iss}&{sid}&{sid}")),
        (200, format!("{path}?{iss}&{sid}x")),
        (200, format!("{path}?{iss}&sid=anna")),
    ] {
        // With the cookie as well: that a browser has it says nothing of who asks.
        let request = Request::get(&target).header("Sec-Fetch-Site", "cross-site");
        for mut asking in [house.gateway.browser(), browser.clone()] {
            let answer = asking.send(request.clone());

            assert_eq!(answer.status(), status, "{target}");
            let cached = answer.header("cache-control");
            assert_eq!(cached.as_deref(), Some("no-store"), "{target}");
        }
    }
    for method in ["POST", "HEAD", "DELETE"] {
        let answer = browser.send(Request::new(method, &target));
        assert_eq!(answer.status(), 405, "{method}");
    }
    assert_eq!(redis.size(), keys);
    assert_eq!(house.user(&mut browser).as_deref(), Some("anna"));
}

#[test]
fn storage_that_is_away_is_no_answer_to_a_frame() {
    let mut redis = Redis::new();
    let house = House::open(Some(&redis));
    house.names_logins();
    let (mut browser, _) = house.log_in("anna");
    let target = house.frame_of(&mut browser);
    redis.kill();

    let away = house.gateway.browser().get(&target);
    redis.start();
    let back = until_answered(|| house.gateway.browser().get(&target));

    is_outage(&away);
    assert_eq!(back.status(), 200);
    house.until_nobody(&mut browser);
}

#[test]
fn frame_is_shown_by_pages_of_the_provider_and_by_no_others() {
    let house = House::open(None);
    house.names_logins();
    let page = Answer::ok()
        .header("Content-Type", "text/html")
        .body("<p>Another site");
    house.upstream.answer("/page", page);
    let mut chromium = Chromium::start();
    let gateway = house.gateway.address();
    let provider = house.provider.issuer();
    let ours = format!("{provider}/.well-known/openid-configuration");
    let another = format!("http://another.test:{}/page", gateway.port());
    let mut seen = |page: &str| {
        let (mut browser, _) = house.log_in("anna");
        let frame = format!("http://{gateway}{}", house.frame_of(&mut browser));
        chromium.visit(page);
        chromium.run(&format!(
            "document.body.innerHTML = ''; const frame = document.createElement('iframe'); frame.src = '{frame}'; \
             return new Promise(done => {{ frame.onload = () => done(1); document.body.append(frame); }});"
        ));
        chromium.text_in_frame()
    };

    assert_eq!(seen(&ours), "You are signed out.");
    assert!(!seen(&another).contains("signed out"));
}

impl House {
    /// Id tokens have a `sid` from now on.
    fn names_logins(&self) {
        let required = json!({ "frontchannel_logout_session_required": true });
        self.provider.client(&required);
    }

    /// What a frame has to ask for, path and query, so that this browser is logged out.
    fn frame_of(&self, browser: &mut Browser) -> String {
        let token = self.token(browser, "id_token");
        let claims = token.split('.').nth(1).unwrap();
        let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let sid = claims["sid"].as_str().expect("the id token has a sid");
        let issuer = self.provider.issuer();
        format!("/logout/frontchannel?iss={issuer}&sid={sid}")
    }
}
