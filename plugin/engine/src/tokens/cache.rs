//! Tokens that were found good, so that a signature is checked once and not at every request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::jwks::KeySet;
use super::jwt::Claims;

/// What tokens said, by their hashes. Bounded: whoever has many tokens takes nothing but time.
#[derive(Default)]
pub(super) struct Cache(Mutex<State>);

#[derive(Default)]
struct State {
    entries: HashMap<[u8; 32], Entry>,
    /// The keys by which they are good; none where somebody else says so. With other keys all are forgotten.
    keys: Option<Arc<KeySet>>,
}

struct Entry {
    claims: Arc<Claims>,
    /// In seconds since 1970.
    until: u64,
}

/// The name of a token in here.
#[derive(Clone, Copy)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }
}

impl Cache {
    /// What the token said, if it was found good by the same `keys` and that still counts.
    pub(super) fn get(
        &self,
        token: Fingerprint,
        keys: Option<&Arc<KeySet>>,
        now: u64,
    ) -> Option<Arc<Claims>> {
        let state = self.state();
        let entry = state.entries.get(&token.0)?;
        (is_same(state.keys.as_ref(), keys) && now < entry.until).then(|| Arc::clone(&entry.claims))
    }

    pub(super) fn put(
        &self,
        token: Fingerprint,
        (keys, now): (Option<&Arc<KeySet>>, u64),
        (claims, until): (Arc<Claims>, u64),
    ) {
        let mut state = self.state();
        if !is_same(state.keys.as_ref(), keys) {
            state.entries.clear();
            state.keys = keys.cloned();
        }
        if state.entries.len() >= MAX_ENTRIES {
            state.entries.retain(|_, entry| now < entry.until);
        }
        if state.entries.len() >= MAX_ENTRIES {
            state.entries.clear();
        }
        state.entries.insert(token.0, Entry { claims, until });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keys that were fetched anew are others, even if they are equal.
fn is_same(one: Option<&Arc<KeySet>>, other: Option<&Arc<KeySet>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

// Some kilobytes each.
const MAX_ENTRIES: usize = 4096;
