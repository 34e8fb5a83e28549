//! The code flow of OpenID Connect (Core, section 3.1), with PKCE for every provider.
//!
//! The browser is sent to the provider with a state, a nonce and a challenge of this one attempt, keeps the rest in a
//! sealed cookie, and comes back with a code. The code becomes tokens, the id token says who it is.

mod attempt;
mod cookies;

use std::sync::Arc;

use abi::config::Faults;
use abi::{Exchange, Failure, Services};
use tracing::warn;
use url::Url;

use self::attempt::Attempt;
use self::cookies::AttemptCookies;
use super::identity::{Identity, Stay};
use super::journal::TARGET;
use super::problem::Problem;
use crate::actions::links::Login;
use crate::clock::Clock;
use crate::origin::Origin;
use crate::return_target::ReturnTarget;
use crate::session::Errands;
use crate::tokens::{Claims, Code, GrantError, Provider, TokenResponse, TokenSet, VerifyError};

/// Logs people in with providers.
pub(super) struct CodeFlow {
    /// In the order in which people see them.
    providers: Vec<Arc<Provider>>,
    redirect_uri: Option<String>,
    cookies: AttemptCookies,
    clock: Arc<dyn Clock>,
}

/// What a browser brings back.
pub(super) struct Return {
    /// Where people wanted to go when they began.
    pub(super) return_to: Option<String>,
    /// Who they are, or why that is not known.
    pub(super) outcome: Result<(Identity, Stay), Problem>,
}

/// The parameters of the provider's answer.
#[derive(Default)]
struct Parameters {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

impl CodeFlow {
    pub(super) fn new(
        mut providers: Vec<Arc<Provider>>,
        redirect_uri: Option<&str>,
        errands: Errands,
        (clock, services): (Arc<dyn Clock>, &Services),
    ) -> Result<Self, Faults> {
        providers.sort_by_key(|provider| provider.config().priority);
        if let Some(text) = redirect_uri {
            check_redirect_uri(text)?;
        }
        let cookies = AttemptCookies::new(errands, services);
        Ok(Self {
            providers,
            redirect_uri: redirect_uri.map(str::to_owned),
            cookies: cookies.map_err(|error| Faults::at("", error.to_string()))?,
            clock,
        })
    }

    /// Those among which people choose.
    pub(super) fn shown(&self) -> impl Iterator<Item = &Arc<Provider>> {
        let providers = self.providers.iter();
        providers.filter(|provider| !provider.config().hide)
    }

    /// The provider of this name, shown or not.
    pub(super) fn named(&self, name: &str) -> Option<&Arc<Provider>> {
        let mut providers = self.providers.iter();
        providers.find(|provider| provider.name() == name)
    }

    /// Begins an attempt: where the browser is to go.
    ///
    /// # Errors
    /// [`Problem::Unavailable`] while the provider does not say where that is.
    pub(super) async fn begin(
        &self,
        exchange: &mut Exchange<'_>,
        provider: &Arc<Provider>,
        (return_to, stay): (Option<&ReturnTarget>, Stay),
    ) -> Result<Result<Url, Problem>, Failure> {
        let path = exchange.path().to_owned();
        let Some(redirect_uri) = self.redirect_uri(exchange, &path) else {
            return Err(Failure::internal(
                "the request names no host to come back to; set `redirectUri`",
            ));
        };
        let url = match provider.authorization_url().await {
            Ok(url) => url,
            Err(outage) => {
                warn!(target: TARGET, provider = provider.name(), reason = outage.reason(), %outage, "nobody can log in with this provider");
                return Ok(Err(Problem::Unavailable));
            }
        };
        let attempt = Attempt::begin(provider.name(), redirect_uri, self.clock.now());
        let mut attempt = attempt.map_err(|error| Failure::internal(error.to_string()))?;
        attempt.return_to = return_to.map(ToString::to_string);
        attempt.stay = stay;
        self.cookies.keep(exchange, &path, &attempt)?;
        Ok(Ok(authorization(url, provider, &attempt)))
    }

