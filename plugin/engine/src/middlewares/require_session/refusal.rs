//! What somebody is answered who may not pass.

use abi::{Exchange, Failure, Flag, Flow, HeaderName, Services, ServicesError, Side};
use serde_json::json;
use tracing::debug;

use super::login::LoginPlace;
use super::visitor::{Visitor, Visitors};

/// Turns requests around.
#[derive(Debug)]
pub(super) struct Refusals {
    login: LoginPlace,
    visitors: Visitors,
    status: u16,
    /// Whether a token in `Authorization` would do.
    takes_bearer: bool,
    disable_redirect: Flag,
    names: Names,
    services: Services,
}

#[derive(Debug)]
struct Names {
    location: HeaderName,
    content_type: HeaderName,
    cache_control: HeaderName,
    www_authenticate: HeaderName,
    proxy_authenticate: HeaderName,
}

/// Why somebody may not pass. The word never changes from release to release.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    /// The session is missing, over, or not good enough: a login helps.
    Session(&'static str),
    /// The token in `Authorization` is not good: a login does not help whoever brought it.
    Bearer(&'static str),
}

impl Refusals {
    pub(super) fn new(
        login: LoginPlace,
        (status, takes_bearer): (u16, bool),
        services: &Services,
    ) -> Result<Self, ServicesError> {
        Ok(Self {
            login,
            visitors: Visitors::new(services)?,
            status,
            takes_bearer,
            disable_redirect: services.flag("disable_redirect")?,
            names: Names {
                location: services.header("location")?,
                content_type: services.header("content-type")?,
                cache_control: services.header("cache-control")?,
                www_authenticate: services.header("www-authenticate")?,
                proxy_authenticate: services.header("proxy-authenticate")?,
            },
            services: services.clone(),
        })
    }

    /// Answers. Browsers on their way to a page are sent to log in; `GET` and `HEAD` may come back as they are, everything
    /// else goes on as a `GET`, without its body.
    pub(super) fn refuse<S>(
        &self,
        exchange: &mut Exchange<'_>,
        refusal: Refusal,
    ) -> Result<Flow<S>, Failure> {
        self.note(exchange, refusal);
        let location = self.login.location(exchange);
        let is_silent = exchange.flag(self.disable_redirect);
        let visitor = self.visitors.visitor(exchange);
        match (refusal, visitor, location) {
            (Refusal::Session(_), Visitor::Navigation, Some(location)) if !is_silent => {
                let status = match exchange.method() {
                    "GET" | "HEAD" => 302,
                    _ => 303,
                };
                exchange.respond(status, b"");
                self.set(exchange, self.names.location, &location)?;
            }
            (_, _, location) => {
                let status = if is_silent { 407 } else { self.status };
                self.tell(exchange, status, refusal, location.as_deref())?;
            }
        }
        self.set(exchange, self.names.cache_control, "no-store")?;
        Ok(Flow::Respond)
    }

    fn tell(
        &self,
        exchange: &mut Exchange<'_>,
        status: u16,
        refusal: Refusal,
        login: Option<&str>,
    ) -> Result<(), Failure> {
        let error = match status {
            407 => "Proxy Authentication Required",
            _ => "Unauthorized",
        };
        let mut body = json!({ "error": error, "reason": refusal.reason() });
        if let (Refusal::Session(_), Some(login)) = (refusal, login) {
            body["login"] = login.into();
        }
        exchange.respond(status, body.to_string());
        self.set(exchange, self.names.content_type, "application/json")?;
        let challenge = match status {
            407 => self.names.proxy_authenticate,
            _ => self.names.www_authenticate,
        };
        if let Some(text) = self.challenge(refusal) {
            self.set(exchange, challenge, text)?;
        }
        Ok(())
    }

    /// RFC 6750, section 3. A session has no scheme of its own; where tokens are not taken there is nothing to ask for.
    const fn challenge(&self, refusal: Refusal) -> Option<&'static str> {
        match refusal {
            Refusal::Bearer(_) => Some("Bearer realm=\"gateway\", error=\"invalid_token\""),
            Refusal::Session(_) if self.takes_bearer => Some("Bearer realm=\"gateway\""),
            Refusal::Session(_) => None,
        }
    }

    fn note(&self, exchange: &Exchange<'_>, refusal: Refusal) {
        let (by, reason) = (refusal.by(), refusal.reason());
        debug!(target: "session", event = "required", by, reason, route = exchange.route(), "refused");
        let help = "Requests that were turned around for want of a session, and why.";
        let labels = [("by", by), ("reason", reason)];
        self.services
            .counter("session_required_total", help, &labels)
            .increment();
    }

    fn set(
        &self,
        exchange: &mut Exchange<'_>,
        name: HeaderName,
        value: &str,
    ) -> Result<(), Failure> {
        exchange
            .set_header(Side::Response, name, value)
            .map_err(|error| Failure::internal(error.to_string()))
    }
}

impl Refusal {
    const fn reason(self) -> &'static str {
        match self {
            Self::Session(reason) | Self::Bearer(reason) => reason,
        }
    }

    const fn by(self) -> &'static str {
        match self {
            Self::Session(_) => "session",
            Self::Bearer(_) => "bearer",
        }
    }
}
