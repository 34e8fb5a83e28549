//! What the access token of a session says of its user.

use abi::Session;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::tokens::TokenSet;

/// The claims of the session's access token, and the words of its scope. Nothing is checked here: what a session holds
/// was checked when it was stored.
#[derive(Debug, Default)]
pub(super) struct Claims {
    claims: Map<String, Value>,
    scope: Option<String>,
}

impl Claims {
    /// Those of the token set in the attribute `token`. A token that is no JWT has none.
    pub(super) fn of(session: &Session) -> Self {
        let Some(set) = session.get(TokenSet::ATTRIBUTE) else {
            return Self::default();
        };
        let text = |name: &str| set.get(name).and_then(Value::as_str);
        Self {
            claims: text("access_token").and_then(payload).unwrap_or_default(),
            scope: text("scope").map(str::to_owned),
        }
    }

    /// A claim by its name, or by a path into it.
    pub(super) fn get(&self, path: &str) -> Option<&Value> {
        self.claims.get(path).or_else(|| {
            let (first, rest) = path.split_once('.')?;
            rest.split('.')
                .try_fold(self.claims.get(first)?, |value, step| value.get(step))
        })
    }

    /// Every role that Keycloak and others put into a token: of the realm, of each client, and of nobody in particular.
    pub(super) fn roles(&self) -> Vec<&str> {
        let clients = self.get("resource_access").and_then(Value::as_object);
        let clients = clients.into_iter().flat_map(Map::values);
        let of_clients = clients.filter_map(|client| client.get("roles"));
        let lists = self.get("realm_access.roles").into_iter();
        let lists = lists.chain(of_clients).chain(self.get("roles"));
        distinct(lists.flat_map(words_of))
    }

    /// The words of `scope`: in the token, or beside it when the provider granted something else than was asked for.
    pub(super) fn scopes(&self) -> Vec<&str> {
        let claimed = ["scope", "scp"].iter().find_map(|name| self.get(name));
        let granted = self.scope.as_deref().unwrap_or_default();
        match claimed {
            Some(claimed) => distinct(words_of(claimed)),
            None => distinct(granted.split_ascii_whitespace()),
        }
    }
}

/// A list of texts, or a text of words.
fn words_of(value: &Value) -> impl Iterator<Item = &str> {
    let list = value.as_array().into_iter().flatten();
    let text = value.as_str().unwrap_or_default();
    list.filter_map(Value::as_str)
        .chain(text.split_ascii_whitespace())
}

fn distinct<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    for word in words {
        if !distinct.contains(&word) {
            distinct.push(word);
        }
    }
    distinct
}

/// The claims of a JWT (RFC 7519, section 7.2).
fn payload(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let json = URL_SAFE_NO_PAD.decode(payload).ok()?;
    serde_json::from_slice(&json).ok()
}
