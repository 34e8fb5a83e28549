//! A provider as it is meant: parsed, and free of contradictions.

use std::sync::Arc;
use std::time::Duration;

use abi::config::Faults;
use tokio_rustls::rustls::{ClientConfig, version};
use tracing::warn;
use url::Url;

use super::{ClientAuth, ProviderConfig, endpoint};
use crate::tokens::TokenSet;
use crate::tokens::http::Limits;
use crate::tokens::jwt::Algorithm;
use crate::trust::Trust;

/// What a provider is worked with by.
#[derive(Debug)]
pub(in crate::tokens) struct Settings {
    /// Empty where nobody knows it: then `iss` is not looked at.
    pub(in crate::tokens) issuer: String,
    /// Where the rest of the endpoints is written down, when there is an issuer.
    pub(in crate::tokens) discovery: Option<Url>,
    pub(in crate::tokens) endpoints: Endpoints,
    pub(in crate::tokens) client_auth: ClientAuth,
    pub(in crate::tokens) algorithms: Box<[Algorithm]>,
    pub(in crate::tokens) leeway: Duration,
    pub(in crate::tokens) limits: Limits,
    pub(in crate::tokens) introspection_cache: Duration,
    /// None where nothing is behind TLS.
    pub(in crate::tokens) tls: Option<Arc<ClientConfig>>,
}

/// Where things are, as far as it is known.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(in crate::tokens) struct Endpoints {
    pub(in crate::tokens) auth: Option<Url>,
    pub(in crate::tokens) token: Option<Url>,
    pub(in crate::tokens) cert: Option<Url>,
    pub(in crate::tokens) userinfo: Option<Url>,
    pub(in crate::tokens) introspect: Option<Url>,
    pub(in crate::tokens) revocation: Option<Url>,
    pub(in crate::tokens) logout: Option<Url>,
    /// Whether browsers come back from `auth` with the name of the issuer (RFC 9207).
    pub(in crate::tokens) names_issuer: bool,
}

