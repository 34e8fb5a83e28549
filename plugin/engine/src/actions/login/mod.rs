//! `LoginAction`: a page to log in with, and what happens when somebody does.
//!
//! A GET shows the page. A POST with a user name and a password logs in: programs send JSON and get an answer, browsers
//! send the form and are sent on, to where they came from or back to the page. Nothing of an attempt that fails is in
//! the page's address but why.
//!
//! With providers, `?provider=<name>` sends the browser to one, and it comes back to `/callback` below the login.

mod code;
mod config;
mod credentials;
mod identity;
mod journal;
mod journeys;
mod passwords;
mod problem;
mod settings;
mod submissions;
mod surroundings;
mod texts;
mod throttle;
mod users;
mod view;

use std::sync::Arc;

use abi::config::Faults;
use abi::{Action, Entry, Exchange, Failure, HeaderName, Maybe, Services};
use serde_json::json;
use tracing::warn;

pub use self::config::{
    LoginConfig, LoginPageChoice, LoginPageConfig, NoPage, PasswordGrantConfig, ProviderNames,
};

use self::code::{CALLBACK, CodeFlow};
use self::identity::{Identity, Stay};
use self::journal::Journal;
use self::passwords::Passwords;
use self::problem::Problem;
use self::settings::Settings;
use self::throttle::Throttle;
use self::view::{Sight, View};
use super::answers::{Answers, whole_seconds};
use super::returns::Returns;
use crate::clock::Clock;
use crate::engine::Linked;
use crate::middlewares::Keepers;
use crate::same_origin::SameOrigin;
use crate::tokens::Providers;

/// Logs people in.
pub struct LoginAction {
    passwords: Option<Passwords>,
    code: Option<CodeFlow>,
    view: Option<View>,
    returns: Returns,
    principal: String,
    throttle: Throttle,
    clock: Arc<dyn Clock>,
    keepers: Arc<Keepers>,
    journal: Journal,
    answers: Answers,
    same_origin: SameOrigin,
    content_type: HeaderName,
}

impl LoginAction {
    /// Checks the configuration, reads the files it names, and says what will not work with the middlewares that keep
    /// sessions.
    ///
    /// # Errors
    /// All faults of the configuration.
    pub fn new(
        entry: Entry<'_>,
        config: &LoginConfig,
        (providers, keepers): (&Providers, Arc<Keepers>),
        clock: Arc<dyn Clock>,
        services: &Services,
    ) -> Result<Self, Faults> {
        let settings = Settings::of(config, providers, &clock, services)?;
        let resolve = || {
            Ok((
                Answers::new(services)?,
                SameOrigin::new(services)?,
                services.header("content-type")?,
            ))
        };
        let (answers, same_origin, content_type) =
            resolve().map_err(|error: abi::ServicesError| Faults::at("", error.to_string()))?;
        for warning in surroundings::warnings(config, &keepers) {
            warn!(action = entry.name, "{warning}");
        }
        Ok(Self {
            passwords: settings.passwords,
            code: settings.code,
            view: settings.view,
            returns: settings.returns,
            principal: config.principal.clone(),
            throttle: Throttle::new(MOST_COUNTERS),
            clock,
            keepers,
            journal: Journal::new(services),
            answers,
            same_origin,
            content_type,
        })
    }

    async fn answer(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        let method = exchange.method().to_owned();
        if let (Some(flow), Some(path)) = (&self.code, exchange.path().strip_suffix(CALLBACK)) {
            let path = path.to_owned();
            return match &*method {
                "GET" => self.come_back(flow, &path, exchange).await,
                _ => self.answers.not_allowed(&mut exchange, "GET"),
            };
        }
        match (&*method, self.passwords.is_some()) {
            ("GET" | "HEAD", _) => self.visit(exchange).await,
            ("POST", true) => self.log_in(exchange).await,
            _ => self.answers.not_allowed(&mut exchange, self.methods()),
        }
    }

