//! What is in the sessions whose memory is measured.

use abi::Maybe;
use abi::testing::wait;
use engine::session::{Deltas, SessionId};
use engine::{Engine, Saved};
use serde_json::{Value, json};

/// Sessions that are alike.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// What is in one, by its number.
    pub(crate) attributes: fn(usize) -> Value,
}

/// Begins a session with these attributes.
pub(crate) fn create(engine: &Engine, attributes: &Value) -> SessionId {
    let mut deltas = Deltas::new();
    for (name, value) in attributes.as_object().into_iter().flatten() {
        deltas.set(name.as_str(), value.clone());
    }
    match wait(Maybe::task(engine.create(&deltas))) {
        Saved::Done(session) => session.id().clone(),
        other => panic!("{other:?}"),
    }
}

/// Nobody has logged in.
pub(crate) const VISITORS: Kind = Kind {
    name: "visitors with a basket",
    attributes: |number| json!({ "basket": format!("{number:024}") }),
};

/// The gateway knows a principal, so there is a roster for each.
pub(crate) const MEMBERS: Kind = Kind {
    name: "members with a roster each",
    attributes: |number| json!({ "user_id": format!("{number:024}") }),
};

/// About 1 KB, of which 600 bytes are a token.
pub(crate) const USERS: Kind = Kind {
    name: "users with six attributes and a roster each",
    attributes: |number| {
        json!({
            "user_id": format!("{number:036}"),
            "authorization": format!("Bearer {}", "t".repeat(593)),
            "email": "anna.schmidt@example.org",
            "name": "Anna Schmidt",
            "roles": ["reader", "editor", "billing"],
            "notes": "n".repeat(200),
        })
    },
};

/// The same, and the gateway knows no principal.
pub(crate) const STRANGERS: Kind = Kind {
    name: "users with six attributes and no roster",
    attributes: |number| {
        let mut attributes = (USERS.attributes)(number);
        attributes["subject"] = attributes["user_id"].take();
        attributes
    },
};
