//! New tokens for who asks, whether the old ones are about to end or not, unless they are new themselves.

use std::sync::Arc;

use abi::{Failure, Session};

use crate::middlewares::{Keeper, Keepers};
use crate::session::SessionId;
use crate::tokens::{
    Due, Outcome, Provider, Providers, Refresher, TokenDesk, TokenSet, provider_unavailable,
};

/// Renews the tokens of sessions.
pub(super) struct Tokens {
    providers: Arc<Providers>,
    keepers: Arc<Keepers>,
    refresher: Arc<Refresher>,
}

/// What became of the session meanwhile.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Left {
    /// It goes on.
    Alive,
    /// It is over, and why.
    Over(&'static str),
}

impl Tokens {
    pub(super) fn new(desk: TokenDesk<'_>) -> Self {
        Self {
            providers: Arc::clone(desk.providers),
            keepers: Arc::clone(desk.keepers),
            refresher: Arc::clone(desk.refresher),
        }
    }

    /// Renews the tokens of a session, unless that was done a moment ago. Those that cannot be renewed at all stay as they are: there is no refresh token,
    /// nobody knows when they end, or their provider has no name in the configuration.
    ///
    /// # Errors
    /// When the provider or the storage is away. Nothing has changed then.
    pub(super) async fn renew(&self, session: &Session) -> Result<Left, Failure> {
        let Some((provider, place)) = self.renewable(session) else {
            return Ok(Left::Alive);
        };
        let (keeper, id, handle) = place;
        let asked = self
            .refresher
            .refresh(&handle, (keeper, id), (provider, Due::Asked));
        let left = match asked.await {
            Outcome::Renewed | Outcome::Found => Left::Alive,
            Outcome::Ended(reason) => {
                // The end is this request's own, so that the key goes as well.
                session.destroy();
                Left::Over(reason)
            }
            Outcome::Gone => Left::Over("not-logged-in"),
            Outcome::Failed(reason) => return Err(provider_unavailable(reason)),
            Outcome::Unavailable(cause) => return Err(cause.into()),
        };
        session.reload().wait().await?;
        Ok(left)
    }

    fn renewable(&self, session: &Session) -> Option<(Arc<Provider>, Place)> {
        let tokens = TokenSet::of(session)?;
        let is_renewable = tokens.refresh_token.is_some() && tokens.expires_at.is_some();
        let provider = match tokens.provider.as_str() {
            "" => self.providers.issuer_of(&tokens.access_token)?,
            name => self.providers.get(name)?,
        };
        let place = self.keepers.place_of(session)?;
        is_renewable.then(|| (Arc::clone(provider), place))
    }
}

/// Where a session is stored.
type Place = (Keeper, SessionId, String);
