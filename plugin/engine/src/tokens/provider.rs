//! One provider: where it is, what it is called with, and what is remembered of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use abi::Services;
use abi::config::Faults;
use serde_json::{Map, Value};
use tokio::sync::{OwnedMutexGuard, oneshot};
use url::Url;

use super::cache::Cache;
use super::config::{Endpoints, ProviderConfig, Settings};
use super::discovery::{self, freshness};
use super::error::Outage;
use super::http::{Answer, Call, Client};
use super::journal::Journal;
use super::jwks::KeySet;
use super::jwt::Claims;
use super::refresh::Pauses;
use super::remembered::{Known, Newer, Remembered};
use crate::clock::Clock;
use crate::runtime::Runtime;
use crate::session::Timestamp;

/// A provider. It need not be there when the gateway starts.
pub struct Provider {
    name: String,
    config: ProviderConfig,
    pub(super) settings: Settings,
    client: Client,
    clock: Arc<dyn Clock>,
    discovered: Remembered<Endpoints>,
    keys: Remembered<KeySet>,
    /// Tokens whose signatures have been checked.
    pub(super) verified: Cache,
    /// Tokens that the provider was asked about.
    pub(super) introspected: Cache,
    /// When it may be asked for new tokens.
    pub(super) pauses: Pauses,
    pub(super) journal: Journal,
}

/// An endpoint among others.
pub(super) type Which = fn(&Endpoints) -> &Option<Url>;

impl Provider {
    /// Checks the configuration. Calls nobody.
    ///
    /// # Errors
    /// All faults of the configuration.
    pub fn new(
        name: &str,
        config: ProviderConfig,
        clock: Arc<dyn Clock>,
        (runtime, services): (Arc<Runtime>, &Services),
    ) -> Result<Self, Faults> {
        let settings = config.settle(name)?;
        Ok(Self {
            name: name.to_owned(),
            config,
            client: Client::new(runtime, settings.tls.clone(), settings.limits),
            settings,
            clock,
            discovered: Remembered::default(),
            keys: Remembered::default(),
            verified: Cache::default(),
            introspected: Cache::default(),
            pauses: Pauses::default(),
            journal: Journal::new(name, services),
        })
    }

