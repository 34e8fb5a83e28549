//! What the provider of a login is told when it ends.

use std::sync::Arc;
use std::time::Duration;

use abi::Session;
use tracing::{info, warn};
use url::Url;

use crate::return_target::ReturnTarget;
use crate::runtime::Runtime;
use crate::tokens::{Provider, Providers, TokenSet};

/// The tokens of a login that is about to end, and who gave them out.
pub(super) struct Farewell {
    provider: Arc<Provider>,
    tokens: TokenSet,
}

impl Farewell {
    /// Of a session that has tokens of a provider we know.
    pub(super) fn of(session: &Session, providers: &Providers) -> Option<Self> {
        let tokens = TokenSet::of(session)?;
        let provider = match tokens.provider.as_str() {
            "" => providers.issuer_of(tokens.id_token.as_deref()?)?,
            name => providers.get(name)?,
        };
        Some(Self {
            provider: Arc::clone(provider),
            tokens,
        })
    }

    /// Gives the tokens back (RFC 7009). Nobody waits for it: a provider that is away does not hold up a logout. It is
    /// tried again for a while.
    pub(super) fn give_back(&self, runtime: &Runtime) {
        let (provider, tokens) = (Arc::clone(&self.provider), self.tokens.clone());
        let work = async move {
            for pause in PAUSES {
                tokio::time::sleep(pause).await;
                match provider.revoke(&tokens).await {
                    Ok(()) => return,
                    Err(outage) => {
                        let (name, reason) = (provider.name(), outage.reason());
                        info!(target: TARGET, provider = name, reason, "tokens could not be given back");
                    }
                }
            }
            let provider = provider.name();
            warn!(target: TARGET, provider, "tokens of a login that is over go on until their end");
        };
        if let Err(error) = runtime.launch(work) {
            warn!(target: TARGET, %error, "tokens cannot be given back");
        }
    }

    /// Where the browser is to go so that the login at the provider ends as well (OpenID Connect RP-Initiated Logout,
    /// section 2), and from there back to `back`, with `target` as the state. None where the provider has no such place,
    /// or does not say.
    pub(super) async fn url(&self, back: &str, target: &ReturnTarget) -> Option<Url> {
        let mut url = match self.provider.logout_url().await {
            Ok(url) => url?,
            Err(outage) => {
                let (provider, reason) = (self.provider.name(), outage.reason());
                warn!(target: TARGET, provider, reason, "the login at the provider goes on");
                return None;
            }
        };
        {
            let mut query = url.query_pairs_mut();
            if let Some(id_token) = &self.tokens.id_token {
                query.append_pair("id_token_hint", id_token);
            }
            query
                .append_pair("client_id", &self.provider.config().client_id)
                .append_pair("post_logout_redirect_uri", back)
                .append_pair("state", target.as_str());
        }
        Some(url)
    }
}

/// Before each attempt.
const PAUSES: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
];
const TARGET: &str = "session";
