//! Whether somebody's tokens are good now.

use std::sync::Arc;
use std::time::Duration;

use abi::config::Faults;
use abi::{Failure, Session};
use tokio::time::timeout;

use super::claimed::Claimed;
use super::config::TokenConfig;
use super::refusal::Refusal;
use crate::middlewares::Keepers;
use crate::runtime::entered;
use crate::tokens::{
    Due, Jwt, Outcome, Provider, Providers, Refresher, TokenDesk, TokenError, TokenSet,
    VerifyError, provider_unavailable,
};

/// Whose tokens count, and how they are kept good.
#[derive(Debug)]
pub(super) struct Tokens {
    whose: Whose,
    providers: Arc<Providers>,
    keepers: Arc<Keepers>,
    refresher: Arc<Refresher>,
    refreshes: bool,
    due: Due,
    bearer: bool,
}

/// Whose tokens count.
#[derive(Debug)]
enum Whose {
    /// Of any provider that has a name.
    Any,
    /// Of this one.
    One(Arc<Provider>),
}

/// What is found out about somebody: good, or not; or that it cannot be found out.
type Verdict<T> = Result<Result<T, Refusal>, Failure>;

impl Tokens {
    pub(super) fn new(
        entry: &str,
        config: &TokenConfig,
        desk: TokenDesk<'_>,
    ) -> Result<Self, Faults> {
        config.check()?;
        let whose = match (&*config.provider, config.inline()) {
            (_, Some(inline)) => {
                let made = desk.providers.make(entry, inline);
                Whose::One(made.map_err(|found| found.under("oauth2"))?)
            }
            ("", None) if desk.providers.iter().next().is_none() => {
                let message = "is missing: the plugin's `providers` names none; or write oauth2";
                return Err(Faults::at("provider", message));
            }
            ("", None) => Whose::Any,
            (name, None) => Whose::One(desk.providers.named("provider", name)?),
        };
        Ok(Self {
            whose,
            providers: Arc::clone(desk.providers),
            keepers: Arc::clone(desk.keepers),
            refresher: Arc::clone(desk.refresher),
            refreshes: !config.disable_refresh,
            due: Due::Before(config.refresh_before.get().as_secs().max(1)),
            bearer: config.bearer,
        })
    }

    pub(super) const fn takes_bearer(&self) -> bool {
        self.bearer
    }

    /// What a token in `Authorization` says about whoever shows it, as a session of one request.
    pub(super) async fn admit_bearer(
        &self,
        token: &str,
        session: Option<&Session>,
    ) -> Verdict<Claimed> {
        let provider = match &self.whose {
            Whose::One(provider) => Some(provider),
            Whose::Any => self.providers.issuer_of(token),
        };
        let Some(provider) = provider else {
            return Ok(Err(Refusal::Bearer(TokenError::UnknownProvider.reason())));
        };
        let claims = match provider.verify_access(token).await {
            Ok(claims) => claims,
            Err(VerifyError::Refused(error)) => return Ok(Err(Refusal::Bearer(error.reason()))),
            Err(VerifyError::Unavailable(outage)) => {
                return Err(provider_unavailable(outage.reason()));
            }
        };
        let keeper = session.and_then(|session| self.keepers.of(session));
        let policy = keeper.as_ref().map(|keeper| keeper.engine().policy());
        let principal = policy.and_then(|policy| policy.principal.as_deref());
        let principal = principal.unwrap_or("user_id");
        let mut attributes = provider.attributes(&claims, principal);
        let shown = TokenSet {
            provider: provider.name().to_owned(),
            access_token: token.to_owned(),
            refresh_token: None,
            id_token: None,
            token_type: "Bearer".to_owned(),
            scope: claims.text("scope").map(str::to_owned),
            expires_at: claims.expires_at(),
            obtained_at: None,
            doubt: None,
            sid: None,
        };
        attributes.insert(TokenSet::ATTRIBUTE.to_owned(), shown.to_value());
        Ok(Ok(Claimed::new(attributes, principal)))
    }

    /// The access token of a session, if it is good now. New ones are got first where they are due.
    pub(super) async fn admit(&self, session: &Session) -> Verdict<String> {
        let Some(tokens) = TokenSet::of(session) else {
            // An outage is no visitor without a session.
            session.reload().wait().await?;
            return match TokenSet::of(session) {
                Some(tokens) => self.admit_with(session, tokens).await,
                None => Ok(Err(Refusal::Session("no-session"))),
            };
        };
        self.admit_with(session, tokens).await
    }

