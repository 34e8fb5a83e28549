//! `SessionsAction`: the user's own sessions, seen and ended by the user.
//!
//! On two routes, `/sessions` and `/sessions/:id`. Programs get JSON, browsers a page that works without scripts: its
//! buttons are forms that say with `_method` what they mean. What is changed, is changed by pages of this origin only.
//! A session that is not on the user's list any more sees and ends nothing, even where it is only remembered.

mod agent;
mod config;
mod listing;
mod texts;
mod view;

use abi::config::Faults;
use abi::session::SessionEntry;
use abi::{Action, Exchange, Failure, HeaderName, Maybe, Services, ServicesError, Side};
use serde_json::json;

pub use self::config::{SessionsConfig, SessionsPageConfig};

use self::listing::{Item, Listed, Range};
use self::view::View;
use super::accept::prefers_page;
use super::answers::Answers;
use super::form::Form;
use super::visitor::Visitor;
use crate::same_origin::SameOrigin;

/// Lists and ends the sessions of the user who asks.
#[derive(Debug)]
pub struct SessionsAction {
    view: View,
    answers: Answers,
    same_origin: SameOrigin,
    accept: HeaderName,
}

/// What a request is about.
enum About {
    All,
    One(String),
}

/// What it wants.
enum Wish {
    See,
    End,
    /// As [`End`](Self::End), from a form: the answer is the page again.
    EndByForm,
    Options,
    Other,
}

impl SessionsAction {
    /// Checks the configuration and reads the files it names.
    ///
    /// # Errors
    /// All faults of the configuration.
    pub fn new(config: &SessionsConfig, services: &Services) -> Result<Self, Faults> {
        let view = View::new(&config.page, services).map_err(|found| found.under("page"))?;
        let resolve = || {
            Ok((
                Answers::new(services)?,
                SameOrigin::new(services)?,
                services.header("accept")?,
            ))
        };
        let (answers, same_origin, accept) =
            resolve().map_err(|error: ServicesError| Faults::at("", error.to_string()))?;
        Ok(Self {
            view,
            answers,
            same_origin,
            accept,
        })
    }

    async fn answer(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        let about = match exchange.parameter("id") {
            Some(id) => About::One(id.to_owned()),
            None => About::All,
        };
        match self.wish(&mut exchange).await? {
            Wish::Options => self.answers.options(&mut exchange, METHODS),
            Wish::Other => self.answers.not_allowed(&mut exchange, METHODS),
            Wish::See => self.show(exchange, &about).await,
            Wish::End => {
                self.same_origin.check(&exchange)?;
                self.end(exchange, &about).await
            }
            Wish::EndByForm => {
                self.same_origin.check(&exchange)?;
                self.end_by_form(exchange, &about).await
            }
        }
    }

    async fn wish(&self, exchange: &mut Exchange<'_>) -> Result<Wish, Failure> {
        Ok(match exchange.method() {
            "GET" | "HEAD" => Wish::See,
            "DELETE" => Wish::End,
            "OPTIONS" => Wish::Options,
            // Asked before the body is read: strangers make nobody wait.
            "POST" => {
                self.same_origin.check(exchange)?;
                let body = exchange.read_body(MAX_FORM).wait().await?;
                let mut fields = form_urlencoded::parse(&body);
                match fields.any(|(name, value)| name == "_method" && value == "DELETE") {
                    true => Wish::EndByForm,
                    false => Wish::Other,
                }
            }
            _ => Wish::Other,
        })
    }

    async fn show(&self, mut exchange: Exchange<'_>, about: &About) -> Result<(), Failure> {
        let form = match prefers_page(exchange.headers(Side::Request, self.accept)) {
            true => Form::Html,
            false => Form::Json,
        };
        let Some(range) = Range::read(exchange.query().unwrap_or_default()) else {
            return self.answers.error(&mut exchange, 400, "bad-range");
        };
        let Some((visitor, sessions)) = known(&exchange).await? else {
            return self.strange(&mut exchange, form);
        };
        match about {
            About::All if form == Form::Html => {
                let listed = Listed::new(&visitor, &sessions, range);
                self.view.list(&mut exchange, &listed)
            }
            About::All => {
                let listed = Listed::new(&visitor, &sessions, range);
                self.answers.json(&mut exchange, 200, &listed.to_json())
            }
            About::One(id) => match sessions.iter().find(|entry| entry.handle == *id) {
                None => self.answers.error(&mut exchange, 404, "no-such-session"),
                Some(entry) if form == Form::Html => {
                    let listed = Listed::one(&visitor, entry, sessions.len());
                    self.view.one(&mut exchange, &listed)
                }
                Some(entry) => {
                    let json = Item::new(&visitor, entry).to_json();
                    self.answers.json(&mut exchange, 200, &json)
                }
            },
        }
    }

    async fn end(&self, mut exchange: Exchange<'_>, about: &About) -> Result<(), Failure> {
        let Some((visitor, sessions)) = known(&exchange).await? else {
            return self.strange(&mut exchange, Form::Json);
        };
        match about {
            About::All => {
                let ended = visitor.store.revoke_others(&visitor.session).wait().await?;
                self.answers
                    .json(&mut exchange, 200, &json!({ "ended": ended }))
            }
            About::One(id) => match revoke(&visitor, &sessions, id).await? {
                true => self.answers.empty(&mut exchange, 204),
                false => self.answers.error(&mut exchange, 404, "no-such-session"),
            },
        }
    }

    async fn end_by_form(&self, mut exchange: Exchange<'_>, about: &About) -> Result<(), Failure> {
        let Some((visitor, sessions)) = known(&exchange).await? else {
            return self.strange(&mut exchange, Form::Html);
        };
        let ended = match about {
            About::All => visitor.store.revoke_others(&visitor.session).wait().await?,
            // One that is over already is what was wanted.
            About::One(id) => revoke(&visitor, &sessions, id).await?.into(),
        };
        let list = match about {
            About::All => format!("?ended={ended}"),
            About::One(_) => format!("../{}?ended={ended}", view::list_of(exchange.path())),
        };
        self.answers.see_other(&mut exchange, &list)
    }

    fn strange(&self, exchange: &mut Exchange<'_>, form: Form) -> Result<(), Failure> {
        match form {
            Form::Html => self.view.stranger(exchange),
            Form::Json => self.answers.error(exchange, 401, "not-logged-in"),
        }
    }
}

impl Action for SessionsAction {
    fn call<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
        Maybe::task(self.answer(exchange))
    }
}

/// The user and their sessions; none for anybody who is not logged in now.
async fn known(exchange: &Exchange<'_>) -> Result<Option<(Visitor, Vec<SessionEntry>)>, Failure> {
    let Some(visitor) = Visitor::of(exchange).await? else {
        return Ok(None);
    };
    let sessions = visitor.sessions().await?;
    Ok(sessions.map(|sessions| (visitor, sessions)))
}

/// Ends one of the user's sessions, and says whether it was there. Ending this one is a logout: the client is told.
async fn revoke(visitor: &Visitor, sessions: &[SessionEntry], id: &str) -> Result<bool, Failure> {
    let Some(entry) = sessions.iter().find(|entry| entry.handle == id) else {
        return Ok(false);
    };
    if visitor.is_own(entry) {
        visitor.session.destroy();
        visitor.session.save().wait().await?;
        return Ok(true);
    }
    visitor.store.revoke(&visitor.principal, id).wait().await
}

const METHODS: &str = "GET, HEAD, POST, DELETE, OPTIONS";
/// The one field there is fits many times.
const MAX_FORM: u64 = 1024;

#[cfg(test)]
mod tests;
