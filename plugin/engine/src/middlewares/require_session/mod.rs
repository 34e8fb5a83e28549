//! `RequireSessionMiddleware`: nobody passes who is not logged in.
//!
//! With `token`, a session must hold tokens of a provider that are good now; those that are about to end are renewed
//! first. A token in `Authorization` does in place of a session, and beats one. Whatever cannot be found out because
//! somebody is away ends in 503: it never looks as if a login would help.

mod bearer;
mod claimed;
mod config;
mod login;
mod refusal;
mod tokens;
mod visitor;

use std::sync::Arc;

use abi::config::Faults;
use abi::{
    Entry, Exchange, Failure, Flag, Flow, HeaderName, Maybe, Middleware, Services, Session, Side,
};

use self::bearer::Shown;
use self::claimed::Claimed;
pub use self::config::{Oauth2Config, RequireSessionConfig, TokenConfig};
use self::refusal::{Refusal, Refusals};
use self::tokens::Tokens;
use crate::tokens::TokenDesk;

/// Lets pass who is logged in.
#[derive(Debug)]
pub struct RequireSessionMiddleware {
    refusals: Refusals,
    /// None when a session need only belong to somebody.
    tokens: Option<Tokens>,
    token_header: Flag,
    authorization: HeaderName,
}

impl RequireSessionMiddleware {
    /// Checks the configuration.
    ///
    /// # Errors
    /// All faults of the configuration.
    pub fn new(
        entry: Entry<'_>,
        config: &RequireSessionConfig,
        desk: TokenDesk<'_>,
        services: &Services,
    ) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let login = faults.absorb(config.login());
        let tokens = config.token.as_ref().map(|token| {
            Tokens::new(entry.name, token, desk).map_err(|found| found.under("token"))
        });
        let tokens = faults.absorb(tokens.transpose());
        let (Some(login), Some(tokens)) = (login, tokens) else {
            return Err(faults);
        };
        let failed = |error: abi::ServicesError| Faults::at("", error.to_string());
        let takes_bearer = tokens.as_ref().is_some_and(Tokens::takes_bearer);
        let manner = (config.unauthenticated_status, takes_bearer);
        faults.or(Self {
            refusals: Refusals::new(login, manner, services).map_err(failed)?,
            tokens,
            token_header: services.flag("token_header").map_err(failed)?,
            authorization: services.header("authorization").map_err(failed)?,
        })
    }

    /// Somebody who shows a token. There is no way back to the session that may be there as well: whoever shows
    /// something bad is refused.
    async fn admit_bearer(
        &self,
        mut exchange: Exchange<'_>,
        (tokens, shown): (&Tokens, Shown),
    ) -> Result<Flow<()>, Failure> {
        let Shown::Token(token) = shown else {
            return self
                .refusals
                .refuse(&mut exchange, Refusal::Bearer("malformed"));
        };
        let session = exchange.session().cloned();
        match tokens.admit_bearer(&token, session.as_ref()).await? {
            Ok(claimed) => {
                exchange.attach_session(Session::new(Arc::<Claimed>::new(claimed)));
                self.pass(&mut exchange, Some(&token))
            }
            Err(refusal) => self.refusals.refuse(&mut exchange, refusal),
        }
    }

    async fn admit_tokens(
        &self,
        mut exchange: Exchange<'_>,
        (tokens, session): (&Tokens, Option<Session>),
    ) -> Result<Flow<()>, Failure> {
        let Some(session) = session else {
            return self
                .refusals
                .refuse(&mut exchange, Refusal::Session("no-session"));
        };
        match tokens.admit(&session).await? {
            Ok(token) => self.pass(&mut exchange, Some(&token)),
            Err(refusal) => self.refusals.refuse(&mut exchange, refusal),
        }
    }

    /// Somebody without a user. There may be one whom nobody could find just now.
    async fn refuse_stranger(
        &self,
        mut exchange: Exchange<'_>,
        session: Session,
    ) -> Result<Flow<()>, Failure> {
        let is_stored = session.reload().wait().await?;
        if is_stored && session.principal().is_some() {
            return self.pass(&mut exchange, None);
        }
        self.refusals
            .refuse(&mut exchange, Refusal::Session("no-session"))
    }

    /// With the flag `token_header`, the upstream is shown the token that was found good, and nothing that the client
    /// wrote in its place.
    fn pass(&self, exchange: &mut Exchange<'_>, token: Option<&str>) -> Result<Flow<()>, Failure> {
        if exchange.flag(self.token_header) {
            match token {
                Some(token) => {
                    let value = format!("Bearer {token}");
                    let set = exchange.set_header(Side::Request, self.authorization, value);
                    set.map_err(|_| Failure::internal("the access token fits into no header"))?;
                }
                None => exchange.remove_header(Side::Request, self.authorization),
            }
        }
        Ok(Flow::Next(()))
    }
}

impl Middleware for RequireSessionMiddleware {
    type State = ();

    fn on_request<'a>(
        &'a self,
        mut exchange: Exchange<'a>,
    ) -> Maybe<'a, Result<Flow<()>, Failure>> {
        if let Some(tokens) = &self.tokens {
            let shown = match tokens.takes_bearer() {
                true => bearer::shown(&exchange, self.authorization),
                false => Shown::Nothing,
            };
            if shown != Shown::Nothing {
                return Maybe::task(self.admit_bearer(exchange, (tokens, shown)));
            }
            let session = exchange.session().cloned();
            return Maybe::task(self.admit_tokens(exchange, (tokens, session)));
        }
        let Some(session) = exchange.session().cloned() else {
            let message =
                "no session was loaded here; a LoadSessionMiddleware must stand before this one";
            return Maybe::Ready(Err(Failure::internal(message)));
        };
        if session.principal().is_some() {
            return Maybe::Ready(self.pass(&mut exchange, None));
        }
        Maybe::task(self.refuse_stranger(exchange, session))
    }
}

#[cfg(test)]
mod tests;