    async fn admit_with(&self, session: &Session, tokens: TokenSet) -> Verdict<String> {
        let Some(provider) = self.provider_of(&tokens) else {
            return Ok(Err(Refusal::Session(TokenError::UnknownProvider.reason())));
        };
        let tokens = match self.fresh(session, provider, tokens).await? {
            Ok(tokens) => tokens,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if tokens.is_due(provider.seconds(), 0) {
            return Ok(Err(Refusal::Session(TokenError::Expired.reason())));
        }
        match provider.verify_access(&tokens.access_token).await {
            Ok(_) => Ok(Ok(tokens.access_token)),
            // It came from the provider itself, which has no place to ask about it.
            Err(VerifyError::Refused(TokenError::Opaque)) if !Jwt::is_one(&tokens.access_token) => {
                Ok(Ok(tokens.access_token))
            }
            Err(VerifyError::Refused(error)) => Ok(Err(Refusal::Session(error.reason()))),
            Err(VerifyError::Unavailable(outage)) => Err(provider_unavailable(outage.reason())),
        }
    }

    fn provider_of(&self, tokens: &TokenSet) -> Option<&Arc<Provider>> {
        match &self.whose {
            // An upstream that wrote the tokens knows of no names.
            Whose::One(provider)
                if tokens.provider.is_empty() || tokens.provider == provider.name() =>
            {
                Some(provider)
            }
            Whose::One(_) => None,
            Whose::Any if tokens.provider.is_empty() => {
                self.providers.issuer_of(&tokens.access_token)
            }
            Whose::Any => self.providers.get(&tokens.provider),
        }
    }

    /// The tokens, new if they were due. While the old ones are good, nobody waits long for new ones, and an outage of
    /// the provider is no reason to turn anybody away. Without good ones a request waits as long as one call may take.
    async fn fresh(
        &self,
        session: &Session,
        provider: &Arc<Provider>,
        tokens: TokenSet,
    ) -> Verdict<TokenSet> {
        let now = provider.seconds();
        let is_due = self.due.holds(&tokens, now) && !tokens.is_refused(now);
        let (true, true, true) = (is_due, self.refreshes, tokens.refresh_token.is_some()) else {
            return Ok(Ok(tokens));
        };
        // The tokens of another plugin's session are checked and not renewed.
        let Some((keeper, id, handle)) = self.keepers.place_of(session) else {
            return Ok(Ok(tokens));
        };
        let place = ((keeper, id), (Arc::clone(provider), self.due));
        let asked = self.refresher.refresh(&handle, place.0, place.1);
        let is_live = !tokens.is_due(provider.seconds(), 0);
        let patience = match is_live {
            true => PATIENCE,
            false => provider.longest_call() + TAKEOVER,
        };
        let outcome = self.in_time(patience, asked).await?;
        match outcome {
            Some(Outcome::Renewed | Outcome::Found) => {
                session.reload().wait().await?;
                Ok(TokenSet::of(session).ok_or(Refusal::Session("no-session")))
            }
            Some(Outcome::Ended(reason)) => {
                // The end is this request's own, so that the key goes as well.
                session.destroy();
                session.reload().wait().await?;
                Ok(Err(Refusal::Session(reason)))
            }
            Some(Outcome::Gone) => {
                session.reload().wait().await?;
                Ok(Err(Refusal::Session("no-session")))
            }
            None | Some(Outcome::Failed(_) | Outcome::Unavailable(_)) if is_live => Ok(Ok(tokens)),
            None => Err(provider_unavailable("timeout")),
            Some(Outcome::Failed(reason)) => Err(provider_unavailable(reason)),
            Some(Outcome::Unavailable(cause)) => Err(cause.into()),
        }
    }

    /// The outcome, if it comes soon. It goes on coming about when nobody waits any more.
    async fn in_time(
        &self,
        patience: Duration,
        asked: impl Future<Output = Outcome>,
    ) -> Result<Option<Outcome>, Failure> {
        let runtime = self.providers.runtime().start();
        let runtime = runtime.map_err(|error| Failure::internal(error.to_string()))?;
        let waited = entered(runtime.clone(), async { timeout(patience, asked).await });
        Ok(waited.await.ok())
    }
}

// A page that takes a second longer is better than one with a token that ends on its way to the upstream.
const PATIENCE: Duration = Duration::from_secs(1);
// A gateway that has died at work is taken over after that.
const TAKEOVER: Duration = Duration::from_secs(6);
