//! A session with one attribute.

use std::time::Duration;

use serde_json::Value;

use crate::session::{AttributeError, SessionObject};
use crate::{Attribute, Exchange, Failure, Maybe};

pub(super) struct OneAttribute;

impl SessionObject for OneAttribute {
    fn read(&self, path: &str, visit: &mut dyn FnMut(Attribute<'_>)) {
        if path == "user_id" {
            visit(Attribute::Text("anna"));
        }
    }

    fn set(&self, name: &str, _: Value) -> Result<(), AttributeError> {
        if name.is_empty() {
            Err(AttributeError)
        } else {
            Ok(())
        }
    }

    fn delete(&self, _: &str) -> bool {
        false
    }

    fn keys(&self) -> Vec<String> {
        vec!["user_id".to_owned()]
    }

    fn id(&self) -> Option<String> {
        None
    }

    fn fresh(&self) -> bool {
        true
    }

    fn regenerate(&self) {}

    fn destroy(&self) {}

    fn set_expiry(&self, _: Duration) {}

    fn save(&self) -> Maybe<'_, Result<(), Failure>> {
        panic!("not today")
    }

    fn commit<'a>(&'a self, _: Exchange<'a>) -> Maybe<'a, Result<(), Failure>> {
        Maybe::Ready(Ok(()))
    }
}
