//! What a token must be, besides signed.

use std::time::Duration;

use super::header::Header;
use super::{Claims, TokenError};

/// What is expected of a token.
pub(in crate::tokens) struct Expected<'a> {
    pub(in crate::tokens) kind: Kind<'a>,
    /// Empty where nobody knows it.
    pub(in crate::tokens) issuer: &'a str,
    pub(in crate::tokens) client: &'a str,
    /// Whom an access token may be for. When empty, for the client.
    pub(in crate::tokens) audience: &'a [String],
    pub(in crate::tokens) leeway: Duration,
    /// In seconds since 1970.
    pub(in crate::tokens) now: u64,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(in crate::tokens) enum Kind<'a> {
    /// To be shown to whoever it is for (RFC 9068, and what came before it).
    Access,
    /// To tell the client who has logged in (OpenID Connect Core, section 2), with the nonce of the login.
    Id(Option<&'a str>),
    /// To tell the client who has logged out (OpenID Connect Back-Channel Logout, section 2.4).
    Logout,
}

impl Expected<'_> {
    pub(super) fn check(&self, header: &Header, claims: &Claims) -> Result<(), TokenError> {
        if !self.issuer.is_empty() && claims.text("iss") != Some(self.issuer) {
            return Err(TokenError::Issuer);
        }
        match self.kind {
            Kind::Access => self.check_access(header, claims)?,
            Kind::Id(nonce) => self.check_id(claims, nonce)?,
            Kind::Logout => self.check_logout(header, claims)?,
        }
        self.check_times(claims)
    }

    /// A token with which somebody else proves who logged in says nothing about what its bearer may do here, even
    /// though it is signed with the same key.
    fn check_access(&self, header: &Header, claims: &Claims) -> Result<(), TokenError> {
        let is_other = match header.typ.as_deref() {
            None | Some("jwt" | "at+jwt") => false,
            Some(_) => true,
        };
        // Some providers repeat the nonce of the login in access tokens, too.
        let tells_of_access = header.typ.as_deref() == Some("at+jwt") || claims.tell_of_access();
        let is_of_login = claims.get("nonce").is_some() && !tells_of_access;
        if is_other || is_of_login || !claims.do_for_access() {
            return Err(TokenError::Kind);
        }
        let is_for_us = match self.audience {
            [] => self.is_for_client(claims),
            wanted => wanted.iter().any(|wanted| claims.names("aud", wanted)),
        };
        if is_for_us {
            Ok(())
        } else {
            Err(TokenError::Audience)
        }
    }

    /// For the client, or given to it: that is all there is in the tokens of providers whose access tokens are for
    /// themselves.
    fn is_for_client(&self, claims: &Claims) -> bool {
        claims.names("aud", self.client)
            || ["azp", "client_id", "cid"]
                .iter()
                .any(|claim| claims.text(claim) == Some(self.client))
    }

    fn check_id(&self, claims: &Claims, nonce: Option<&str>) -> Result<(), TokenError> {
        if claims.get("events").is_some() {
            return Err(TokenError::Kind);
        }
        self.check_client(claims)?;
        if claims.subject().is_none() {
            return Err(TokenError::Missing("sub"));
        }
        match nonce {
            Some(nonce) if claims.text("nonce") != Some(nonce) => Err(TokenError::Nonce),
            _ => Ok(()),
        }
    }

    fn check_logout(&self, header: &Header, claims: &Claims) -> Result<(), TokenError> {
        let is_typed = matches!(header.typ.as_deref(), None | Some("jwt" | "logout+jwt"));
        let event = claims
            .as_map()
            .get("events")
            .and_then(|events| events.get(LOGOUT));
        if !is_typed
            || !event.is_some_and(serde_json::Value::is_object)
            || claims.as_map().contains_key("nonce")
        {
            return Err(TokenError::Kind);
        }
        self.check_client(claims)?;
        for claim in ["jti", "iat"] {
            if claims.get(claim).is_none() {
                return Err(TokenError::Missing(claim));
            }
        }
        if claims.subject().is_none() && claims.text("sid").is_none() {
            return Err(TokenError::Missing("sub"));
        }
        Ok(())
    }

    /// OpenID Connect Core, section 3.1.3.7: for this client, and if it is for others too, given to this one.
    fn check_client(&self, claims: &Claims) -> Result<(), TokenError> {
        let azp = claims.text("azp");
        let is_given = match azp {
            Some(azp) => azp == self.client,
            None => claims.count("aud") == 1,
        };
        if claims.names("aud", self.client) && is_given {
            Ok(())
        } else {
            Err(TokenError::Audience)
        }
    }

    fn check_times(&self, claims: &Claims) -> Result<(), TokenError> {
        let leeway = self.leeway.as_secs();
        // A token without an end would be good for ever.
        let expires = claims.date("exp")?.ok_or(TokenError::Missing("exp"))?;
        if expires.saturating_add(leeway) <= self.now {
            return Err(TokenError::Expired);
        }
        for claim in ["nbf", "iat"] {
            let begins = claims.date(claim)?.unwrap_or_default();
            if begins > self.now.saturating_add(leeway) {
                return Err(TokenError::NotYet);
            }
        }
        Ok(())
    }
}

const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";
