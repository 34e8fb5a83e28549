//! Asking the provider about a token (RFC 7662).

use std::sync::Arc;

use hyper::StatusCode;

use super::cache::Fingerprint;
use super::error::{Outage, VerifyError};
use super::jwt::{Claims, TokenError};
use super::provider::Provider;

impl Provider {
    /// What the provider says about a token, if it is good.
    ///
    /// # Errors
    /// When it is not, or the provider does not say.
    pub(super) async fn introspect(
        self: &Arc<Self>,
        token: &str,
    ) -> Result<Arc<Claims>, VerifyError> {
        let url = self.endpoint(|all| &all.introspect).await?;
        let url = url.ok_or(TokenError::Opaque)?;
        let (fingerprint, now) = (Fingerprint::of(token), self.seconds());
        if let Some(claims) = self.introspected.get(fingerprint, None, now) {
            return Ok(claims);
        }
        let form = [("token", token), ("token_type_hint", "access_token")];
        let call = self.authenticated(&url, &form);
        let answer = self.call(call, "introspection").await?;
        if answer.status != StatusCode::OK {
            let outage = Outage::status(&answer);
            self.journal.failed("introspection", &outage);
            return Err(outage.into());
        }
        let claims = Claims::parse(&answer.body)
            .map_err(|_| Outage::new("introspection", "its answer is no JSON object"))?;
        self.check_introspected(&claims, now)?;
        let claims = Arc::new(claims);
        let until = now.saturating_add(self.settings.introspection_cache.as_secs());
        let until = until.min(claims.expires_at().unwrap_or(u64::MAX));
        self.introspected
            .put(fingerprint, (None, now), (Arc::clone(&claims), until));
        Ok(claims)
    }

    /// The provider answers about whatever it has issued, also to others. What it says about that counts.
    fn check_introspected(&self, claims: &Claims, now: u64) -> Result<(), TokenError> {
        if claims.as_map().get("active") != Some(&true.into()) {
            return Err(TokenError::Inactive);
        }
        // Of a refresh token, too, it says that it is active.
        if !claims.do_for_access() {
            return Err(TokenError::Kind);
        }
        let issuer = claims.text("iss");
        if issuer.is_some_and(|issuer| !self.issuer().is_empty() && issuer != self.issuer()) {
            return Err(TokenError::Issuer);
        }
        let (audience, client) = (&self.config().audience, &self.config().client_id);
        let says_whom_for = ["aud", "client_id", "azp"]
            .iter()
            .any(|claim| claims.get(claim).is_some());
        let is_for_us = match audience.as_slice() {
            [] => {
                !says_whom_for
                    || claims.names("aud", client)
                    || ["client_id", "azp"]
                        .iter()
                        .any(|claim| claims.text(claim) == Some(client))
            }
            wanted => wanted.iter().any(|wanted| claims.names("aud", wanted)),
        };
        if !is_for_us {
            return Err(TokenError::Audience);
        }
        match claims.date("exp")? {
            Some(end) if end.saturating_add(self.settings.leeway.as_secs()) <= now => {
                Err(TokenError::Expired)
            }
            _ => Ok(()),
        }
    }
}