impl ProviderConfig {
    /// Parses what is text and holds each key against the others.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub(in crate::tokens) fn settle(&self, name: &str) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        let issuer = endpoint("issuer", &self.issuer, &mut faults);
        let endpoints = self.endpoints(&mut faults);
        self.check(&mut faults);
        let urls = [issuer.as_ref()]
            .into_iter()
            .chain(endpoints.all())
            .flatten();
        let tls = match self.warn_of_clear_text(name, urls) {
            true => self.tls().map(Some),
            false => self.no_tls().map(|()| None),
        };
        let tls = faults.absorb(tls).flatten();
        let settings = Settings {
            issuer: self.issuer.clone(),
            discovery: issuer.as_ref().map(discovery),
            endpoints,
            client_auth: self.client_auth(),
            algorithms: match self.algorithms.is_empty() {
                true => Algorithm::ALL.into(),
                false => self.algorithms.clone().into(),
            },
            leeway: self.leeway.get().unwrap_or_default(),
            limits: Limits {
                connect: self.connect_timeout.get(),
                call: self.timeout.get(),
            },
            introspection_cache: self.introspection_cache.get().unwrap_or_default(),
            tls,
        };
        faults.or(settings)
    }

    fn endpoints(&self, faults: &mut Faults) -> Endpoints {
        Endpoints {
            auth: endpoint("authUrl", &self.auth_url, faults),
            token: endpoint("tokenUrl", &self.token_url, faults),
            cert: endpoint("certUrl", &self.cert_url, faults),
            userinfo: endpoint("userinfoUrl", &self.userinfo_url, faults),
            introspect: endpoint("introspectUrl", &self.introspect_url, faults),
            revocation: endpoint("revocationUrl", &self.revocation_url, faults),
            logout: endpoint("logoutUrl", &self.logout_url, faults),
            names_issuer: false,
        }
    }

    fn check(&self, faults: &mut Faults) {
        let verifiers = [&self.issuer, &self.cert_url, &self.introspect_url];
        if verifiers.iter().all(|url| url.is_empty()) {
            faults.push(
                "issuer",
                "is missing; or name certUrl or introspectUrl, or no token could be checked",
            );
        }
        if self.client_id.is_empty() {
            faults.push(
                "clientId",
                "is missing: the name under which this gateway is registered there",
            );
        }
        self.check_authentication(faults);
        if self.leeway.get() > Some(LONGEST_LEEWAY) {
            faults.push(
                "leeway",
                format!("`{}` is too much for a clock; at most 5m", self.leeway),
            );
        }
        if self.connect_timeout > self.timeout {
            faults.push(
                "connectTimeout",
                format!(
                    "`{}` is longer than timeout (`{}`)",
                    self.connect_timeout, self.timeout
                ),
            );
        }
        for (claim, attribute) in &self.claims {
            let key = format!("claims.{claim}");
            match &**attribute {
                _ if claim.is_empty() => faults.push("claims", "a claim without a name"),
                "" => faults.push(
                    key,
                    "expected the name of a session attribute, found nothing",
                ),
                TokenSet::ATTRIBUTE => faults.push(
                    key,
                    "`token` is where the tokens are; expected another attribute",
                ),
                _ => {}
            }
        }
        for (index, scope) in self.scopes.iter().enumerate() {
            if scope.is_empty() || !scope.bytes().all(is_scope) {
                faults.push(format!("scopes[{index}]"), format!("`{scope}` is no scope: visible characters without spaces, quotes and backslashes"));
            }
        }
    }

    fn check_authentication(&self, faults: &mut Faults) {
        match (self.client_auth, self.client_secret.is_empty()) {
            (Some(ClientAuth::None), false) => {
                faults.push(
                    "clientAuth",
                    "`none` does nothing with a clientSecret; drop one of them",
                );
            }
            (Some(ClientAuth::ClientSecretBasic | ClientAuth::ClientSecretPost), true) => {
                faults.push("clientSecret", "is missing: clientAuth needs it");
            }
            _ => {}
        }
    }

    fn client_auth(&self) -> ClientAuth {
        let usual = match self.client_secret.is_empty() {
            true => ClientAuth::None,
            false => ClientAuth::ClientSecretBasic,
        };
        self.client_auth.unwrap_or(usual)
    }

    /// Whether any of them is behind TLS.
    fn warn_of_clear_text<'a>(&self, name: &str, urls: impl Iterator<Item = &'a Url>) -> bool {
        let (secured, clear): (Vec<_>, Vec<_>) = urls.partition(|url| url.scheme() == "https");
        if let Some(url) = clear.iter().find(|url| !is_loopback(url)) {
            let host = url.host_str().unwrap_or_default();
            warn!(
                provider = name,
                host, "without https, whoever is on the way can read and forge tokens"
            );
        }
        if self.insecure_skip_verify {
            warn!(
                provider = name,
                "insecureSkipVerify: whoever is on the way can read and forge tokens"
            );
        }
        if self.issuer.is_empty() {
            warn!(
                provider = name,
                "without an issuer, `iss` in tokens is not looked at"
            );
        }
        !secured.is_empty()
    }

    fn no_tls(&self) -> Result<(), Faults> {
        match self.has_ca() {
            true => Err(Faults::at("caFile", "does nothing without an https URL")),
            false => Ok(()),
        }
    }

    fn has_ca(&self) -> bool {
        !self.ca_file.as_os_str().is_empty()
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, Faults> {
        let trust = match (self.insecure_skip_verify, self.has_ca()) {
            (true, true) => {
                return Err(Faults::at(
                    "caFile",
                    "does nothing with insecureSkipVerify: true",
                ));
            }
            (true, false) => Trust::Anybody,
            (false, true) => Trust::signed_by(&self.ca_file)?,
            (false, false) => Trust::system()?,
        };
        let config = trust.client(&[&version::TLS13, &version::TLS12]);
        let config = config.map_err(|error| Faults::at("", error.to_string()))?;
        Ok(Arc::new(config.with_no_client_auth()))
    }
}

impl Endpoints {
    pub(in crate::tokens) fn all(&self) -> [Option<&Url>; 7] {
        [
            self.auth.as_ref(),
            self.token.as_ref(),
            self.cert.as_ref(),
            self.userinfo.as_ref(),
            self.introspect.as_ref(),
            self.revocation.as_ref(),
            self.logout.as_ref(),
        ]
    }
}

/// OpenID Connect Discovery, section 4: appended to the issuer, whose last slash goes.
fn discovery(issuer: &Url) -> Url {
    let mut url = issuer.clone();
    let path = format!(
        "{}/.well-known/openid-configuration",
        url.path().trim_end_matches('/')
    );
    url.set_path(&path);
    url
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// RFC 6749, appendix A.4.
const fn is_scope(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

const LONGEST_LEEWAY: Duration = Duration::from_secs(5 * 60);
