//! `RefreshAction`: a session renewed by who is about to use it, instead of when it is due.

mod tokens;

use std::fmt;
use std::sync::Arc;

use abi::config::Faults;
use abi::{Action, Exchange, Failure, Maybe, Services, ServicesError};
use schemars::JsonSchema;
use serde::Deserialize;

use self::tokens::{Left, Tokens};
use super::answers::Answers;
use super::remaining;
use super::visitor::Visitor;
use crate::clock::Clock;
use crate::same_origin::SameOrigin;
use crate::tokens::TokenDesk;

/// Nothing to configure: the rules are those of the LoadSessionMiddleware on the route.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct RefreshConfig {}

/// Gives the session of a `POST` a new id and a fresh life within `expiration`. The old id works on for `rotationGrace`,
/// so that requests in flight do not fail. Tokens of a provider in the session are renewed first: if it has ended the
/// login, so is the session.
pub struct RefreshAction {
    answers: Answers,
    same_origin: SameOrigin,
    tokens: Tokens,
    clock: Arc<dyn Clock>,
}

impl RefreshAction {
    /// Resolves what it needs.
    ///
    /// # Errors
    /// When the gateway has no room for header names.
    pub fn new(
        RefreshConfig {}: RefreshConfig,
        desk: TokenDesk<'_>,
        clock: Arc<dyn Clock>,
        services: &Services,
    ) -> Result<Self, Faults> {
        let resolve = || Ok((Answers::new(services)?, SameOrigin::new(services)?));
        let (answers, same_origin) =
            resolve().map_err(|error: ServicesError| Faults::at("", error.to_string()))?;
        Ok(Self {
            answers,
            same_origin,
            tokens: Tokens::new(desk),
            clock,
        })
    }

    async fn answer(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        match exchange.method() {
            "POST" => self.refresh(exchange).await,
            "OPTIONS" => self.answers.options(&mut exchange, METHODS),
            _ => self.answers.not_allowed(&mut exchange, METHODS),
        }
    }

    /// What has changed is stored before the answer is written: nobody is told of a life that an outage did not give.
    async fn refresh(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        self.same_origin.check(&exchange)?;
        let Some(Visitor { session, .. }) = Visitor::of(&exchange).await? else {
            return self.answers.error(&mut exchange, 401, "not-logged-in");
        };
        if let Left::Over(reason) = self.tokens.renew(&session).await? {
            return self.answers.error(&mut exchange, 401, reason);
        }
        if !session.renew() {
            return self.answers.error(&mut exchange, 409, "key-not-renewable");
        }
        session.save().wait().await?;
        match session.entry() {
            Some(entry) => {
                let left = remaining::to_json(&entry, self.clock.now());
                self.answers.json(&mut exchange, 200, &left)
            }
            // It was ended meanwhile.
            None => self.answers.error(&mut exchange, 401, "not-logged-in"),
        }
    }
}

impl Action for RefreshAction {
    fn call<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
        Maybe::task(self.answer(exchange))
    }
}

impl fmt::Debug for RefreshAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshAction(..)")
    }
}

const METHODS: &str = "POST, OPTIONS";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use abi::failure::Kind;
    use abi::handle::ActionHandle;
    use abi::testing::{TestExchange, TestGateway, TestSessionStore};
    use serde_json::{Value, json};

    use super::*;
    use crate::clock::ManualClock;
    use crate::session::Timestamp;
    use crate::tokens::{Providers, ProvidersConfig, Refresher};

    #[test]
    fn session_is_renewed_and_its_end_is_told() {
        let (store, gateway) = (TestSessionStore::default(), TestGateway::new());
        let session = store.log_in("anna");
        let asked = gateway.exchange("POST", "/refresh");
        let mut asked = asked
            .with_header("Origin", "http://gateway.test")
            .with_header("Host", "gateway.test")
            .with_session(session.handle());

        asked.call(&action(&gateway)).unwrap();

        assert!(session.is_renewed());
        assert_eq!(asked.status(), Some(200));
        assert_eq!(asked.response_headers("cache-control"), ["no-store"]);
        let expected = json!({
            "createdAt": "1970-01-01T00:00:01Z",
            "expiresAt": "1970-01-01T01:00:01Z",
            "expiresIn": 3600,
        });
        assert_eq!(json_of(&asked), expected);
    }

    #[test]
    fn page_of_another_site_renews_nothing() {
        let (store, gateway) = (TestSessionStore::default(), TestGateway::new());
        let session = store.log_in("anna");
        let asked = gateway.exchange("POST", "/refresh");
        let mut asked = asked
            .with_header("Origin", "http://evil.test")
            .with_session(session.handle());

        let failure = asked.call(&action(&gateway)).unwrap_err();

        assert_eq!(
            (failure.kind(), failure.reason()),
            (Kind::FORBIDDEN, "cross-origin")
        );
        assert!(!session.is_renewed());
    }

    #[test]
    fn stranger_is_not_renewed() {
        let gateway = TestGateway::new();
        let asked = gateway.exchange("POST", "/refresh");
        let mut asked = asked.with_header("Content-Type", "application/json");

        asked.call(&action(&gateway)).unwrap();

        assert_eq!(asked.status(), Some(401));
        assert_eq!(json_of(&asked), json!({ "error": "not-logged-in" }));
    }

    #[test]
    fn only_a_post_renews() {
        let gateway = TestGateway::new();
        for (method, status) in [("GET", 405), ("DELETE", 405), ("OPTIONS", 204)] {
            let mut asked = gateway.exchange(method, "/refresh");

            asked.call(&action(&gateway)).unwrap();

            assert_eq!(asked.status(), Some(status), "{method}");
            assert_eq!(asked.response_headers("allow"), ["POST, OPTIONS"]);
        }
    }

    fn action(gateway: &TestGateway) -> ActionHandle {
        let clock = ManualClock::new(Timestamp::from_millis(0));
        clock.advance(Duration::from_secs(1));
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let services = gateway.services();
        let threads = (Arc::clone(&clock), Arc::default());
        let providers = Providers::new(ProvidersConfig::default(), threads, &services).unwrap();
        let desk = TokenDesk {
            refresher: &Arc::new(Refresher::new(Arc::clone(providers.runtime()), &services)),
            providers: &Arc::new(providers),
            keepers: &Arc::default(),
        };
        let action = RefreshAction::new(RefreshConfig::default(), desk, clock, &services);
        ActionHandle::new(action.unwrap())
    }

    fn json_of(exchange: &TestExchange) -> Value {
        serde_json::from_slice(exchange.response_body()).unwrap()
    }
}