    /// Ends an attempt. `path` is that of the login.
    ///
    /// # Errors
    /// When the answer cannot be given; what comes of the attempt is in the [`Return`].
    pub(super) async fn end(
        &self,
        exchange: &mut Exchange<'_>,
        path: &str,
        principal: &str,
    ) -> Result<Return, Failure> {
        let parameters = Parameters::read(exchange.query().unwrap_or_default());
        let nothing = |problem| Return {
            return_to: None,
            outcome: Err(problem),
        };
        let Some((parameters, state)) = parameters.and_then(Parameters::with_state) else {
            return Ok(nothing(Problem::Expired));
        };
        let Some(attempt) = self.cookies.find(exchange, &state, self.clock.now()) else {
            return Ok(nothing(Problem::Expired));
        };
        self.cookies.forget(exchange, path, &state)?;
        let outcome = self.finish(&attempt, &parameters, principal).await;
        Ok(Return {
            return_to: attempt.return_to,
            outcome: outcome.map(|identity| (identity, attempt.stay)),
        })
    }

    async fn finish(
        &self,
        attempt: &Attempt,
        parameters: &Parameters,
        principal: &str,
    ) -> Result<Identity, Problem> {
        let provider = self.named(&attempt.provider).ok_or(Problem::Expired)?;
        self.check_issuer(provider, parameters.iss.as_deref())
            .await?;
        let Some(code) = &parameters.code else {
            let error = parameters.error.as_deref().unwrap_or_default();
            return Err(match error {
                "server_error" | "temporarily_unavailable" => {
                    refused(provider, "server-error");
                    Problem::Unavailable
                }
                // What the provider says is not ours to repeat, in logs or on pages.
                _ => refused(provider, "refused"),
            });
        };
        let code = Code {
            code,
            redirect_uri: &attempt.redirect_uri,
            verifier: &attempt.verifier,
        };
        let response = provider.exchange_code(code).await;
        let response = response.map_err(|error| of_grant(provider, &error))?;
        self.identify(provider, response, Some(&attempt.nonce), principal)
            .await
    }

    /// RFC 9207: an answer of one provider must not be taken to another, and one that says whose it is always says so.
    async fn check_issuer(
        &self,
        provider: &Arc<Provider>,
        iss: Option<&str>,
    ) -> Result<(), Problem> {
        let is_from = match (iss, provider.issuer()) {
            // Nobody knows its name; but it has none that another one has.
            (Some(iss), "") => self.providers.iter().all(|known| known.issuer() != iss),
            (Some(iss), own) => iss == own,
            (None, _) => !provider.names_issuer().await.map_err(|outage| {
                refused(provider, outage.reason());
                Problem::Unavailable
            })?,
        };
        match is_from {
            true => Ok(()),
            false => Err(refused(provider, "issuer")),
        }
    }

    async fn identify(
        &self,
        provider: &Arc<Provider>,
        response: TokenResponse,
        nonce: Option<&str>,
        principal: &str,
    ) -> Result<Identity, Problem> {
        identify(provider, response, nonce, (principal, &*self.clock)).await
    }

