//! All providers of a gateway.

use std::collections::BTreeMap;
use std::sync::Arc;

use abi::Services;
use abi::config::Faults;

use super::config::{ProviderConfig, ProvidersConfig};
use super::jwt::Jwt;
use super::provider::Provider;
use crate::clock::Clock;
use crate::runtime::Runtime;

/// The providers that the plugin's configuration names, and what others are made of.
#[derive(Debug)]
pub struct Providers {
    named: BTreeMap<String, Arc<Provider>>,
    desk: Desk,
}

struct Desk {
    clock: Arc<dyn Clock>,
    runtime: Arc<Runtime>,
    services: Services,
}

impl Providers {
    /// Checks all of them. Calls nobody.
    ///
    /// # Errors
    /// All faults of all of them, under `providers`.
    pub fn new(
        config: ProvidersConfig,
        (clock, runtime): (Arc<dyn Clock>, Arc<Runtime>),
        services: &Services,
    ) -> Result<Self, Faults> {
        let mut providers = Self {
            named: BTreeMap::new(),
            desk: Desk {
                clock,
                runtime,
                services: services.clone(),
            },
        };
        let mut faults = Faults::default();
        for (name, config) in config {
            let key = format!("providers.{name}");
            if name.is_empty() {
                faults.push("providers", "a provider without a name");
            }
            let made = providers
                .make(&name, config)
                .map_err(|found| found.under(&key));
            if let Some(provider) = faults.absorb(made) {
                providers.named.insert(name, provider);
            }
        }
        faults.or(providers)
    }

    /// As [`new`](Self::new), in place of `before`: what a provider has said of itself goes on counting where nothing
    /// was changed about it, for it may be away just now.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn after(
        before: &Self,
        config: ProvidersConfig,
        desk: (Arc<dyn Clock>, Arc<Runtime>),
        services: &Services,
    ) -> Result<Self, Faults> {
        let providers = Self::new(config, desk, services)?;
        for provider in providers.iter() {
            if let Some(known) = before.get(provider.name()) {
                provider.inherit(known);
            }
        }
        Ok(providers)
    }

    /// One more, which no other place knows of.
    ///
    /// # Errors
    /// All faults of its configuration.
    pub fn make(&self, name: &str, config: ProviderConfig) -> Result<Arc<Provider>, Faults> {
        let Desk {
            clock,
            runtime,
            services,
        } = &self.desk;
        let desk = (Arc::clone(runtime), services);
        Provider::new(name, config, Arc::clone(clock), desk).map(Arc::new)
    }

    /// The provider of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Provider>> {
        self.named.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.named.values()
    }

    /// The provider that `key` of a component names.
    ///
    /// # Errors
    /// With those that there are.
    pub fn named(&self, key: &str, name: &str) -> Result<Arc<Provider>, Faults> {
        if let Some(provider) = self.get(name) {
            return Ok(Arc::clone(provider));
        }
        let known: Vec<&str> = self.named.keys().map(String::as_str).collect();
        let there_are = match known.is_empty() {
            true => "the plugin's `providers` names none at all".to_owned(),
            false => format!("there are: {}", known.join(", ")),
        };
        Err(Faults::at(
            key,
            format!("no provider is called `{name}`; {there_are}"),
        ))
    }

    /// The provider that says of itself that it has issued a token; the only one, if there is only one.
    pub fn issuer_of(&self, token: &str) -> Option<&Arc<Provider>> {
        if self.named.len() == 1 {
            return self.named.values().next();
        }
        let claims = Jwt::parse(token).ok()?.unverified();
        let issuer = claims.text("iss")?;
        self.iter().find(|provider| provider.issuer() == issuer)
    }

    /// All providers of the issuer that a token names; the only one, if there is only one.
    pub fn issuers_of(&self, token: &str) -> impl Iterator<Item = &Arc<Provider>> {
        let is_only = self.named.len() == 1;
        let claims = Jwt::parse(token).ok().map(|token| token.unverified());
        let issuer = claims.and_then(|claims| claims.text("iss").map(str::to_owned));
        self.iter()
            .filter(move |provider| is_only || issuer.as_deref() == Some(provider.issuer()))
    }

    /// All providers of an issuer, which is compared to the letter.
    pub fn of_issuer(&self, issuer: &str) -> impl Iterator<Item = &Arc<Provider>> {
        self.iter()
            .filter(move |provider| !issuer.is_empty() && provider.issuer() == issuer)
    }

    /// What calls run on.
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.desk.runtime
    }

    /// What time it is.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.desk.clock
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desk(..)")
    }
}
