//! What `RequireSessionMiddleware` is told.

use abi::config::{ConfigDuration, Fault, Faults, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

use super::login::LoginPlace;
use crate::tokens::ProviderConfig;
use crate::{ReturnOrigin, ReturnOrigins};

/// Who may pass, and where the others are sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct RequireSessionConfig {
    /// Where browsers are sent that have to log in: a path of this site, or the URL of a page elsewhere.
    pub login_path: String,
    /// The query parameter in which that page finds where they came from.
    pub return_parameter: String,
    /// Origins, such as `https://app.example.com` or `https://*.example.com`, that a login page on another host is told
    /// of as the place to come back to.
    pub allowed_return_origins: Vec<String>,
    /// What scripts and API clients are answered that have to log in: 401 or 407.
    #[schemars(extend("enum" = [401, 407]))]
    pub unauthenticated_status: u16,
    /// What the tokens of a session must be. When absent, it need only belong to somebody.
    pub token: Option<TokenConfig>,
}

/// Whose tokens count, and when they are renewed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct TokenConfig {
    /// One of the plugin's `providers`. Any of them when empty.
    pub provider: String,
    /// Whether tokens are left to end.
    pub disable_refresh: bool,
    /// Whether any certificate of the provider in `oauth2` will do, in every call.
    pub insecure_skip_verify: bool,
    /// How long before its end a token is renewed.
    pub refresh_before: ConfigDuration,
    /// Whether `Authorization: Bearer` in a request does in place of a session.
    pub bearer: bool,
    /// A provider in place, for this middleware alone.
    pub oauth2: Option<Oauth2Config>,
}

/// A provider, in the words of the original.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Oauth2Config {
    /// Where refresh tokens become tokens.
    pub token_url: String,
    /// Where the keys are.
    pub cert_url: String,
    /// The name under which this gateway is registered there.
    pub client_id: String,
    /// The secret that goes with it.
    pub client_secret: Secret,
    /// What `iss` must be. What is not named here is looked up there.
    pub issuer: String,
    /// Whom access tokens may be for. When empty, for `clientId`.
    pub audience: Vec<String>,
}

impl Default for RequireSessionConfig {
    fn default() -> Self {
        Self {
            login_path: "/login/".to_owned(),
            return_parameter: "redirect_path".to_owned(),
            allowed_return_origins: Vec::new(),
            unauthenticated_status: 401,
            token: None,
        }
    }
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self {
            provider: String::new(),
            disable_refresh: false,
            insecure_skip_verify: false,
            refresh_before: ConfigDuration::of_secs(10),
            bearer: true,
            oauth2: None,
        }
    }
}

impl Default for Oauth2Config {
    fn default() -> Self {
        Self {
            token_url: String::new(),
            cert_url: String::new(),
            client_id: String::new(),
            client_secret: Secret::new(""),
            issuer: String::new(),
            audience: Vec::new(),
        }
    }
}

impl RequireSessionConfig {
    pub(super) fn login(&self) -> Result<LoginPlace, Faults> {
        let mut faults = Faults::default();
        let origins = self.origins(&mut faults);
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if self.return_parameter.is_empty() || !self.return_parameter.bytes().all(is_word) {
            let found = &self.return_parameter;
            faults.push(
                "returnParameter",
                format!("`{found}`: expected letters, digits, `_`, `-` or `.`"),
            );
        }
        if !matches!(self.unauthenticated_status, 401 | 407) {
            let found = self.unauthenticated_status;
            faults.push(
                "unauthenticatedStatus",
                format!("`{found}`: expected 401 or 407"),
            );
        }
        let place = LoginPlace::new(&self.login_path, &self.return_parameter, origins);
        let place = place.map_err(|problem| Fault::new("loginPath", problem));
        let place = faults.absorb(place.map_err(|fault| Faults::from_iter([fault])));
        match place {
            Some(place) => faults.or(place),
            None => Err(faults),
        }
    }

    fn origins(&self, faults: &mut Faults) -> ReturnOrigins {
        let texts = self.allowed_return_origins.iter().enumerate();
        texts
            .filter_map(|(index, text)| {
                let origin: Result<ReturnOrigin, _> = text.parse();
                origin
                    .map_err(|error| {
                        faults.push(format!("allowedReturnOrigins[{index}]"), error.to_string());
                    })
                    .ok()
            })
            .collect()
    }
}

impl TokenConfig {
    /// What must hold between the keys, each of which is right by itself.
    pub(super) fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        if !self.provider.is_empty() && self.oauth2.is_some() {
            faults.push("oauth2", "does nothing with a provider; drop one of them");
        }
        if self.insecure_skip_verify && self.oauth2.is_none() {
            faults.push(
                "insecureSkipVerify",
                "belongs to oauth2; a provider has a key of that name itself",
            );
        }
        faults.or(())
    }

    /// The provider in place.
    pub(super) fn inline(&self) -> Option<ProviderConfig> {
        let oauth2 = self.oauth2.clone()?;
        Some(ProviderConfig {
            issuer: oauth2.issuer,
            token_url: oauth2.token_url,
            cert_url: oauth2.cert_url,
            client_id: oauth2.client_id,
            client_secret: oauth2.client_secret,
            audience: oauth2.audience,
            insecure_skip_verify: self.insecure_skip_verify,
            ..ProviderConfig::default()
        })
    }
}
