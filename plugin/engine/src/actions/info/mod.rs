//! `InfoAction`: what a front end may know of its user, and how long the session lives on.
//!
//! Asking is no use of the session: a page that asks every minute keeps nobody logged in.

mod claims;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use abi::config::Faults;
use abi::{Action, Exchange, Failure, Maybe, Services, Session};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::claims::Claims;
use super::answers::Answers;
use super::remaining;
use super::visitor::Visitor;
use crate::clock::Clock;
use crate::tokens::TokenSet;

/// What is told.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct InfoConfig {
    /// Claims of the access token, or else attributes of the session, by name; dots lead into objects. What is not there
    /// is left out.
    pub values: Vec<String>,
    /// Values that are the same for everybody.
    pub custom: BTreeMap<String, Value>,
    /// Adds `roles`: those of `realm_access`, of every client in `resource_access`, and of `roles`.
    pub roles: bool,
    /// Adds `scopes`: the words of `scope`.
    pub scopes: bool,
    /// The status for somebody who is not logged in: 401, or 404 as turna answers.
    #[schemars(range(min = 400, max = 499))]
    pub unauthenticated_status: u16,
}

impl Default for InfoConfig {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            custom: BTreeMap::new(),
            roles: false,
            scopes: false,
            unauthenticated_status: 401,
        }
    }
}

/// Tells what the configuration names, and nothing else of the session.
pub struct InfoAction {
    config: InfoConfig,
    answers: Answers,
    clock: Arc<dyn Clock>,
}

impl InfoAction {
    /// Checks the configuration.
    ///
    /// # Errors
    /// All faults of the configuration.
    pub fn new(
        config: InfoConfig,
        clock: Arc<dyn Clock>,
        services: &Services,
    ) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        for (number, value) in config.values.iter().enumerate() {
            if value.split('.').next() == Some(TokenSet::ATTRIBUTE) {
                faults.push(
                    format!("values[{number}]"),
                    format!("`{value}`: the tokens of a session stay at the gateway"),
                );
            }
        }
        let names = config.values.iter().chain(config.custom.keys());
        if names.clone().any(|name| name == SESSION) {
            let message = "`session` is where the answer says how long the session lives";
            faults.push("", message);
        }
        if !matches!(config.unauthenticated_status, 401 | 403 | 404 | 407) {
            let message = format!(
                "expected 401, 403, 404 or 407, found {}",
                config.unauthenticated_status
            );
            faults.push("unauthenticatedStatus", message);
        }
        let answers = Answers::new(services).map_err(|error| Faults::at("", error.to_string()));
        match (faults.absorb(answers), faults.is_empty()) {
            (Some(answers), true) => Ok(Self {
                config,
                answers,
                clock,
            }),
            _ => Err(faults),
        }
    }

    async fn answer(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        match exchange.method() {
            "GET" | "HEAD" => self.tell(exchange).await,
            "OPTIONS" => self.answers.options(&mut exchange, METHODS),
            _ => self.answers.not_allowed(&mut exchange, METHODS),
        }
    }

    async fn tell(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        if let Some(session) = exchange.session() {
            session.peek();
        }
        let Some(Visitor { session, .. }) = Visitor::of(&exchange).await? else {
            let status = self.config.unauthenticated_status;
            return self.answers.error(&mut exchange, status, "not-logged-in");
        };
        let mut told = self.told(&session);
        if let Some(entry) = session.entry() {
            let left = remaining::to_json(&entry, self.clock.now());
            told.insert(SESSION.to_owned(), left);
        }
        self.answers.json(&mut exchange, 200, &told.into())
    }

    fn told(&self, session: &Session) -> Map<String, Value> {
        let claims = Claims::of(session);
        let mut told = Map::new();
        for name in &self.config.values {
            let value = claims.get(name).cloned();
            if let Some(value) = value.or_else(|| attribute(session, name)) {
                told.insert(name.clone(), value);
            }
        }
        told.extend(self.config.custom.clone());
        if self.config.roles {
            let roles = claims.roles();
            let known = attribute(session, ROLES).filter(|_| roles.is_empty());
            told.insert(ROLES.to_owned(), known.unwrap_or_else(|| json!(roles)));
        }
        if self.config.scopes {
            told.insert("scopes".to_owned(), json!(claims.scopes()));
        }
        told
    }
}

impl Action for InfoAction {
    fn call<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
        Maybe::task(self.answer(exchange))
    }
}

impl fmt::Debug for InfoAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InfoAction").field(&self.config).finish()
    }
}

fn attribute(session: &Session, path: &str) -> Option<Value> {
    let mut found = None;
    session.read(path, |attribute| found = Some(attribute.to_value()));
    found
}

const METHODS: &str = "GET, HEAD, OPTIONS";
const ROLES: &str = "roles";
const SESSION: &str = "session";

#[cfg(test)]
mod tests;
