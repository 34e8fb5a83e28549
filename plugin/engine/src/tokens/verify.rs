//! Whether a token is good.

use std::sync::Arc;

use super::cache::Fingerprint;
use super::error::VerifyError;
use super::jwks::KeySet;
use super::jwt::{Claims, Expected, Jwt, Kind, TokenError};
use super::provider::Provider;

impl Provider {
    /// What an access token says, if it is good here and now. A JWT is checked against the provider's keys, any other
    /// token by asking the provider.
    ///
    /// # Errors
    /// What is wrong with it, or why it cannot be checked.
    pub async fn verify_access(self: &Arc<Self>, token: &str) -> Result<Arc<Claims>, VerifyError> {
        if !self.has_keys() || !Jwt::is_one(token) {
            return self.introspect(token).await;
        }
        let keys = self.keys().await?;
        let (fingerprint, now) = (Fingerprint::of(token), self.seconds());
        if let Some(claims) = self.verified.get(fingerprint, Some(&keys), now) {
            return Ok(claims);
        }
        let (claims, keys) = self.verify(token, Kind::Access, keys).await?;
        let claims = Arc::new(claims);
        let until = claims.expires_at().unwrap_or_default();
        let until = until.saturating_add(self.settings.leeway.as_secs());
        self.verified.put(
            fingerprint,
            (Some(&keys), now),
            (Arc::clone(&claims), until),
        );
        Ok(claims)
    }

    /// What an id token says about who logged in, with the nonce of that login if it had one.
    ///
    /// # Errors
    /// What is wrong with it, or why it cannot be checked.
    pub async fn verify_id(
        self: &Arc<Self>,
        token: &str,
        nonce: Option<&str>,
    ) -> Result<Claims, VerifyError> {
        let keys = self.keys().await?;
        Ok(self.verify(token, Kind::Id(nonce), keys).await?.0)
    }

    /// What a logout token says about who logged out (OpenID Connect Back-Channel Logout, section 2.6), replays apart.
    ///
    /// # Errors
    /// What is wrong with it, or why it cannot be checked.
    pub async fn verify_logout(self: &Arc<Self>, token: &str) -> Result<Claims, VerifyError> {
        let keys = self.keys().await?;
        Ok(self.verify(token, Kind::Logout, keys).await?.0)
    }

    async fn verify(
        self: &Arc<Self>,
        token: &str,
        kind: Kind<'_>,
        keys: Arc<KeySet>,
    ) -> Result<(Claims, Arc<KeySet>), VerifyError> {
        let token = Jwt::parse(token)?;
        if !self.settings.algorithms.contains(&token.algorithm()) {
            return Err(TokenError::Algorithm.into());
        }
        let expected = Expected {
            kind,
            issuer: &self.settings.issuer,
            client: &self.config().client_id,
            audience: &self.config().audience,
            leeway: self.settings.leeway,
            now: self.seconds(),
        };
        match against(&token, &keys, &expected) {
            Err(error) if may_be_of_a_new_key(&token, error) => {
                let newer = self.newer_keys(&keys).await.ok_or(error)??;
                Ok((against(&token, &newer, &expected)?, newer))
            }
            verified => Ok((verified?, keys)),
        }
    }
}

/// A token that names no key says in no other way that its key is new.
fn may_be_of_a_new_key(token: &Jwt<'_>, error: TokenError) -> bool {
    match error {
        TokenError::UnknownKey => true,
        TokenError::Signature | TokenError::KeyKind => token.key_id().is_none(),
        _ => false,
    }
}

/// The first of the keys that fit which has signed it.
fn against(token: &Jwt<'_>, keys: &KeySet, expected: &Expected<'_>) -> Result<Claims, TokenError> {
    let mut refusal = TokenError::UnknownKey;
    for key in keys.fitting(token)? {
        match token.verify(key, expected) {
            Err(TokenError::Signature) => refusal = TokenError::Signature,
            verified => return verified,
        }
    }
    Err(refusal)
}
