//! Who somebody turned out to be, and how that gets into the session.

use std::mem;

use abi::session::AttributeError;
use abi::{Failure, Session};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::actions::links::Login;
use crate::tokens::TokenSet;

/// A user who has proven to be one.
pub(super) struct Identity {
    /// Everything that goes into the session, the name of the user among it.
    attributes: Map<String, Value>,
    /// How its provider may speak of it.
    login: Login,
}

impl Identity {
    /// A user of whom nothing is known but the name.
    pub(super) fn named(principal: &str, name: &str) -> Self {
        Self {
            attributes: Map::from_iter([(principal.to_owned(), name.into())]),
            login: Login::default(),
        }
    }

    /// A user of whom a provider has told, with its tokens. None when it has not told who it is.
    pub(super) fn of_provider(
        mut attributes: Map<String, Value>,
        principal: &str,
        (tokens, login): (&TokenSet, Login),
    ) -> Option<Self> {
        let is_somebody = match attributes.get(principal)? {
            Value::String(name) => !name.is_empty(),
            Value::Number(_) => true,
            _ => false,
        };
        attributes.insert(TOKEN.to_owned(), tokens.to_value());
        is_somebody.then_some(Self { attributes, login })
    }

    /// How its provider may speak of it, for once.
    pub(super) fn take_login(&mut self) -> Login {
        mem::take(&mut self.login)
    }

    /// What a program is told about its user: all but what is secret.
    pub(super) fn user(&self) -> Value {
        let open = self.attributes.iter().filter(|(name, _)| *name != TOKEN);
        open.map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Map<_, _>>()
            .into()
    }

    /// Makes the session this user's, as a login: who is set and asks for a new id logs in, also who was logged in before.
    ///
    /// What a visitor has gathered goes along into the login. What another user has left does not.
    ///
    /// # Errors
    /// When it does not fit into the session.
    pub(super) fn enter(
        self,
        session: &Session,
        principal: &str,
        stay: Stay,
    ) -> Result<(), Failure> {
        let before = session.get(principal);
        let is_another = before.is_some() && before.as_ref() != self.attributes.get(principal);
        for name in session.keys() {
            if is_another || name == TOKEN || name == REMEMBER_ME {
                session.delete(&name);
            }
        }
        for (name, value) in self.attributes {
            session.set(&name, value).map_err(unfit)?;
        }
        if stay == Stay::Remembered {
            session.set(REMEMBER_ME, true).map_err(unfit)?;
        }
        // Also when the same user logs in again: whoever knew the old id does not share the new login.
        session.regenerate();
        Ok(())
    }
}

/// How long a login is meant to last.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "bool", into = "bool")]
pub(super) enum Stay {
    /// As long as sessions last.
    #[default]
    Usual,
    /// As long as `rememberMe` says.
    Remembered,
}

/// What `remember_me` says, wherever it stands.
impl From<bool> for Stay {
    fn from(remember_me: bool) -> Self {
        match remember_me {
            true => Self::Remembered,
            false => Self::Usual,
        }
    }
}

impl From<Stay> for bool {
    fn from(stay: Stay) -> Self {
        stay == Stay::Remembered
    }
}

fn unfit(error: AttributeError) -> Failure {
    Failure::internal(format!("the login does not fit into the session: {error}"))
}

/// Where tokens of a provider are.
const TOKEN: &str = TokenSet::ATTRIBUTE;
/// What `rememberMe` of the LoadSessionMiddleware goes by.
const REMEMBER_ME: &str = "remember_me";
