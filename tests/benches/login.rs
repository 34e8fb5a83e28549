//! A visitor who logs in, and then comes back and back.

use abi::handle::MiddlewareHandle;
use abi::testing::wait;
use abi::{Exchange, Flow, Side};
use http::HeaderValue;
use http::header::SET_COOKIE;
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::exchange::{InFlight, cookie_header};
use crate::visit::{SESSION_SET, at_once};

/// The request of somebody who has logged in: six attributes of about 1 KB, 600 bytes of them a token.
pub(crate) fn logged_in(desk: &Desk, load: &MiddlewareHandle) -> InFlight {
    let mut login = InFlight::new(desk, None);
    let entered = at_once(load.on_request(Exchange::new(&mut login)));
    let Flow::Next(state) = entered else {
        panic!("a login passes");
    };
    let session = HeaderValue::from_str(&attributes().to_string()).expect("JSON in ASCII");
    login.headers(Side::Response).insert(SESSION_SET, session);
    wait(load.on_response(Exchange::new(&mut login), state)).expect("the session is stored");
    let cookie = login.headers(Side::Response)[SET_COOKIE].to_str();
    let pair = cookie.ok().and_then(|cookie| cookie.split(';').next());
    InFlight::new(desk, Some(&cookie_header(pair.expect("a cookie is set"))))
}

fn attributes() -> Value {
    json!({
        "user_id": "3f6c1c9e-7a54-4d0b-9d3e-0f2a1c5b7e88",
        "authorization": format!("Bearer {}", "t".repeat(593)),
        "email": "anna.schmidt@example.org",
        "name": "Anna Schmidt",
        "roles": ["reader", "editor", "billing"],
        "preferences": { "theme": "dark", "locale": "de-DE", "notes": "n".repeat(200) },
    })
}