    fn redirect_uri(&self, exchange: &Exchange<'_>, path: &str) -> Option<String> {
        match &self.redirect_uri {
            Some(configured) => Some(configured.clone()),
            None => Some(format!(
                "{}{}{CALLBACK}",
                Origin::of_request(exchange)?,
                path.trim_end_matches('/')
            )),
        }
    }
}

/// Who it is that these tokens were given for.
pub(super) async fn identify(
    provider: &Arc<Provider>,
    response: TokenResponse,
    nonce: Option<&str>,
    (principal, clock): (&str, &dyn Clock),
) -> Result<Identity, Problem> {
    let id_token = response.id_token().map(str::to_owned);
    let tokens = TokenSet::new(provider.name(), response, clock.now().as_millis() / 1000);
    let claims = match id_token {
        Some(token) => provider.verify_id(&token, nonce).await,
        // Without one, the access token has to say it.
        None => {
            let verified = provider.verify_access(&tokens.access_token).await;
            verified.map(|claims| (*claims).clone())
        }
    };
    let claims = claims.map_err(|error| of_verify(provider, &error))?;
    let claims = with_userinfo(provider, claims, &tokens).await?;
    let attributes = provider.attributes(&claims, principal);
    let login = Login::of(provider.name(), &claims);
    Identity::of_provider(attributes, principal, (&tokens, login))
        .ok_or_else(|| refused(provider, "no-user"))
}

/// The claims, and what the provider says besides where a mapped one is missing.
async fn with_userinfo(
    provider: &Arc<Provider>,
    claims: Claims,
    tokens: &TokenSet,
) -> Result<Claims, Problem> {
    let mut mapped = provider.config().claims.keys();
    let is_complete = mapped.all(|claim| claims.get(claim).is_some());
    let Some(subject) = claims.subject().filter(|_| !is_complete) else {
        return Ok(claims);
    };
    let more = match provider.userinfo(&tokens.access_token, subject).await {
        Ok(more) => more,
        // Some providers say nothing to whoever has a token for somebody else. What is missing stays missing.
        Err(GrantError::Unavailable(outage)) if outage.reason() == "unexpected-answer" => None,
        Err(error) => return Err(of_grant(provider, &error)),
    };
    let mut all = more.map(Claims::into_map).unwrap_or_default();
    // What is signed counts where both say something.
    all.extend(claims.into_map());
    Ok(all.into())
}

fn authorization(mut url: Url, provider: &Provider, attempt: &Attempt) -> Url {
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &provider.config().client_id)
        .append_pair("redirect_uri", &attempt.redirect_uri)
        .append_pair("scope", &provider.config().scopes.join(" "))
        .append_pair("state", &attempt.state)
        .append_pair("nonce", &attempt.nonce)
        .append_pair("code_challenge", &attempt.challenge())
        .append_pair("code_challenge_method", "S256");
    url
}

pub(super) fn of_grant(provider: &Provider, error: &GrantError) -> Problem {
    refused(provider, error.reason());
    match error {
        GrantError::Refused | GrantError::Answer(_) => Problem::Refused,
        GrantError::Misconfigured(_) | GrantError::Unavailable(_) => Problem::Unavailable,
    }
}

fn of_verify(provider: &Provider, error: &VerifyError) -> Problem {
    refused(provider, error.reason());
    match error {
        VerifyError::Refused(_) => Problem::Refused,
        VerifyError::Unavailable(_) => Problem::Unavailable,
    }
}

fn refused(provider: &Provider, reason: &str) -> Problem {
    let provider = provider.name();
    warn!(target: TARGET, provider, reason, "a login with a provider came to nothing");
    Problem::Refused
}

impl Parameters {
    /// Each of them may be there once: nobody can say which of two is meant.
    fn read(query: &str) -> Option<Self> {
        let mut parameters = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "state" => &mut parameters.state,
                "code" => &mut parameters.code,
                "error" => &mut parameters.error,
                "iss" => &mut parameters.iss,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        Some(parameters)
    }

    fn with_state(self) -> Option<(Self, String)> {
        let state = self.state.clone()?;
        Some((self, state))
    }
}

fn check_redirect_uri(text: &str) -> Result<(), Faults> {
    let target = Origin::split(text).and_then(|(_, path)| ReturnTarget::local(path));
    match target.is_some_and(|target| target.as_str().ends_with(CALLBACK)) {
        true => Ok(()),
        false => Err(Faults::at(
            "redirectUri",
            format!(
                "`{text}` is not where browsers come back to; expected a URL such as `https://login.example.com/login{CALLBACK}`"
            ),
        )),
    }
}

/// Below the path of the login.
pub(super) const CALLBACK: &str = "/callback";
