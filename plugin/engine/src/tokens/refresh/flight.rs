//! One refresh, from looking whether it is needed to storing what came of it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use abi::storage::{Loaded, Unavailable};
use tokio::time::{Instant, sleep};

use super::{Due, Outcome};
use crate::engine::{Cause, Claim, Lease, Revoked, Saved, Session};
use crate::middlewares::Keeper;
use crate::session::{Deltas, Record, SessionId};
use crate::tokens::error::GrantError;
use crate::tokens::jwt::TokenError;
use crate::tokens::provider::Provider;
use crate::tokens::token_set::{Doubt, TokenSet};

/// Whose tokens are to be renewed, where the session is, and when.
pub(super) struct Flight {
    pub(super) keeper: Keeper,
    pub(super) id: SessionId,
    pub(super) provider: Arc<Provider>,
    pub(super) due: Due,
}

/// A session that needs new tokens and those that it has, or an outcome when there is nothing to do.
type Found = Result<(Session, TokenSet), Outcome>;

impl Flight {
    pub(super) async fn fly(&self) -> Outcome {
        let deadline = Instant::now() + LONGEST_FLIGHT;
        let mut wait = FIRST_WAIT;
        loop {
            let session = match self.look().await {
                Ok((session, _)) => session,
                Err(outcome) => return outcome,
            };
            match self.keeper.engine().lease(&session, LEASE).await {
                Ok(Some(lease)) => return self.work(lease).await,
                Ok(None) if Instant::now() >= deadline => return Outcome::Failed("contended"),
                Ok(None) => sleep(wait).await,
                Err(cause) => return Outcome::Unavailable(cause),
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Reads the session anew, never from a copy. It may have got another id since the request came that wants it.
    async fn look(&self) -> Found {
        let engine = self.keeper.engine();
        let session = match engine.load_for(&self.id, Claim::Held).wait().await {
            Loaded::Found(session) => session,
            Loaded::Absent => return Err(Outcome::Gone),
            Loaded::Unavailable(cause) => return Err(Outcome::Unavailable(cause)),
        };
        let Some(tokens) = tokens_in(session.record()) else {
            return Err(Outcome::Gone);
        };
        if !self.due.holds(&tokens, self.provider.seconds()) {
            return Err(Outcome::Found);
        }
        if tokens.is_refused(self.provider.seconds()) {
            return Err(Outcome::Failed(GrantError::Refused.reason()));
        }
        match tokens.refresh_token {
            Some(_) => Ok((session, tokens)),
            None => Err(Outcome::Failed("no-refresh-token")),
        }
    }

    async fn work(&self, mut lease: Lease) -> Outcome {
        let outcome = match self.look().await {
            Ok((session, tokens)) => self.renew(&mut lease, &session, tokens).await,
            Err(outcome) => outcome,
        };
        self.keeper.engine().release(lease).await;
        outcome
    }

    async fn renew(&self, lease: &mut Lease, session: &Session, tokens: TokenSet) -> Outcome {
        let asked = self.provider.refresh(tokens.clone());
        let answer = tokio::select! {
            answer = asked => answer,
            never = self.hold(lease) => match never {},
        };
        match answer {
            Ok(renewed) => {
                self.provider.pauses.answered();
                self.store(session, &tokens, &renewed).await
            }
            Err(GrantError::Refused) if self.is_lost(&tokens) => {
                self.provider.pauses.answered();
                self.note(session, &tokens, Doubt::Refused).await;
                Outcome::Failed(GrantError::Refused.reason())
            }
            Err(error) if is_final(&error) => {
                self.provider.pauses.answered();
                self.end(session, &tokens, error.reason()).await
            }
            Err(error) => {
                if error.leaves_doubt() && tokens.doubt.is_none() {
                    self.note(session, &tokens, Doubt::Unanswered).await;
                }
                let asked = match &error {
                    GrantError::Unavailable(outage) => outage.retry_after,
                    _ => None,
                };
                let (reason, now) = (error.reason(), self.provider.now());
                self.provider.pauses.failed(reason, asked, now);
                Outcome::Failed(reason)
            }
        }
    }

    /// Whether a refusal may only mean that the answer to an earlier call was lost, and the access token goes on.
    fn is_lost(&self, tokens: &TokenSet) -> bool {
        tokens.doubt.is_some() && !tokens.is_due(self.provider.seconds(), 0)
    }

    /// Lets all gateways know of a doubt about the tokens of a session. Where it cannot be stored, a refusal ends the
    /// session as if there were none.
    async fn note(&self, session: &Session, tokens: &TokenSet, doubt: Doubt) {
        let doubted = TokenSet {
            doubt: Some(doubt),
            ..tokens.clone()
        };
        let mut deltas = Deltas::new();
        deltas.set(TokenSet::ATTRIBUTE, doubted.to_value());
        let engine = self.keeper.engine();
        let noted = engine.patch_while(session, &deltas, |record| holds(record, tokens));
        drop(noted.await);
    }

    /// Keeps the lease while the provider takes its time. A storage that does not answer for a moment is asked again
    /// before the lease ends; a lease that is lost does not stop the call, whose answer nobody could get again.
    async fn hold(&self, lease: &mut Lease) -> Infallible {
        loop {
            sleep(LEASE / 3).await;
            if let Ok(false) = self.keeper.engine().extend(lease, LEASE).await {
                std::future::pending().await
            }
        }
    }

    /// Stores new tokens in place of those that they were got with, and only of those.
    async fn store(&self, session: &Session, old: &TokenSet, new: &TokenSet) -> Outcome {
        let engine = self.keeper.engine();
        let mut deltas = Deltas::new();
        deltas.set(TokenSet::ATTRIBUTE, new.to_value());
        // The user stays the same, or a login would happen here.
        let principal = engine.policy().principal.as_deref().unwrap_or_default();
        let claims = new.claims();
        for (name, value) in self.provider.attributes(&claims, principal) {
            if name != principal {
                deltas.set(name, value);
            }
        }
        let mut tries = 0;
        loop {
            let saved = engine
                .patch_while(session, &deltas, |record| holds(record, old))
                .await;
            tries += 1;
            match saved {
                Saved::Done(stored) if holds(stored.record(), new) => return Outcome::Renewed,
                Saved::Done(_) => return Outcome::Found,
                Saved::Lost => return Outcome::Gone,
                Saved::Refused(_) => return Outcome::Failed("too-large"),
                // What the provider gave is nowhere else.
                Saved::Unavailable(_) if tries < STORE_TRIES => sleep(STORE_PAUSE).await,
                Saved::Unavailable(cause) => return Outcome::Unavailable(cause),
            }
        }
    }

    /// Ends the session, unless somebody has stored other tokens in it meanwhile.
    async fn end(&self, session: &Session, tokens: &TokenSet, reason: &'static str) -> Outcome {
        let engine = self.keeper.engine();
        match engine.load_for(session.id(), Claim::Held).wait().await {
            Loaded::Found(now) if !holds(now.record(), tokens) => return Outcome::Found,
            Loaded::Found(_) => {}
            Loaded::Absent => return Outcome::Gone,
            Loaded::Unavailable(cause) => return Outcome::Unavailable(cause),
        }
        match engine.revoke_for(session.id(), Cause::Tokens).await {
            Revoked::Done => Outcome::Ended(reason),
            Revoked::Absent => Outcome::Gone,
            Revoked::Unavailable(cause) => Outcome::Unavailable(cause),
        }
    }
}

impl From<Unavailable> for Outcome {
    fn from(cause: Unavailable) -> Self {
        Self::Unavailable(cause)
    }
}

/// What the provider says about the user, and will say again.
const fn is_final(error: &GrantError) -> bool {
    matches!(
        error,
        GrantError::Refused
            | GrantError::Answer(TokenError::Subject | TokenError::Issuer | TokenError::Audience)
    )
}

fn tokens_in(record: &Record) -> Option<TokenSet> {
    let value = record.attributes().value(TokenSet::ATTRIBUTE)?;
    TokenSet::from_value(value.to_value())
}

fn holds(record: &Record, tokens: &TokenSet) -> bool {
    tokens_in(record).is_some_and(|found| {
        (&found.access_token, &found.refresh_token) == (&tokens.access_token, &tokens.refresh_token)
    })
}

/// Extended at a third of it. Whoever dies keeps the others waiting for so long.
const LEASE: Duration = Duration::from_secs(5);
const FIRST_WAIT: Duration = Duration::from_millis(25);
const LONGEST_WAIT: Duration = Duration::from_millis(250);
/// Longer than a provider may take, and a dead holder before it.
const LONGEST_FLIGHT: Duration = Duration::from_secs(90);
const STORE_TRIES: u32 = 20;
const STORE_PAUSE: Duration = Duration::from_millis(250);
