//! `LogoutAction`: ends this session, the others of its user, or all of them.
//!
//! The sessions are over before the answer leaves, on every gateway, and the cookie goes with the answer. A storage that
//! does not answer is a 503: nobody is told of a logout that did not happen.

mod backchannel;
mod config;
mod farewell;
mod frontchannel;
mod request;

use std::sync::Arc;

use abi::config::Faults;
use abi::{Action, Exchange, Failure, HeaderName, Maybe, Services, Session};
use serde_json::json;

pub use self::config::LogoutConfig;

use self::farewell::Farewell;
use self::frontchannel::FrontChannel;
use self::request::{LogoutRequest, Reach};
use super::answers::Answers;
use super::form::Form;
use super::returns::Returns;
use crate::middlewares::Keepers;
use crate::origin::Origin;
use crate::return_target::ReturnTarget;
use crate::same_origin::SameOrigin;
use crate::tokens::Providers;

/// Logs people out.
#[derive(Debug)]
pub struct LogoutAction {
    returns: Returns,
    takes_links: bool,
    providers: Arc<Providers>,
    keepers: Arc<Keepers>,
    /// Whether browsers go to the provider as well.
    goes_on: bool,
    comes_back_to: Option<String>,
    answers: Answers,
    front_channel: FrontChannel,
    same_origin: SameOrigin,
    content_type: HeaderName,
}

impl LogoutAction {
    /// Checks the configuration.
    ///
    /// # Errors
    /// All faults of the configuration.
    pub fn new(
        config: &LogoutConfig,
        (providers, keepers): (Arc<Providers>, Arc<Keepers>),
        services: &Services,
    ) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let returns = faults.absorb(Returns::new(
            &config.return_parameter,
            &config.allowed_return_origins,
            &config.return_to,
        ));
        if let Some(text) = &config.post_logout_redirect_uri
            && !is_below(text, DONE)
        {
            let message = format!(
                "`{text}` is not where browsers come back to; expected a URL such as `https://login.example.com/logout{DONE}`"
            );
            faults.push("postLogoutRedirectUri", message);
        }
        let (Some(returns), true) = (returns, faults.is_empty()) else {
            return Err(faults);
        };
        let resolve = || {
            Ok((
                Answers::new(services)?,
                FrontChannel::new(services)?,
                SameOrigin::new(services)?,
                services.header("content-type")?,
            ))
        };
        let (answers, front_channel, same_origin, content_type) =
            resolve().map_err(|error: abi::ServicesError| Faults::at("", error.to_string()))?;
        Ok(Self {
            returns,
            takes_links: config.allow_get,
            providers,
            keepers,
            goes_on: config.provider_logout,
            comes_back_to: config.post_logout_redirect_uri.clone(),
            answers,
            front_channel,
            same_origin,
            content_type,
        })
    }

    async fn answer(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        match exchange.path() {
            path if path.ends_with(DONE) => return self.arrive(exchange),
            path if path.ends_with(FRONT_CHANNEL) => {
                let desk = (&*self.providers, &*self.keepers);
                return self
                    .front_channel
                    .answer(exchange, desk, &self.answers)
                    .await;
            }
            path if path.ends_with(BACK_CHANNEL) => {
                let desk = (&*self.providers, &*self.keepers);
                return backchannel::answer(exchange, self.content_type, desk, &self.answers).await;
            }
            _ => {}
        }
        match (exchange.method(), self.takes_links) {
            ("POST", _) => {
                self.same_origin.check(&exchange)?;
                let parameter = self.returns.parameter();
                let request =
                    LogoutRequest::read(&mut exchange, self.content_type, parameter).await?;
                self.log_out(exchange, &request).await
            }
            ("GET", true) => {
                self.same_origin.check_link(&exchange)?;
                self.log_out(exchange, &LogoutRequest::plain()).await
            }
            (_, true) => self.answers.not_allowed(&mut exchange, "GET, POST"),
            (_, false) => self.answers.not_allowed(&mut exchange, "POST"),
        }
    }

    async fn log_out(
        &self,
        mut exchange: Exchange<'_>,
        request: &LogoutRequest,
    ) -> Result<(), Failure> {
        let session = exchange.session().cloned().ok_or_else(no_session)?;
        if request.reach == Reach::Everywhere {
            // Whose sessions end is for the storage to say: a memory may be of one that is over.
            session.reload().wait().await?;
        }
        // Before the session is empty.
        let farewell = match request.reach {
            Reach::Others => None,
            Reach::Here | Reach::Everywhere => Farewell::of(&session, &self.providers),
        };
        let ended = end(&session, request.reach).await?;
        let asked = request.return_to.as_deref();
        let target = asked.and_then(|asked| self.returns.read(asked, &exchange));
        let target = target.unwrap_or_else(|| self.returns.usual().clone());
        let elsewhere = self.leave(farewell, &exchange, &target).await;
        match request.form {
            Form::Json => {
                let mut answer = json!({ "ended": ended });
                if let Some(url) = elsewhere {
                    answer["logoutUrl"] = url.into();
                }
                self.answers.json(&mut exchange, 200, &answer)
            }
            Form::Html => {
                let location = elsewhere.as_deref().unwrap_or(target.as_str());
                self.answers.see_other(&mut exchange, location)
            }
        }
    }

    /// Gives the tokens back and says where the browser has to go on to.
    async fn leave(
        &self,
        farewell: Option<Farewell>,
        exchange: &Exchange<'_>,
        target: &ReturnTarget,
    ) -> Option<String> {
        let farewell = farewell?;
        farewell.give_back(self.providers.runtime());
        let back = match (&self.comes_back_to, self.goes_on) {
            (_, false) => return None,
            (Some(configured), true) => configured.clone(),
            (None, true) => {
                let path = exchange.path().trim_end_matches('/');
                format!("{}{path}{DONE}", Origin::of_request(exchange)?)
            }
        };
        farewell.url(&back, target).await.map(String::from)
    }

    /// Sends a browser on that comes back from the provider. What it brings was ours, and is believed no more than
    /// anybody's word.
    fn arrive(&self, mut exchange: Exchange<'_>) -> Result<(), Failure> {
        if exchange.method() != "GET" {
            return self.answers.not_allowed(&mut exchange, "GET");
        }
        let query = exchange.query().unwrap_or_default();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let asked = pairs.find(|(name, _)| name == "state");
        let target = asked.and_then(|(_, asked)| self.returns.read(&asked, &exchange));
        let target = target.unwrap_or_else(|| self.returns.usual().clone());
        self.answers.see_other(&mut exchange, target.as_str())
    }
}

