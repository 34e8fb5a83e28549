//! What an operator says about a provider.

mod endpoint;
mod settings;

use std::collections::BTreeMap;

use abi::config::{ConfigDuration, ConfigPath, DurationOrNone, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

use self::endpoint::endpoint;
pub(super) use self::endpoint::parse as parse_url;
pub(super) use self::settings::{Endpoints, Settings};
use super::jwt::Algorithm;

/// The providers of one gateway, by the names that sessions and middlewares know them by.
pub type ProvidersConfig = BTreeMap<String, ProviderConfig>;

/// Somebody who gives out tokens: an OpenID Connect provider or an OAuth 2 authorization server.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ProviderConfig {
    /// Its name for itself, a URL: what `iss` in its tokens must be, to the letter. The endpoints that are not written
    /// here are looked up below it (`/.well-known/openid-configuration`) when they are first needed.
    pub issuer: String,
    /// Where browsers are sent to log in.
    pub auth_url: String,
    /// Where codes, passwords and refresh tokens become tokens.
    pub token_url: String,
    /// Where the keys are that its tokens are signed with (a JWK set, RFC 7517).
    pub cert_url: String,
    /// Where claims about a user are, for those whose tokens say little.
    pub userinfo_url: String,
    /// Where it says whether a token is good (RFC 7662): how tokens are checked that are no JWT.
    pub introspect_url: String,
    /// Where tokens are given back (RFC 7009).
    pub revocation_url: String,
    /// Where browsers are sent to log out.
    pub logout_url: String,
    /// The name under which this gateway is registered there.
    pub client_id: String,
    /// The secret that goes with it. None for a public client.
    pub client_secret: Secret,
    /// How the secret is shown. `client_secret_basic` where there is one.
    pub client_auth: Option<ClientAuth>,
    /// What is asked for at a login.
    pub scopes: Vec<String>,
    /// Whom access tokens may be for; one is enough. When empty, they must be for `clientId`.
    pub audience: Vec<String>,
    /// The signatures that are taken. All that need a private key when empty; never `none`, and none by a shared secret.
    pub algorithms: Vec<Algorithm>,
    /// How far the provider's clock may be off. `0` = not at all; at most 5m.
    pub leeway: DurationOrNone,
    /// Claim: session attribute. Dots lead into claims. The attribute that names the user comes from `sub` unless it is
    /// mapped.
    pub claims: BTreeMap<String, String>,
    /// Whether any certificate will do, in every call. Whoever is on the way can then forge tokens.
    pub insecure_skip_verify: bool,
    /// Certificates of those who sign for the provider, in PEM. The system's when empty.
    pub ca_file: ConfigPath,
    /// How long a call may take as a whole.
    pub timeout: ConfigDuration,
    /// How long an attempt to connect may take, TLS included.
    pub connect_timeout: ConfigDuration,
    /// How long an answer of `introspectUrl` counts, at most until the token's end. `0` = for one request.
    pub introspection_cache: DurationOrNone,
    /// What people read on the page where they choose.
    pub title: String,
    /// Where it stands there: lower comes first.
    pub priority: i64,
    /// Whether it does not stand there.
    pub hide: bool,
}

/// How a client shows who it is (OpenID Connect Core, section 9).
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// In the header `Authorization`.
    ClientSecretBasic,
    /// In the form.
    ClientSecretPost,
    /// Not at all: a public client.
    None,
}

impl Default for ProviderConfig {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            auth_url: String::new(),
            token_url: String::new(),
            cert_url: String::new(),
            userinfo_url: String::new(),
            introspect_url: String::new(),
            revocation_url: String::new(),
            logout_url: String::new(),
            client_id: String::new(),
            client_secret: Secret::new(""),
            client_auth: None,
            scopes: vec!["openid".to_owned()],
            audience: Vec::new(),
            algorithms: Vec::new(),
            leeway: DurationOrNone::of_secs(30),
            claims: BTreeMap::new(),
            insecure_skip_verify: false,
            ca_file: ConfigPath::new(""),
            timeout: ConfigDuration::of_secs(15),
            connect_timeout: ConfigDuration::of_secs(3),
            introspection_cache: DurationOrNone::of_secs(30),
            title: String::new(),
            priority: 0,
            hide: false,
        }
    }
}

#[cfg(test)]
mod tests;