    fn methods(&self) -> &'static str {
        let answers_get = self.view.is_some() || self.code.is_some();
        match (answers_get, self.passwords.is_some()) {
            (true, true) => "GET, HEAD, POST",
            (true, false) => "GET, HEAD",
            (false, _) => "POST",
        }
    }

    /// Sends the browser to the provider that it asks for, or shows the page. Where there is nothing to choose, one
    /// provider and no problem, it is sent on at once.
    async fn visit(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        let query = exchange.query().unwrap_or_default().to_owned();
        let is_get = exchange.method() == "GET";
        if let Some(flow) = self.code.as_ref().filter(|_| is_get) {
            let chosen = parameter(&query, PROVIDER);
            let chosen = chosen.as_deref().and_then(|name| flow.named(name));
            let problem = Problem::read(&query);
            if let Some(provider) = chosen.or_else(|| self.only_way(flow, problem, &exchange)) {
                return self.go_to(flow, provider, exchange).await;
            }
        }
        match &self.view {
            Some(view) => self.show(view, exchange, Problem::read(&query)),
            None => self.answers.not_allowed(&mut exchange, self.methods()),
        }
    }

    fn show(
        &self,
        view: &View,
        mut exchange: Exchange<'_>,
        problem: Option<Problem>,
    ) -> Result<(), Failure> {
        let asked = self.returns.in_query(&exchange);
        let target = asked
            .as_ref()
            .unwrap_or_else(|| self.returns.usual())
            .to_string();
        let user = self.user(&exchange);
        let sight = Sight {
            has_form: self.passwords.is_some(),
            ways: self.ways(asked.as_ref()),
            return_to: asked
                .as_ref()
                .map(|target| (self.returns.parameter(), target.as_str())),
            signed_in: user.as_deref().map(|user| (user, target.as_str())),
            problem,
        };
        view.show(&mut exchange, 200, &sight)
    }

    fn user(&self, exchange: &Exchange<'_>) -> Option<String> {
        let user = exchange.session()?.get(&self.principal)?;
        Some(
            user.as_str()
                .map_or_else(|| user.to_string(), str::to_owned),
        )
    }

    /// Logs somebody in, unless the provider has ended this login already.
    async fn enter(
        &self,
        exchange: &Exchange<'_>,
        mut identity: Identity,
        stay: Stay,
    ) -> Result<Result<(), Problem>, Failure> {
        let session = exchange.session().cloned().ok_or_else(no_session)?;
        let login = identity.take_login();
        identity.enter(&session, &self.principal, stay)?;
        if let Some(keeper) = self.keepers.of(&session).filter(|_| login.has_names()) {
            match login.link(&session, &keeper).await {
                Ok(Linked::Done) => {}
                Ok(Linked::Over) => {
                    session.destroy();
                    return Ok(Err(Problem::Refused));
                }
                Err(failure) => {
                    // A login that its provider could not end is none.
                    session.destroy();
                    return Err(failure);
                }
            }
        }
        Ok(Ok(()))
    }

    /// Stores the login whose answer is written, and adds its cookie. If that fails, the answer goes to nobody.
    async fn settle(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        let session = exchange.session().cloned().ok_or_else(no_session)?;
        session.commit(exchange.reborrow()).wait().await?;
        self.journal.done(&exchange);
        Ok(())
    }

    fn refuse(&self, exchange: &mut Exchange<'_>, problem: Problem) -> Result<(), Failure> {
        let (status, body) = match problem {
            Problem::Credentials | Problem::Refused | Problem::Expired => {
                (401, json!({ "error": problem.code() }))
            }
            Problem::Throttled(wait) => (
                429,
                json!({ "error": problem.code(), "retryAfter": whole_seconds(wait) }),
            ),
            Problem::Busy | Problem::Unavailable => (503, json!({ "error": problem.code() })),
        };
        self.answers.json(exchange, status, &body)
    }
}

impl Action for LoginAction {
    fn call<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
        Maybe::task(self.answer(exchange))
    }
}

/// The first value of a parameter.
fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, value) = pairs.find(|(known, _)| known == name)?;
    Some(value.into_owned())
}

fn no_session() -> Failure {
    Failure::internal("no session on this route: list LoadSessionMiddleware before LoginAction")
}

/// The parameter that names a provider.
const PROVIDER: &str = "provider";
/// Some 4 MB when a flood has filled them.
const MOST_COUNTERS: usize = 65_536;

#[cfg(test)]
mod tests;
