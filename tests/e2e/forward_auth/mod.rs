//! The gateway as the one whom nginx, Caddy and HAProxy ask, each with the files of its example.

mod asking;
mod setting;

use e2e::{FrontKind, Message, Nobody, Request};

use self::setting::Setting;
use crate::anna::{identity, is_anna};

const ALL: [FrontKind; 3] = [FrontKind::Nginx, FrontKind::Caddy, FrontKind::Haproxy];

#[test]
fn service_behind_each_proxy_learns_who_the_user_is() {
    for kind in ALL {
        let setting = Setting::of(kind);
        let mut browser = setting.front.browser();
        browser.get("/session/login");

        let response = browser.get("/page?q=1");

        let seen = setting.service.last();
        assert_eq!(
            (response.status(), response.text()),
            (200, "hello".into()),
            "{kind:?}"
        );
        assert_eq!(identity(&seen), is_anna(), "{kind:?}");
        assert!(seen.start_line().starts_with("GET /page?q=1 "), "{kind:?}");
    }
}

#[test]
fn visitor_is_sent_to_the_login_page_and_told_the_way_back() {
    for kind in ALL {
        let setting = Setting::of(kind);
        let page = Request::get("/page?q=1")
            .header("Accept", "text/html")
            .header("Sec-Fetch-Mode", "navigate")
            .header("Sec-Fetch-Dest", "document");

        let response = setting.front.browser().send(page);

        let location = response.header("location").unwrap_or_default();
        assert!(
            matches!(response.status(), 302 | 303),
            "{kind:?}: {}",
            response.status()
        );
        assert_eq!(
            location, "/session/login?redirect_path=%2Fpage%3Fq%3D1",
            "{kind:?}"
        );
        assert!(setting.service.seen().is_empty(), "{kind:?}");
    }
}

#[test]
fn script_without_a_session_gets_a_401_and_no_page() {
    for kind in ALL {
        let setting = Setting::of(kind);
        let call = Request::get("/api").header("Accept", "application/json");

        let response = setting.front.browser().send(call);

        assert_eq!(
            (response.status(), response.header("location")),
            (401, None),
            "{kind:?}"
        );
        assert!(setting.service.seen().is_empty(), "{kind:?}");
    }
}

#[test]
fn logout_is_noticed_by_each_proxy() {
    for kind in ALL {
        let setting = Setting::open(kind);
        let mut browser = setting.front.browser();
        browser.get("/session/login");
        let jar = browser.clone();
        browser.get("/session/logout");

        jar.clone().get("/");

        assert_is_nobody(&setting.service.last(), kind);
    }
}

#[test]
fn client_cannot_forge_a_mapped_header_through_a_proxy() {
    for kind in ALL {
        let setting = Setting::open(kind);
        let mut browser = setting.front.browser();

        for name in spellings() {
            let sent = Request::get("/").header(&name, "mallory");
            let response = browser.send(sent.header("X-User-Id", "mallory"));

            let seen = setting.service.seen();
            assert!(
                matches!(response.status(), 200 | 400 | 503),
                "{kind:?} {name}"
            );
            for request in seen.iter().flat_map(as_cgi) {
                assert_ne!(request.0, "HTTP_X_USER_ID", "{kind:?} {name}: {request:?}");
                assert_ne!(
                    request.0, "HTTP_AUTHORIZATION",
                    "{kind:?} {name}: {request:?}"
                );
            }
        }
        assert!(!setting.service.seen().is_empty(), "{kind:?}");
    }
}

#[test]
fn user_keeps_the_own_identity_whatever_the_client_adds() {
    for kind in ALL {
        let setting = Setting::of(kind);
        let mut browser = setting.front.browser();
        browser.get("/session/login");

        for name in ["X-User-Id", "x-user-id", "Authorization", "AUTHORIZATION"] {
            browser.send(Request::get("/").header(name, "mallory"));

            assert_eq!(
                identity(&setting.service.last()),
                is_anna(),
                "{kind:?} {name}"
            );
        }
    }
}

#[test]
fn client_cannot_say_what_it_is_asked_about() {
    for kind in ALL {
        let setting = Setting::open(kind);
        for name in [
            "X-Original-URI",
            "X-Original-URL",
            "X-Original-Method",
            "X-Forwarded-Uri",
            "X-Forwarded-Method",
            "X-Forwarded-Host",
            "X-Forwarded-Proto",
        ] {
            let response = setting
                .front
                .browser()
                .send(Request::get("/deep").header(name, "/public"));

            // Each proxy replaces or removes it: the request is asked about as it is.
            assert_eq!(response.status(), 200, "{kind:?} {name}");
        }
    }
}

#[test]
fn gateway_that_is_gone_lets_nobody_pass() {
    for kind in ALL {
        let mut setting = Setting::of(kind);
        let mut browser = setting.front.browser();
        browser.get("/session/login");
        let address = setting.gateway.address();
        setting.gateway.kill();
        let _nobody = Nobody::at(address);

        let response = browser.get("/");

        assert!(
            matches!(response.status(), 502 | 503),
            "{kind:?}: {}",
            response.status()
        );
        assert!(setting.service.seen().is_empty(), "{kind:?}");
    }
}

#[test]
fn renewed_session_reaches_the_browser_through_each_proxy() {
    for kind in ALL {
        let setting = Setting::renewing(kind);
        let mut browser = setting.front.browser();
        browser.get("/session/login");

        crate::anna::until_renewed(&mut browser);
        browser.get("/");

        assert_eq!(identity(&setting.service.last()), is_anna(), "{kind:?}");
    }
}

#[track_caller]
fn assert_is_nobody(seen: &Message, kind: FrontKind) {
    let (user, authorization) = identity(seen);
    // Caddy sends an empty header where others send none.
    let is_none = |value: Option<String>| value.is_none_or(|value| value.is_empty());
    assert!(is_none(user) && is_none(authorization), "{kind:?}");
}

/// The headers of a request as CGI and its heirs see them, without the empty ones.
fn as_cgi(request: &Message) -> Vec<(String, String)> {
    let headers = request.headers().into_iter();
    headers
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| {
            let fold = |letter: char| match letter.is_ascii_alphanumeric() {
                true => letter.to_ascii_uppercase(),
                false => '_',
            };
            (
                format!("HTTP_{}", name.chars().map(fold).collect::<String>()),
                value,
            )
        })
        .collect()
}

/// What servers may take for `X-User-Id` or `Authorization`.
fn spellings() -> Vec<String> {
    let mut spellings = Vec::new();
    for separators in [
        ["-", "_"],
        ["_", "-"],
        ["_", "_"],
        [".", "."],
        ["-", "."],
        ["--", "-"],
        ["", ""],
    ] {
        let [first, second] = separators;
        for case in [str::to_owned, str::to_lowercase, str::to_uppercase] as [fn(&str) -> String; 3]
        {
            spellings.push(case(&format!("X{first}User{second}Id")));
        }
    }
    spellings.extend(
        [
            "authorization",
            "AUTHORIZATION",
            "Authorization_",
            "_X_User_Id",
        ]
        .map(str::to_owned),
    );
    spellings
}
