//! Getting tokens, and giving them back.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::config::ClientAuth;
use super::error::{GrantError, Outage};
use super::http::Call;
use super::jwt::{Claims, Jwt, TokenError};
use super::provider::Provider;
use super::response::TokenResponse;
use super::token_set::TokenSet;

/// What a code is exchanged with (RFC 6749, section 4.1.3; RFC 7636, section 4.5).
#[derive(Clone, Copy)]
pub struct Code<'a> {
    /// The code that the browser brought.
    pub code: &'a str,
    /// Where it brought it, exactly as it was said when it was asked for.
    pub redirect_uri: &'a str,
    /// The secret behind the challenge that it was asked for with.
    pub verifier: &'a str,
}

impl Provider {
    /// The tokens of a user who has logged in with the provider.
    ///
    /// # Errors
    /// [`GrantError::Refused`] when the code is not good, or was used.
    pub async fn exchange_code(
        self: &Arc<Self>,
        code: Code<'_>,
    ) -> Result<TokenResponse, GrantError> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.code),
            ("redirect_uri", code.redirect_uri),
            ("code_verifier", code.verifier),
        ];
        self.grant(&form, "code").await
    }

    /// The tokens of a user whose password we were told (RFC 6749, section 4.3).
    ///
    /// # Errors
    /// [`GrantError::Refused`] when the password is wrong.
    pub async fn password_grant(
        self: &Arc<Self>,
        username: &str,
        password: &str,
    ) -> Result<TokenResponse, GrantError> {
        let scope = self.config().scopes.join(" ");
        let form = [
            ("grant_type", "password"),
            ("username", username),
            ("password", password),
            ("scope", &scope),
        ];
        self.grant(&form, "password").await
    }

    /// The next tokens of a session (RFC 6749, section 6). They are about the same user, or nobody's.
    ///
    /// # Errors
    /// [`GrantError::Refused`] when the refresh token is not good, or not any more; [`TokenError::Subject`] when the
    /// answer is about somebody else.
    pub async fn refresh(self: &Arc<Self>, tokens: TokenSet) -> Result<TokenSet, GrantError> {
        let Some(refresh_token) = tokens.refresh_token.as_deref() else {
            return Err(GrantError::Refused);
        };
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ];
        let response = self.grant(&form, "refresh").await?;
        self.check_same_user(&tokens, &response)?;
        let now = self.seconds();
        Ok(tokens.refreshed(response, now))
    }

    /// Gives the tokens of a session back (RFC 7009), so that nobody goes on with them. Nothing happens where the
    /// provider has no place for that.
    ///
    /// # Errors
    /// When the provider did not take one: it ends by itself, later.
    pub async fn revoke(self: &Arc<Self>, tokens: &TokenSet) -> Result<(), Outage> {
        let Some(url) = self.endpoint(|all| &all.revocation).await? else {
            return Ok(());
        };
        // With its refresh token, a provider ends all of a login.
        let refresh = tokens
            .refresh_token
            .as_deref()
            .map(|token| (token, "refresh_token"));
        let (token, hint) = refresh.unwrap_or((&tokens.access_token, "access_token"));
        let form = [("token", token), ("token_type_hint", hint)];
        let answer = self
            .call(self.authenticated(&url, &form), "revocation")
            .await?;
        match answer.status {
            StatusCode::OK => Ok(()),
            _ => {
                let outage = Outage::status(&answer);
                self.journal.failed("revocation", &outage);
                Err(outage)
            }
        }
    }

    /// More about the user of an access token (OpenID Connect Core, section 5.3): an object about the same subject, or
    /// an error. None where the provider has no place for that.
    ///
    /// # Errors
    /// When the provider does not answer, or about somebody else.
    pub async fn userinfo(
        self: &Arc<Self>,
        access_token: &str,
        subject: &str,
    ) -> Result<Option<Claims>, GrantError> {
        let Some(url) = self.endpoint(|all| &all.userinfo).await? else {
            return Ok(None);
        };
        let call = Call {
            url: &url,
            form: None,
            authorization: Some(format!("Bearer {access_token}")),
        };
        let answer = self.call(call, "userinfo").await?;
        if answer.status != StatusCode::OK {
            return Err(Outage::status(&answer).into());
        }
        let claims = Claims::parse(&answer.body)?;
        match claims.subject() == Some(subject) {
            true => Ok(Some(claims)),
            false => Err(TokenError::Subject.into()),
        }
    }

    async fn grant(
        self: &Arc<Self>,
        form: &[(&str, &str)],
        what: &'static str,
    ) -> Result<TokenResponse, GrantError> {
        let url = self.required(|all| &all.token, "tokenUrl").await?;
        let answer = self.call(self.authenticated(&url, form), what).await?;
        TokenResponse::of(&answer)
    }

    /// A form that is posted in the client's name (RFC 6749, section 2.3.1).
    pub(super) fn authenticated<'a>(&self, url: &'a Url, pairs: &[(&str, &str)]) -> Call<'a> {
        let mut form = Serializer::new(String::new());
        form.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
        let config = self.config();
        let (id, secret) = (&config.client_id, config.client_secret.reveal());
        let mut authorization = None;
        match self.settings.client_auth {
            ClientAuth::ClientSecretBasic => {
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", encoded(id), encoded(secret));
                authorization = Some(format!("Basic {}", STANDARD.encode(pair)));
            }
            ClientAuth::ClientSecretPost => {
                form.append_pair("client_id", id);
                form.append_pair("client_secret", secret);
            }
            ClientAuth::None => {
                form.append_pair("client_id", id);
            }
        }
        Call {
            url,
            form: Some(form.finish()),
            authorization,
        }
    }

    /// OpenID Connect Core, section 12.2. The answer came from the provider itself, over its own connection, so its
    /// signature says nothing more (section 3.1.3.7).
    fn check_same_user(
        &self,
        before: &TokenSet,
        response: &TokenResponse,
    ) -> Result<(), GrantError> {
        let said = |token: Option<&str>| Some(Jwt::parse(token?).map(Jwt::unverified));
        let Some(new) = said(response.id_token()) else {
            return Ok(());
        };
        let new = new?;
        if !self.issuer().is_empty() && new.text("iss") != Some(self.issuer()) {
            return Err(TokenError::Issuer.into());
        }
        if !new.names("aud", &self.config().client_id) {
            return Err(TokenError::Audience.into());
        }
        match said(before.id_token.as_deref()) {
            Some(Ok(old)) if old.subject() != new.subject() => Err(TokenError::Subject.into()),
            _ => Ok(()),
        }
    }
}
