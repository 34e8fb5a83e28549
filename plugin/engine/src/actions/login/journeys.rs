//! Logins that begin and end at a provider, and how people get there and back.

use std::sync::Arc;

use abi::{Exchange, Failure};

use super::code::CodeFlow;
use super::identity::Stay;
use super::problem::Problem;
use super::view::Way;
use super::{LoginAction, PROVIDER, parameter};
use crate::return_target::ReturnTarget;
use crate::tokens::Provider;

impl LoginAction {
    /// The provider that everybody goes to, where nobody could choose anything else.
    pub(super) fn only_way<'a>(
        &self,
        flow: &'a CodeFlow,
        problem: Option<Problem>,
        exchange: &Exchange<'_>,
    ) -> Option<&'a Arc<Provider>> {
        let mut shown = flow.shown();
        let (first, second) = (shown.next(), shown.next());
        let is_alone = self.passwords.is_none() && second.is_none();
        // Somebody who is logged in, or was just turned away, would go round in circles.
        let may_choose =
            self.view.is_some() && (problem.is_some() || self.user(exchange).is_some());
        first.filter(|_| is_alone && !may_choose)
    }

    pub(super) async fn go_to(
        &self,
        flow: &CodeFlow,
        provider: &Arc<Provider>,
        mut exchange: Exchange<'_>,
    ) -> Result<(), Failure> {
        let asked = self.returns.in_query(&exchange);
        let remember_me = parameter(exchange.query().unwrap_or_default(), "remember_me");
        let stay = Stay::from(remember_me.is_some_and(|value| value == "true"));
        let began = flow
            .begin(&mut exchange, provider, (asked.as_ref(), stay))
            .await?;
        match began {
            Ok(url) => self.answers.see_other(&mut exchange, url.as_str()),
            Err(problem) => {
                let path = exchange.path().to_owned();
                self.send_back(exchange, problem, (&path, asked.as_ref()))
            }
        }
    }

    pub(super) async fn come_back(
        &self,
        flow: &CodeFlow,
        path: &str,
        mut exchange: Exchange<'_>,
    ) -> Result<(), Failure> {
        let path = if path.is_empty() { "/" } else { path };
        let back = flow.end(&mut exchange, path, &self.principal).await?;
        // It was sealed by us, and is asked again all the same: what is allowed may have changed.
        let asked = back.return_to.as_deref();
        let asked = asked.and_then(|asked| self.returns.read(asked, &exchange));
        let entered = match back.outcome {
            Ok((identity, stay)) => self.enter(&exchange, identity, stay).await?,
            Err(problem) => Err(problem),
        };
        match entered {
            Ok(()) => {
                let target = asked.as_ref().unwrap_or_else(|| self.returns.usual());
                self.answers.see_other(&mut exchange, target.as_str())?;
                self.settle(exchange).await
            }
            Err(problem) => self.send_back(exchange, problem, (path, asked.as_ref())),
        }
    }

    /// To the page, which says what is wrong; where there is none, the answer does.
    fn send_back(
        &self,
        mut exchange: Exchange<'_>,
        problem: Problem,
        (path, target): (&str, Option<&ReturnTarget>),
    ) -> Result<(), Failure> {
        self.journal.failed(problem, &exchange);
        if self.view.is_none() {
            return self.refuse(&mut exchange, problem);
        }
        let target = target.map(|target| self.returns.to_query(target));
        let location = format!("{path}?{}{}", target.unwrap_or_default(), problem.query());
        self.answers.see_other(&mut exchange, &location)
    }

    /// The providers that people see, as links that keep their target.
    pub(super) fn ways(&self, asked: Option<&ReturnTarget>) -> Vec<Way> {
        let shown = self.code.iter().flat_map(CodeFlow::shown);
        let target = asked.map(|target| self.returns.to_query(target));
        let target = target.unwrap_or_default();
        shown
            .map(|provider| {
                let name = provider.name();
                let encoded: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
                let title = match provider.config().title.as_str() {
                    "" => name,
                    title => title,
                };
                Way {
                    href: format!("?{target}{PROVIDER}={encoded}"),
                    title: title.to_owned(),
                }
            })
            .collect()
    }
}
