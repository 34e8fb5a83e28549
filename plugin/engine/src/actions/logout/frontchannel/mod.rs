//! OpenID Connect Front-Channel Logout: a page of the provider has frames, one for each service that the user was logged
//! in to, and the browser asks for this address in one of them.
//!
//! Browsers send no cookie from a frame on another site, and no page of ours says that its user wants this, so `iss` and
//! `sid` are all there is to go by. Both have to be there: whoever knows the `sid` of a login is its user or its provider,
//! for nobody can guess one, and all that it is good for here is the end of that login. A `sid` that nobody has costs one
//! read, and writes nothing.

use std::time::Duration;

use abi::storage::Unavailable;
use abi::{Exchange, Failure, HeaderName, Services, ServicesError, Side};
use tracing::{info, warn};

use super::no_keeper;
use crate::actions::answers::Answers;
use crate::actions::form::Fields;
use crate::actions::links::Logout;
use crate::engine::Engine;
use crate::middlewares::Keepers;
use crate::origin::Origin;
use crate::tokens::Providers;

/// Answers the frames of providers.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrontChannel {
    policy: HeaderName,
    sniffing: HeaderName,
}

/// What a frame asks for.
#[derive(Debug, Eq, PartialEq)]
struct Asked {
    /// Of one of our providers.
    issuer: String,
    /// The login, under the name that each provider of this issuer has for it.
    logouts: Vec<Logout>,
}

impl FrontChannel {
    pub(super) fn new(services: &Services) -> Result<Self, ServicesError> {
        Ok(Self {
            policy: services.header("content-security-policy")?,
            sniffing: services.header("x-content-type-options")?,
        })
    }

    /// Ends the login that a frame names. The answer does not tell whether there was one.
    pub(super) async fn answer(
        &self,
        mut exchange: Exchange<'_>,
        (providers, keepers): (&Providers, &Keepers),
        answers: &Answers,
    ) -> Result<(), Failure> {
        if exchange.method() != "GET" {
            return answers.not_allowed(&mut exchange, "GET");
        }
        let keeper = exchange.session().and_then(|session| keepers.of(session));
        let keeper = keeper.ok_or_else(no_keeper)?;
        let Some(asked) = Asked::read(exchange.query().unwrap_or_default(), providers) else {
            warn!(target: TARGET, event = "provider-logout-refused", reason = "frame", "session");
            return answers.error(&mut exchange, 400, "invalid_request");
        };
        match asked.obey(keeper.engine()).await {
            Ok(ended) => {
                info!(target: TARGET, event = "provider-logout", ended, "session");
                self.confirm(&mut exchange, &asked.issuer, answers)
            }
            Err(_) => {
                let reason = "storage-unavailable";
                warn!(target: TARGET, event = "provider-logout-failed", reason, "session");
                answers.empty(&mut exchange, 503)?;
                answers.retry_after(&mut exchange, Duration::from_secs(1))
            }
        }
    }

    /// A page, because it stands in a frame: of a page of the issuer, and of no other.
    fn confirm(
        &self,
        exchange: &mut Exchange<'_>,
        issuer: &str,
        answers: &Answers,
    ) -> Result<(), Failure> {
        answers.html(exchange, 200, PAGE)?;
        for (name, value) in [
            (self.policy, policy(issuer).as_str()),
            (self.sniffing, "nosniff"),
        ] {
            exchange
                .set_header(Side::Response, name, value)
                .map_err(|error| Failure::internal(format!("a header of a frame: {error}")))?;
        }
        Ok(())
    }
}

impl Asked {
    /// Both parameters, each of them once, and an issuer that we know. One issuer may stand behind several providers,
    /// each with a client of its own; the `sid` does not say which.
    fn read(query: &str, providers: &Providers) -> Option<Self> {
        let fields = Fields::parse(query.as_bytes());
        let issuer = fields.the_only("iss").flatten()?;
        let sid = fields.the_only("sid").flatten()?;
        let providers = providers.of_issuer(issuer);
        let logouts: Vec<_> = providers
            .map(|provider| Logout::of_sid(provider.name(), sid))
            .collect();
        let is_somebody = !sid.is_empty() && !logouts.is_empty();
        is_somebody.then(|| Self {
            issuer: issuer.to_owned(),
            logouts,
        })
    }

    /// Ends the login and says how many sessions that were. Of a login that nobody has linked, nothing is written down:
    /// anybody could fill the storage.
    async fn obey(&self, engine: &Engine) -> Result<u64, Unavailable> {
        let mut ended = 0;
        for logout in &self.logouts {
            if !engine.linked(&logout.name).await?.is_empty() {
                ended += logout.end(engine).await?;
            }
        }
        Ok(ended)
    }
}

/// What may have the answer in a frame.
fn policy(issuer: &str) -> String {
    let framed_by = Origin::split(issuer).map(|(origin, _)| origin.to_string());
    let framed_by = framed_by.as_deref().unwrap_or("'none'");
    format!("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors {framed_by}")
}

/// Nobody sees it: the frames of such pages are hidden.
const PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Signed out</title>\n\
                    <p>You are signed out.</p>\n</html>\n";
const TARGET: &str = "session";

#[cfg(test)]
mod tests;
