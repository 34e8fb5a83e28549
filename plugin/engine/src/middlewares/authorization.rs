//! Two middlewares that want `Authorization` for themselves.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::warn;

use super::{MapSessionToHeaderConfig, RequireSessionConfig};
use crate::header_names::fold;

/// Who in a gateway sets `Authorization` from sessions, and who looks for tokens in it. What a client sends there is gone
/// before anybody looks once a mapping sets it, so whoever has both is told.
#[derive(Debug, Default)]
pub struct AuthorizationHeader(Mutex<Uses>);

#[derive(Debug, Default)]
struct Uses {
    set_by: Option<String>,
    looked_at_by: Vec<String>,
}

impl AuthorizationHeader {
    /// Notes what a `MapSessionToHeaderMiddleware` of this name sets.
    pub fn note_mapping(&self, name: &str, config: &MapSessionToHeaderConfig) {
        if !config.headers.keys().any(|header| is_authorization(header)) {
            return;
        }
        let mut uses = self.uses();
        uses.set_by.get_or_insert_with(|| name.to_owned());
        uses.tell();
    }

    /// Notes what a `RequireSessionMiddleware` of this name looks at.
    pub fn note_bearer(&self, name: &str, config: &RequireSessionConfig) {
        if config.token.as_ref().is_some_and(|token| token.bearer) {
            let mut uses = self.uses();
            uses.looked_at_by.push(name.to_owned());
            uses.tell();
        }
    }

    fn uses(&self) -> MutexGuard<'_, Uses> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Uses {
    fn tell(&mut self) {
        for (middleware, mapping) in self.in_vain() {
            warn!(
                middleware,
                mapping,
                "`token.bearer` finds no token: the mapping sets `Authorization`, so what clients send there is removed; \
                 write `bearer: false`, or drop it from the mapping and let the flag `token_header` set it"
            );
        }
    }

    /// Those that look where nothing can be, and the mapping. Each once.
    fn in_vain(&mut self) -> Vec<(String, String)> {
        let Some(mapping) = &self.set_by else {
            return Vec::new();
        };
        let looking = self.looked_at_by.drain(..);
        looking.map(|name| (name, mapping.clone())).collect()
    }
}

fn is_authorization(header: &str) -> bool {
    fold(header).eq(fold("Authorization"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    #[test]
    fn a_look_at_what_a_mapping_sets_is_told_of_once_whoever_comes_first() {
        for looks_first in [true, false] {
            let header = AuthorizationHeader::default();
            let look = || {
                let mut uses = header.uses();
                uses.looked_at_by.push("Require".to_owned());
                uses.in_vain()
            };

            let first = looks_first.then(look);
            header.uses().set_by = Some("Map".to_owned());
            let second = match looks_first {
                true => header.uses().in_vain(),
                false => look(),
            };

            assert_eq!(first.unwrap_or_default(), []);
            assert_eq!(second, [("Require".to_owned(), "Map".to_owned())]);
            assert_eq!(header.uses().in_vain(), []);
        }
    }

    #[test]
    fn only_who_would_look_or_set_counts() {
        let header = AuthorizationHeader::default();
        let require = |config: Value| {
            header.note_bearer("Require", &from_value(config).unwrap());
            header.uses().looked_at_by.len()
        };
        let map = |name: &str| {
            let config = json!({ "headers": { name: "token" } });
            header.note_mapping("Map", &from_value(config).unwrap());
            header.uses().set_by.is_some()
        };

        assert_eq!(require(json!({})), 0);
        assert_eq!(require(json!({ "token": { "bearer": false } })), 0);
        assert_eq!(require(json!({ "token": {} })), 1);
        assert!(!map("X-Authorization"));
        assert!(map("authorization"));
    }
}
