//! `LoginAction`: a page to log in with, and what happens when somebody does.
//!
//! A GET shows the page. A POST with a user name and a password logs in: programs send JSON and get an answer, browsers
//! send the form and are sent on, to where they came from or back to the page. Nothing of an attempt that fails is in
//! the page's address but why.

mod config;
mod credentials;
mod identity;
mod journal;
mod messages;
mod passwords;
mod throttle;
mod users;
mod view;

use std::sync::Arc;

use abi::config::Faults;
use abi::{Action, Exchange, Failure, HeaderName, Maybe, Services};
use serde_json::json;

pub use self::config::{LoginConfig, LoginPageChoice, LoginPageConfig, NoPage};

use self::credentials::{Credentials, Form};
use self::identity::{Identity, Stay};
use self::journal::Journal;
use self::passwords::{FileUsers, Verdict};
use self::throttle::{Throttle, Wait};
use self::view::{Problem, Sight, View};
use super::answers::{Answers, whole_seconds};
use crate::clock::Clock;
use crate::origin::Origin;
use crate::return_target::{ReturnOrigin, ReturnOrigins, ReturnTarget};
use crate::same_origin::SameOrigin;

/// Logs people in.
pub struct LoginAction {
    users: FileUsers,
    view: Option<View>,
    returns: Returns,
    principal: String,
    throttle: Throttle,
    clock: Arc<dyn Clock>,
    journal: Journal,
    answers: Answers,
    same_origin: SameOrigin,
    content_type: HeaderName,
}

/// Where people go after they have logged in.
#[derive(Debug)]
struct Returns {
    parameter: String,
    origins: ReturnOrigins,
    usual: ReturnTarget,
}

