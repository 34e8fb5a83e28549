//! OpenID Connect Back-Channel Logout: the provider itself says, server to server, that somebody has logged out.
//!
//! The token in the request is all that is believed, and it is checked like any other: signature, issuer, audience,
//! times, the one event, no nonce. It counts once. What it names ends in the storage, so on every gateway.

use std::time::Duration;

use abi::storage::Unavailable;
use abi::{Exchange, Failure, HeaderName};
use tracing::{info, warn};

use super::no_keeper;
use crate::actions::answers::Answers;
use crate::actions::form::{Fields, Form};
use crate::actions::links::{self, Logout};
use crate::engine::Engine;
use crate::middlewares::Keepers;
use crate::session::Timestamp;
use crate::tokens::{Claims, Providers, VerifyError};

/// What comes of a logout token.
#[derive(Debug, Eq, PartialEq)]
enum Verdict {
    Done(u64),
    /// It is not good, or not any more.
    Refused(&'static str),
    /// Nobody can say now: the provider may ask again.
    Unavailable(&'static str),
}

/// Answers a provider.
pub(super) async fn answer(
    mut exchange: Exchange<'_>,
    content_type: HeaderName,
    (providers, keepers): (&Providers, &Keepers),
    answers: &Answers,
) -> Result<(), Failure> {
    if exchange.method() != "POST" {
        return answers.not_allowed(&mut exchange, "POST");
    }
    let keeper = exchange.session().and_then(|session| keepers.of(session));
    let keeper = keeper.ok_or_else(no_keeper)?;
    let is_form = Form::of(&exchange, content_type) == Some(Form::Html);
    let body = exchange.read_body(BODY_LIMIT).wait().await?;
    let fields = Fields::parse(&body);
    let token = fields.the_only("logout_token").flatten();
    let verdict = match token.filter(|_| is_form) {
        Some(token) => judge(token, providers, keeper.engine()).await,
        None => Verdict::Refused("no-token"),
    };
    match verdict {
        Verdict::Done(ended) => {
            info!(target: TARGET, event = "provider-logout", ended, "session");
            answers.empty(&mut exchange, 200)
        }
        Verdict::Refused(reason) => {
            warn!(target: TARGET, event = "provider-logout-refused", reason, "session");
            answers.error(&mut exchange, 400, "invalid_request")
        }
        Verdict::Unavailable(reason) => {
            warn!(target: TARGET, event = "provider-logout-failed", reason, "session");
            answers.empty(&mut exchange, 503)?;
            answers.retry_after(&mut exchange, Duration::from_secs(1))
        }
    }
}

async fn judge(token: &str, providers: &Providers, engine: &Engine) -> Verdict {
    let mut verdict = Verdict::Refused("issuer");
    // One issuer may stand behind several providers, each with a client of its own.
    for provider in providers.issuers_of(token) {
        verdict = match provider.verify_logout(token).await {
            Ok(claims) => return obey(provider.name(), &claims, engine).await,
            Err(error @ VerifyError::Refused(_)) => Verdict::Refused(error.reason()),
            Err(error @ VerifyError::Unavailable(_)) => {
                return Verdict::Unavailable(error.reason());
            }
        };
    }
    verdict
}

async fn obey(provider: &str, claims: &Claims, engine: &Engine) -> Verdict {
    let Some(mark) = links::of_token(provider, claims) else {
        return Verdict::Refused("missing-claim");
    };
    let Some(keep) = kept(claims, engine.now()) else {
        return Verdict::Refused("lifetime");
    };
    match end(&mark, keep, &Logout::of(provider, claims), engine).await {
        Ok(Some(ended)) => Verdict::Done(ended),
        Ok(None) => Verdict::Refused("replayed"),
        Err(_) => Verdict::Unavailable("storage-unavailable"),
    }
}

/// Ends what a token means, and says how many sessions that were; none when the token was used before. A token is
/// marked when all is done: if the storage goes away in between, the provider comes again with the same one.
async fn end(
    mark: &str,
    keep: Duration,
    logouts: &[Logout],
    engine: &Engine,
) -> Result<Option<u64>, Unavailable> {
    if engine.is_marked(mark).await? {
        return Ok(None);
    }
    let mut ended = 0;
    for logout in logouts {
        ended += logout.end(engine).await?;
    }
    engine.mark(mark, keep).await?;
    Ok(Some(ended))
}

/// How long a token has to be remembered: longer than it is good for. None for one that is good for so long that nobody
/// would remember it.
fn kept(claims: &Claims, now: Timestamp) -> Option<Duration> {
    let left = claims.expires_at()?.saturating_sub(now.as_millis() / 1000);
    let left = Duration::from_secs(left);
    (left <= LONGEST).then(|| left + LEEWAY)
}

const BODY_LIMIT: u64 = 64 * 1024;
/// Of a logout token. Providers give them two minutes.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// More than any `leeway` of a provider.
const LEEWAY: Duration = Duration::from_secs(60 * 60);
const TARGET: &str = "session";

#[cfg(test)]
mod tests;