impl Action for LogoutAction {
    fn call<'a>(&'a self, exchange: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
        Maybe::task(self.answer(exchange))
    }
}

/// Ends sessions and says how many there were.
async fn end(session: &Session, reach: Reach) -> Result<u64, Failure> {
    let (store, principal) = (session.store(), session.principal());
    let of_user = store.as_ref().zip(principal.as_deref());
    match (reach, of_user) {
        (Reach::Others, Some((store, _))) => store.revoke_others(session).wait().await,
        // There are no others of a visitor who is nobody.
        (Reach::Others, None) => Ok(0),
        (Reach::Everywhere, Some((store, principal))) => {
            let ended = store.revoke_all(principal).wait().await?;
            session.destroy();
            Ok(ended)
        }
        (Reach::Here | Reach::Everywhere, _) => {
            let was_stored = session.handle().is_some();
            session.destroy();
            // Now, and not with the answer: the answer says that it is done.
            session.save().wait().await?;
            Ok(u64::from(was_stored))
        }
    }
}

/// Whether a URL leads to a place of that name.
fn is_below(url: &str, place: &str) -> bool {
    let path = Origin::split(url).and_then(|(_, path)| ReturnTarget::local(path));
    path.is_some_and(|path| path.as_str().ends_with(place))
}

fn no_session() -> Failure {
    Failure::internal("no session on this route: list LoadSessionMiddleware before LogoutAction")
}

/// Providers end sessions by the names that they have for them.
fn no_keeper() -> Failure {
    Failure::internal(
        "no session of this plugin on this route: list LoadSessionMiddleware before LogoutAction",
    )
}

/// Below the path of the logout: where browsers come back to from a provider.
const DONE: &str = "/done";
/// Below it as well: where providers say, server to server, that somebody has logged out.
const BACK_CHANNEL: &str = "/backchannel";
/// And where they say so in frames of their own pages.
const FRONT_CHANNEL: &str = "/frontchannel";

#[cfg(test)]
mod tests;