    /// Takes over what `before` knows, if it is the same provider.
    pub(super) fn inherit(&self, before: &Self) {
        if self.config == before.config {
            self.discovered.inherit(&before.discovered);
            self.keys.inherit(&before.keys);
        }
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the operator said about it.
    pub const fn config(&self) -> &ProviderConfig {
        &self.config
    }

    /// `iss` in its tokens; empty where nobody knows it.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// The attributes that a session gets from claims: the mapped ones, and the one that names the user, `principal`,
    /// from `sub` unless it is mapped. What is missing in the claims is missing here.
    pub fn attributes(&self, claims: &Claims, principal: &str) -> Map<String, Value> {
        let mapped = self.config.claims.iter();
        let mapped = mapped
            .filter_map(|(claim, attribute)| Some((attribute.clone(), claims.get(claim)?.clone())));
        let mut attributes: Map<String, Value> = mapped.collect();
        let is_mapped = self
            .config
            .claims
            .values()
            .any(|attribute| attribute == principal);
        if let Some(subject) = claims.subject()
            && !is_mapped
        {
            attributes.insert(principal.to_owned(), subject.into());
        }
        attributes
    }

    /// Where browsers are sent to log in.
    ///
    /// # Errors
    /// When the provider has to be asked and does not answer, or has no such place.
    pub async fn authorization_url(self: &Arc<Self>) -> Result<Url, Outage> {
        self.required(|all| &all.auth, "authUrl").await
    }

    /// Whether browsers come back from there with the name of the issuer (RFC 9207), as the provider says itself.
    ///
    /// # Errors
    /// When the provider has to be asked and does not answer.
    pub async fn names_issuer(self: &Arc<Self>) -> Result<bool, Outage> {
        let is_found = self.settings.endpoints.auth.is_none() && self.settings.discovery.is_some();
        match is_found {
            true => Ok(self.discovered().await?.names_issuer),
            false => Ok(false),
        }
    }

    /// Where browsers are sent to log out; none where there is no such place.
    ///
    /// # Errors
    /// When the provider has to be asked and does not answer.
    pub async fn logout_url(self: &Arc<Self>) -> Result<Option<Url>, Outage> {
        self.endpoint(|all| &all.logout).await
    }

    /// How long a call may take as a whole.
    pub fn longest_call(&self) -> Duration {
        self.settings.limits.call
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What time it is, in seconds since 1970.
    pub fn seconds(&self) -> u64 {
        self.now().as_millis() / 1000
    }

    pub(super) async fn required(
        self: &Arc<Self>,
        which: Which,
        key: &'static str,
    ) -> Result<Url, Outage> {
        let found = self.endpoint(which).await?;
        found.ok_or_else(|| {
            Outage::new(
                "no-endpoint",
                format!("it has no such endpoint; {key} would name it"),
            )
        })
    }

    /// An endpoint, as it is configured or as the provider says. None where there is no such.
    pub(super) async fn endpoint(self: &Arc<Self>, which: Which) -> Result<Option<Url>, Outage> {
        if let Some(url) = which(&self.settings.endpoints) {
            return Ok(Some(url.clone()));
        }
        if self.settings.discovery.is_none() {
            return Ok(None);
        }
        Ok(which(&*self.discovered().await?).clone())
    }

    async fn discovered(self: &Arc<Self>) -> Result<Arc<Endpoints>, Outage> {
        match self.discovered.known(self.now()) {
            Known::Fresh(good) => Ok(good),
            Known::Failed(outage) => Err(outage),
            Known::Nothing => self.ask_discovery().await,
            Known::Stale(good) => {
                let provider = Arc::clone(self);
                self.beside(async move { drop(provider.ask_discovery().await) });
                Ok(good)
            }
        }
    }

    async fn ask_discovery(&self) -> Result<Arc<Endpoints>, Outage> {
        let fetch = async {
            let Some(url) = &self.settings.discovery else {
                return Err(Outage::new("no-endpoint", "it has no issuer"));
            };
            let answer = self.fetch(url, "discovery").await?;
            let found = discovery::endpoints(&answer, &self.settings)
                .inspect_err(|outage| self.journal.failed("discovery", outage))?;
            Ok((found, freshness(&answer, DISCOVERY_BOUNDS, DISCOVERY_USUAL)))
        };
        self.discovered.ask(|| self.now(), fetch).await
    }

    /// The keys there are, as far as they are known.
    pub(super) async fn keys(self: &Arc<Self>) -> Result<Arc<KeySet>, Outage> {
        match self.keys.known(self.now()) {
            Known::Fresh(good) => Ok(good),
            Known::Failed(outage) => Err(outage),
            Known::Nothing => self.ask_keys().await,
            Known::Stale(good) => {
                let provider = Arc::clone(self);
                self.beside(async move { drop(provider.ask_keys().await) });
                Ok(good)
            }
        }
    }

    /// The keys as they are now, for a token whose key is not among those that are `known`: asked for at most once in a
    /// while, for anybody can name a key that does not exist. None when there are no others and it is too early.
    ///
    /// # Errors
    /// When the provider does not answer.
    pub(super) async fn newer_keys(
        self: &Arc<Self>,
        known: &Arc<KeySet>,
    ) -> Option<Result<Arc<KeySet>, Outage>> {
        match self
            .keys
            .newer(known, (self.now(), UNKNOWN_KEY_PAUSE))
            .await
        {
            Newer::Known(newer) => Some(Ok(newer)),
            Newer::TooEarly(last) => last.map(Err),
            Newer::Ask(turn) => Some(self.ask_newer_keys(turn).await),
        }
    }

    /// Asks for whoever comes later as well: a client that names a key and goes away must not use up the one call of a
    /// minute.
    async fn ask_newer_keys(
        self: &Arc<Self>,
        turn: OwnedMutexGuard<()>,
    ) -> Result<Arc<KeySet>, Outage> {
        let (sender, answer) = oneshot::channel();
        let provider = Arc::clone(self);
        let asking = async move {
            let fetched = provider.fetch_keys().await;
            let keys = provider.keys.note(fetched, provider.now());
            drop(turn);
            drop(sender.send(keys));
        };
        let threads = |message: String| Outage::new("threads", message);
        let launched = self.client.runtime().launch(asking);
        launched.map_err(|error| threads(format!("cannot start threads: {error}")))?;
        let answer = answer.await;
        answer.unwrap_or_else(|_| Err(threads("the gateway is about to end".into())))
    }

    /// Whether its keys can be had at all.
    pub(super) const fn has_keys(&self) -> bool {
        self.settings.endpoints.cert.is_some() || self.settings.discovery.is_some()
    }

    async fn ask_keys(self: &Arc<Self>) -> Result<Arc<KeySet>, Outage> {
        self.keys.ask(|| self.now(), self.fetch_keys()).await
    }

    async fn fetch_keys(self: &Arc<Self>) -> Result<(KeySet, Duration), Outage> {
        let url = self.required(|all| &all.cert, "certUrl").await?;
        let answer = self.fetch(&url, "keys").await?;
        if answer.status != hyper::StatusCode::OK {
            let outage = Outage::status(&answer);
            self.journal.failed("keys", &outage);
            return Err(outage);
        }
        let keys = KeySet::parse(&answer.body)
            .map_err(|error| Outage::new("keys", error.to_string()))
            .inspect_err(|outage| self.journal.failed("keys", outage))?;
        Ok((keys, freshness(&answer, KEYS_BOUNDS, KEYS_USUAL)))
    }

    async fn fetch(&self, url: &Url, what: &'static str) -> Result<Answer, Outage> {
        let call = Call {
            url,
            form: None,
            authorization: None,
        };
        self.call(call, what).await
    }

    /// Calls the provider, and counts how that went.
    pub(super) async fn call(&self, call: Call<'_>, what: &'static str) -> Result<Answer, Outage> {
        match self.client.call(call).await {
            Ok(answer) => {
                self.journal.answered(what, answer.status);
                Ok(answer)
            }
            Err(error) => {
                let outage = Outage::from(error);
                self.journal.failed(what, &outage);
                Err(outage)
            }
        }
    }

    /// Runs `work` without anybody waiting for it.
    fn beside(&self, work: impl Future<Output = ()> + Send + 'static) {
        // Without threads nothing is asked anew, and what is known goes on counting.
        let _ = self.client.runtime().launch(work);
    }
}

/// Without its secrets.
impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("name", &self.name)
            .field("issuer", &self.settings.issuer)
            .finish_non_exhaustive()
    }
}

const DISCOVERY_BOUNDS: (Duration, Duration) =
    (Duration::from_secs(300), Duration::from_secs(86_400));
const DISCOVERY_USUAL: Duration = Duration::from_secs(3600);
const KEYS_BOUNDS: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3600));
const KEYS_USUAL: Duration = Duration::from_secs(600);
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_secs(60);
