//! User names and passwords that somebody sends, and what they are answered.

use abi::{Exchange, Failure};

use super::LoginAction;
use super::credentials::Credentials;
use super::identity::Identity;
use super::passwords::Verdict;
use super::problem::Problem;
use super::throttle::Wait;
use crate::actions::form::Form;

impl LoginAction {
    pub(super) async fn log_in(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        self.same_origin.check(&exchange)?;
        let credentials =
            Credentials::read(&mut exchange, self.content_type, self.returns.parameter()).await?;
        match self.check(&credentials, &exchange).await {
            Ok(identity) => self.welcome(exchange, identity, &credentials).await,
            Err(problem) => self.turn_away(exchange, problem, &credentials),
        }
    }

    async fn check(
        &self,
        credentials: &Credentials,
        exchange: &Exchange<'_>,
    ) -> Result<Identity, Problem> {
        let passwords = self.passwords.as_ref().ok_or(Problem::Unavailable)?;
        let whom = (credentials.username.as_str(), exchange.peer());
        let guess = self
            .throttle
            .admit(whom, self.clock.now())
            .map_err(|Wait(wait)| Problem::Throttled(wait))?;
        match passwords
            .check(credentials, (&self.principal, &*self.clock))
            .await
        {
            Verdict::Right(identity) => {
                guess.succeed();
                Ok(identity)
            }
            Verdict::Wrong => Err(Problem::Credentials),
            Verdict::Unclear(problem) => Err(problem),
            Verdict::Unknown(problem) => {
                guess.cancel();
                Err(problem)
            }
        }
    }

    async fn welcome(
        &self,
        mut exchange: Exchange<'_>,
        identity: Identity,
        credentials: &Credentials,
    ) -> Result<(), Failure> {
        let user = identity.user();
        if let Err(problem) = self.enter(&exchange, identity, credentials.stay).await? {
            return self.turn_away(exchange, problem, credentials);
        }
        match credentials.form {
            Form::Json => self.answers.json(&mut exchange, 200, &user)?,
            Form::Html => {
                let asked = credentials.return_to.as_deref();
                let target = asked.and_then(|asked| self.returns.read(asked, &exchange));
                let target = target.as_ref().unwrap_or_else(|| self.returns.usual());
                self.answers.see_other(&mut exchange, target.as_str())?;
            }
        }
        self.settle(exchange).await
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
                let target = target.map(|target| self.returns.to_query(&target));
                let location = format!("?{}{}", target.unwrap_or_default(), problem.query());
                self.answers.see_other(&mut exchange, &location)?;
            }
        }
        match problem {
            Problem::Throttled(wait) => self.answers.retry_after(&mut exchange, wait),
            _ => Ok(()),
        }
    }
}
