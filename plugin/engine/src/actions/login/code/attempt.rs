//! One attempt to log in with a provider: what has to be known again when the browser comes back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::identity::Stay;
use crate::session::{RandomError, Timestamp, random_bytes};

/// Kept by the browser in a sealed cookie, one for each attempt: logins in several tabs do not disturb each other, and
/// only the browser that began an attempt ends it.
#[derive(Deserialize, Serialize)]
pub(super) struct Attempt {
    pub(super) provider: String,
    /// What the provider sends back, to say which attempt this is (RFC 6749, section 10.12).
    pub(super) state: String,
    /// What the id token has in it, so that none of another login is taken (OpenID Connect Core, section 15.5.2).
    pub(super) nonce: String,
    /// The secret behind the challenge (RFC 7636).
    pub(super) verifier: String,
    pub(super) redirect_uri: String,
    pub(super) return_to: Option<String>,
    #[serde(rename = "remember_me")]
    pub(super) stay: Stay,
    pub(super) began: Timestamp,
}

impl Attempt {
    /// Begins one.
    ///
    /// # Errors
    /// When the operating system has no random bytes.
    pub(super) fn begin(
        provider: &str,
        redirect_uri: String,
        now: Timestamp,
    ) -> Result<Self, RandomError> {
        Ok(Self {
            provider: provider.to_owned(),
            state: secret()?,
            nonce: secret()?,
            verifier: secret()?,
            redirect_uri,
            return_to: None,
            stay: Stay::Usual,
            began: now,
        })
    }

    /// What the provider is told of the verifier: method `S256`.
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.verifier))
    }
}

/// 256 bits, in letters that need no escape anywhere.
fn secret() -> Result<String, RandomError> {
    random_bytes::<32>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenge_is_that_of_the_standard() {
        let mut attempt = Attempt::begin("p", String::new(), Timestamp::default()).unwrap();
        // RFC 7636, appendix B.
        attempt.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();

        assert_eq!(
            attempt.challenge(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn no_two_attempts_share_anything() {
        let [one, two] =
            [(); 2].map(|()| Attempt::begin("p", String::new(), Timestamp::default()).unwrap());

        let secrets = [
            &one.state,
            &one.nonce,
            &one.verifier,
            &two.state,
            &two.nonce,
            &two.verifier,
        ];
        for (place, secret) in secrets.iter().enumerate() {
            assert_eq!(secret.len(), 43);
            assert!(!secrets[..place].contains(secret));
        }
    }
}
