//! The session of somebody who shows a token with each request: what the token says, for as long as the request takes.

use std::time::Duration;

use abi::session::{Attribute, AttributeError, SessionObject};
use abi::{Exchange, Failure, Maybe};
use serde_json::{Map, Value};

use crate::session::Attributes;

/// Attributes that nobody stores. What is changed is refused, and nothing of it ends with a logout.
#[derive(Debug)]
pub(super) struct Claimed {
    attributes: Attributes,
    principal: Option<String>,
}

impl Claimed {
    /// `principal` is the attribute that names the user.
    pub(super) fn new(attributes: Map<String, Value>, principal: &str) -> Self {
        let attributes = Attributes::from(attributes);
        let principal = attributes
            .view()
            .principal(principal)
            .map(|user| user.into_owned());
        Self {
            attributes,
            principal,
        }
    }
}

impl SessionObject for Claimed {
    fn read(&self, path: &str, visit: &mut dyn FnMut(Attribute<'_>)) {
        self.attributes.view().lend(path, visit);
    }

    fn set(&self, _: &str, _: Value) -> Result<(), AttributeError> {
        Err(AttributeError)
    }

    fn delete(&self, _: &str) -> bool {
        false
    }

    fn keys(&self) -> Vec<String> {
        let names = self.attributes.view().iter();
        names.map(|(name, _)| name.to_owned()).collect()
    }

    fn id(&self) -> Option<String> {
        None
    }

    fn principal(&self) -> Option<String> {
        self.principal.clone()
    }

    fn fresh(&self) -> bool {
        false
    }

    fn regenerate(&self) {}

    fn destroy(&self) {}

    fn set_expiry(&self, _: Duration) {}

    fn reload(&self) -> Maybe<'_, Result<bool, Failure>> {
        Maybe::Ready(Ok(true))
    }

    fn save(&self) -> Maybe<'_, Result<(), Failure>> {
        Maybe::Ready(Ok(()))
    }

    fn commit<'a>(&'a self, _: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
        Maybe::Ready(Ok(()))
    }
}