impl LoginAction {
    /// Checks the configuration and reads the files it names.
    ///
    /// # Errors
    /// All faults of the configuration.
    pub fn new(
        config: &LoginConfig,
        clock: Arc<dyn Clock>,
        services: &Services,
    ) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let users = match &config.users_file {
            Some(path) => faults.absorb(FileUsers::open(path)),
            None => {
                faults.push("", "nobody can log in; name a `usersFile`");
                None
            }
        };
        if config.principal.is_empty() {
            faults.push(
                "principal",
                "expected the name of a session attribute, found nothing",
            );
        }
        let returns = faults.absorb(Returns::new(config));
        let view = match &config.page {
            LoginPageChoice::None(NoPage::None) => Some(None),
            LoginPageChoice::Page(page) => {
                let targets = config.allowed_return_origins.join(" ");
                let view = View::new(page, targets, services).map_err(|found| found.under("page"));
                faults.absorb(view).map(Some)
            }
        };
        let (Some(users), Some(returns), Some(view), true) =
            (users, returns, view, faults.is_empty())
        else {
            return Err(faults);
        };
        let resolve = || {
            Ok((
                Answers::new(services)?,
                SameOrigin::new(services)?,
                services.header("content-type")?,
            ))
        };
        let (answers, same_origin, content_type) =
            resolve().map_err(|error: abi::ServicesError| Faults::at("", error.to_string()))?;
        Ok(Self {
            users,
            view,
            returns,
            principal: config.principal.clone(),
            throttle: Throttle::new(MOST_COUNTERS),
            clock,
            journal: Journal::new(services),
            answers,
            same_origin,
            content_type,
        })
    }

    async fn answer(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        match (exchange.method(), &self.view) {
            ("GET" | "HEAD", Some(view)) => self.show(view, exchange),
            ("POST", _) => self.log_in(exchange).await,
            (_, Some(_)) => self.answers.not_allowed(&mut exchange, "GET, HEAD, POST"),
            (_, None) => self.answers.not_allowed(&mut exchange, "POST"),
        }
    }

    fn show(&self, view: &View, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        let asked = self.returns.asked_for(&exchange);
        let target = asked.as_ref().unwrap_or(&self.returns.usual).to_string();
        let user = exchange.session().and_then(|session| {
            let user = session.get(&self.principal)?;
            Some(
                user.as_str()
                    .map_or_else(|| user.to_string(), str::to_owned),
            )
        });
        let sight = Sight {
            has_form: true,
            return_to: asked
                .as_ref()
                .map(|target| (self.returns.parameter.as_str(), target.as_str())),
            signed_in: user.as_deref().map(|user| (user, target.as_str())),
            problem: exchange.query().and_then(Problem::read),
        };
        view.show(&mut exchange, 200, &sight)
    }

    async fn log_in(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        self.same_origin.check(&exchange)?;
        let credentials =
            Credentials::read(&mut exchange, self.content_type, &self.returns.parameter).await?;
        match self.check(&credentials, &exchange).await {
            Ok(identity) => self.welcome(exchange, identity, &credentials),
            Err(problem) => self.turn_away(exchange, problem, &credentials),
        }
    }

    async fn check(
        &self,
        credentials: &Credentials,
        exchange: &Exchange<'_>,
    ) -> Result<Identity, Problem> {
        let whom = (credentials.username.as_str(), exchange.peer());
        let guess = self
            .throttle
            .admit(whom, self.clock.now())
            .map_err(|Wait(wait)| Problem::Throttled(wait))?;
        match self.users.check(credentials, &self.principal).await {
            Verdict::Right(identity) => {
                guess.succeed();
                Ok(identity)
            }
            Verdict::Wrong => Err(Problem::Credentials),
            Verdict::Busy => {
                guess.cancel();
                Err(Problem::Busy)
            }
        }
    }

    fn welcome(
        &self,
        mut exchange: Exchange<'_>,
        identity: Identity,
        credentials: &Credentials,
    ) -> Result<(), Failure> {
        let session = exchange.session().ok_or_else(no_session)?;
        let user = identity.user();
        identity.enter(
            session,
            &self.principal,
            Stay::asked(credentials.remember_me),
        )?;
        self.journal.done(&exchange);
        match credentials.form {
            Form::Json => self.answers.json(&mut exchange, 200, &user),
            Form::Html => {
                let asked = credentials.return_to.as_deref();
                let target = asked.and_then(|asked| self.returns.read(asked, &exchange));
                let target = target.as_ref().unwrap_or(&self.returns.usual);
                self.answers.see_other(&mut exchange, target.as_str())
            }
        }
    }

    fn turn_away(
        &self,
        mut exchange: Exchange<'_>,
        problem: Problem,
        credentials: &Credentials,
    ) -> Result<(), Failure> {
        self.journal.failed(problem, &exchange);
        match credentials.form {
            Form::Json => self.refuse(&mut exchange, problem)?,
            Form::Html => {
                let asked = credentials.return_to.as_deref();
                let target = asked.and_then(|asked| self.returns.read(asked, &exchange));
                let target = target.map(|target| self.returns.parameter(&target));
                let location = format!("?{}{}", target.unwrap_or_default(), problem.query());
                self.answers.see_other(&mut exchange, &location)?;
            }
        }
        match problem {
            Problem::Throttled(wait) => self.answers.retry_after(&mut exchange, wait),
            _ => Ok(()),
        }
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

impl Returns {
    fn new(config: &LoginConfig) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        if config.return_parameter.is_empty() {
            faults.push(
                "returnParameter",
                "expected the name of a parameter, found nothing",
            );
        }
        let listed = config.allowed_return_origins.iter().enumerate();
        let origins: ReturnOrigins = listed
            .filter_map(|(place, text)| {
                let origin = text.parse::<ReturnOrigin>();
                let path = format!("allowedReturnOrigins[{place}]");
                origin
                    .map_err(|error| faults.push(path, error.to_string()))
                    .ok()
            })
            .collect();
        let usual = origins.target(&config.return_to, None).or_else(|| {
            let message = format!(
                "`{}` is no path of this site, and no URL at one of allowedReturnOrigins",
                config.return_to
            );
            faults.push("returnTo", message);
            None
        });
        faults.or(())?;
        Ok(Self {
            parameter: config.return_parameter.clone(),
            origins,
            usual: usual.unwrap_or_else(ReturnTarget::front_page),
        })
    }

    /// The target in the query of a request; none when it has none, or one that leads elsewhere.
    fn asked_for(&self, exchange: &Exchange<'_>) -> Option<ReturnTarget> {
        let query = exchange.query()?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let (_, asked) = pairs.find(|(name, _)| *name == self.parameter)?;
        self.read(&asked, exchange)
    }

    fn read(&self, asked: &str, exchange: &Exchange<'_>) -> Option<ReturnTarget> {
        let own = Origin::of_request(exchange);
        self.origins.target(asked, own.as_ref())
    }

    /// The target as a parameter of a query, with `&` behind it.
    fn parameter(&self, target: &ReturnTarget) -> String {
        let name: String = form_urlencoded::byte_serialize(self.parameter.as_bytes()).collect();
        format!("{name}={}&", target.in_query())
    }
}

fn no_session() -> Failure {
    Failure::internal("no session on this route: list LoadSessionMiddleware before LoginAction")
}

/// Some 4 MB when a flood has filled them.
const MOST_COUNTERS: usize = 65_536;

#[cfg(test)]
mod tests;
