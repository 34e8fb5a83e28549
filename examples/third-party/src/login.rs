//! A middleware that signs guests in.

use abi::config::Faults;
use abi::failure::Kind;
use abi::schemars::{self, JsonSchema};
use abi::serde_json::json;
use abi::{Exchange, Failure, Flow, HeaderName, Maybe, Middleware, Services, Session, Side};
use serde::Deserialize;

use crate::name;

/// Signs a guest in: a POST to [`LoginConfig::path`] sets `user_id` and `authorization` in the session. Every other
/// request passes untouched.
///
/// # Security
/// A guest is who the guest says: there is no password here, because this example is about the session. A real login
/// checks one in [`LoginMiddleware::guest`] and, for forms, that the request comes from its own origin.
pub(crate) struct LoginMiddleware {
    config: LoginConfig,
    content_type: HeaderName,
}

/// Who may sign in, and where.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct LoginConfig {
    /// The path that takes the login.
    #[serde(default = "default_path")]
    path: String,
    /// The names on the list.
    guests: Vec<String>,
}

impl LoginMiddleware {
    pub(crate) fn new(config: LoginConfig, services: &Services) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        if !config.path.starts_with('/') {
            faults.push("path", "expected a path that begins with `/`");
        }
        if config.guests.is_empty() {
            faults.push("guests", "expected at least one name: nobody could sign in");
        }
        // Names are resolved once, here: per request a number is enough.
        match services.header("content-type") {
            Ok(content_type) => faults.or(Self {
                config,
                content_type,
            }),
            Err(cause) => Err(Faults::at("", cause.to_string())),
        }
    }

    async fn sign_in(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        let body = exchange.read_body(BODY_LIMIT).wait().await?;
        let guest = self.guest(&exchange, &body)?;
        let session = exchange.session().ok_or_else(no_session)?;
        enter(session, &guest).map_err(|cause| Failure::internal(cause.to_string()))?;
        exchange.respond(200, json!({ "user": guest }).to_string());
        let typed = exchange.set_header(Side::Response, self.content_type, "application/json");
        typed.map_err(|cause| Failure::internal(cause.to_string()))
    }

    fn guest(&self, exchange: &Exchange<'_>, body: &[u8]) -> Result<String, Failure> {
        let content_type = exchange.header(Side::Request, self.content_type);
        let name = name::read(content_type.unwrap_or_default(), body)
            .ok_or_else(|| Failure::new(Kind::BAD_REQUEST, "no-name", "the login names nobody"))?;
        if self.config.guests.contains(&name) {
            Ok(name)
        } else {
            // Never the name itself: people type passwords into the wrong field.
            Err(Failure::new(
                Kind::UNAUTHORIZED,
                "not-a-guest",
                "the name is not on the list",
            ))
        }
    }
}

impl Middleware for LoginMiddleware {
    type State = ();

    fn on_request<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<Flow<()>, Failure>> {
        let is_login = exchange.method() == "POST" && exchange.path() == self.config.path;
        if !is_login {
            return Maybe::Ready(Ok(Flow::Next(())));
        }
        Maybe::task(async { self.sign_in(exchange).await.map(|()| Flow::Respond) })
    }
}

/// Writes the guest into the session. It is stored, under a new id, when the response passes the middleware that
/// attached it.
fn enter(session: &Session, guest: &str) -> Result<(), abi::session::AttributeError> {
    session.set("user_id", guest)?;
    session.set("authorization", format!("Bearer guest-{guest}"))
}

fn no_session() -> Failure {
    Failure::internal("no session on this route: list LoadSessionMiddleware before LoginMiddleware")
}

fn default_path() -> String {
    "/login".to_owned()
}

// A name and the field around it.
const BODY_LIMIT: u64 = 4096;

#[cfg(test)]
mod tests;
