//! What an operator decides about sessions.

use std::borrow::Cow;
use std::time::Duration;

use crate::session::{AttributesRef, Deltas, Keyring, Lifetime, Limit, Record};

/// The rules of an [`Engine`](super::Engine).
#[derive(Clone, Debug)]
pub struct Policy {
    /// Where rows are and what they are sealed with.
    pub keyring: Keyring,
    /// When sessions end and when they get a new id.
    pub lifetime: Lifetime,
    /// `rotationGrace`: how long an old id still leads to the session, for the requests that were under way.
    pub grace: Duration,
    /// Whether an id that is used after the grace ends the session: `revokeOnReuse`.
    pub revokes_on_reuse: bool,
    /// `principal`: the attribute that names the user; without it, sessions belong to nobody.
    pub principal: Option<Box<str>>,
    /// `maxSessionsPerPrincipal`. None: a thousand, so that a roster has an end.
    pub limit: Option<Limit>,
    /// `maxBytes`: how large the attributes of one session may become, in memory.
    pub max_bytes: usize,
}

impl Policy {
    /// The documented defaults around these clocks.
    pub fn new(lifetime: Lifetime) -> Self {
        Self {
            keyring: Keyring::plain(),
            lifetime,
            grace: Duration::from_secs(10),
            revokes_on_reuse: true,
            principal: Some("user_id".into()),
            limit: None,
            max_bytes: 64 * 1024,
        }
    }

    /// Whom a session with these attributes belongs to.
    pub fn principal_of<'a>(&self, attributes: AttributesRef<'a>) -> Option<Cow<'a, str>> {
        attributes.principal(self.principal.as_deref()?)
    }

    /// The record with `deltas` applied, as one that reads it sees it before it is stored: what a visitor has gathered
    /// goes along into a login, and what a user has left goes along to nobody.
    pub fn merge(&self, record: &Record, deltas: &Deltas) -> Record {
        match self.takes_from_user(record, deltas) {
            true => record.emptied().merge(deltas),
            false => record.merge(deltas),
        }
    }

    /// Whether `deltas` say who the user is, be it who it was.
    pub fn names_user(&self, deltas: &Deltas) -> bool {
        let name = self.principal.as_deref();
        name.is_some_and(|name| deltas.change(name))
    }

    /// Whether `deltas` make the session of a user that of another, or nobody's.
    pub fn takes_from_user(&self, record: &Record, deltas: &Deltas) -> bool {
        let [before, after] = self.principals(record, deltas);
        before.is_some() && before != after
    }

    /// Whom the session belongs to, before `deltas` and after them.
    pub fn principals(&self, record: &Record, deltas: &Deltas) -> [Option<String>; 2] {
        let of = |record: &Record| {
            let principal = self.principal_of(record.attributes());
            principal.map(Cow::into_owned)
        };
        let before = of(record);
        let after = match self.names_user(deltas) {
            true => of(&record.merge(deltas)),
            false => before.clone(),
        };
        [before, after]
    }
}
