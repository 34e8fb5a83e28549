//! What an operator decides about sessions.

use std::borrow::Cow;
use std::time::Duration;

use crate::session::{AttributesRef, Keyring, Lifetime, Limit};

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
    /// `maxSessionsPerPrincipal`.
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
}
