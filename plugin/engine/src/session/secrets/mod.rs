//! What the operator's `secrets` become: keys, one for each secret and purpose.
//!
//! ```text
//! root      = HKDF-Extract(SHA-256, salt "session.so secret 1", the bytes of the secret as they are written)
//! mark      = HKDF-Expand(root, "mark", 4)
//! names     = HKDF-Expand(root, "names", 32)        likewise "rows", "snapshots", "tokens"
//! ```
//! [`Keyring`](super::Keyring) names and seals rows with them, [`Snapshots`](super::Snapshots) what browsers keep.

mod keyed;
mod keys;
mod mark;

use std::fmt;
use std::sync::Arc;

use abi::config::{Faults, Secret};

use super::sealed::OpenError;

pub(super) use self::keys::Keys;
pub use self::mark::Mark;

/// The secrets of one middleware, newest first. The newest one writes, all of them read. Cheap to clone.
#[derive(Clone)]
pub struct Secrets(Arc<[Keys]>);

impl Secrets {
    /// How many there may be. An id that leads nowhere is looked up once under each of them.
    pub const MOST: usize = 8;

    /// The bytes that a secret must have at least: as many as the keys that are made from it.
    pub const SHORTEST: usize = 32;

    /// Derives the keys of `secrets`, newest first; of no secrets, nothing.
    ///
    /// # Errors
    /// All faults, each at the place in the list, and none with a secret in it.
    pub fn parse(secrets: &[Secret]) -> Result<Option<Self>, Faults> {
        let mut faults = Faults::default();
        if secrets.len() > Self::MOST {
            let (count, most) = (secrets.len(), Self::MOST);
            faults.push("", format!("{count} secrets, {most} are allowed"));
        }
        let mut list: Vec<Keys> = Vec::with_capacity(secrets.len());
        for (place, secret) in secrets.iter().enumerate() {
            let keys = Keys::derive(secret.reveal().as_bytes());
            if let Some(problem) = problem(secret, &keys, &list) {
                faults.push(format!("[{place}]"), problem);
            }
            list.push(keys);
        }
        faults.or((!list.is_empty()).then(|| Self(list.into())))
    }

    /// How many there are, at least one.
    pub(super) fn len(&self) -> u8 {
        u8::try_from(self.0.len()).expect("a few secrets are allowed")
    }

    /// The one at this place of the list; the newest for a place of a longer list.
    pub(super) fn at(&self, place: u8) -> &Keys {
        self.0.get(usize::from(place)).unwrap_or(&self.0[0])
    }

    /// Where in the list the one with this mark is.
    pub(super) fn place_of(&self, mark: Mark) -> Option<u8> {
        (0..self.len()).find(|&place| self.at(place).mark == mark)
    }

    /// The one that writes.
    pub(super) fn newest(&self) -> &Keys {
        self.at(0)
    }

    /// The one with this mark.
    pub(super) fn marked(&self, mark: Mark) -> Result<&Keys, OpenError> {
        let place = self.place_of(mark).ok_or(OpenError::Secret(mark))?;
        Ok(self.at(place))
    }
}

/// Whether what one list writes, the other reads and writes alike. Compared by what is derived, in a time that does not
/// depend on the secrets.
impl PartialEq for Secrets {
    fn eq(&self, other: &Self) -> bool {
        let same = |(mine, other): (&Keys, &Keys)| {
            let theirs = other.names.of(COMPARISON, &[]);
            mine.names.verify(COMPARISON, &[], &theirs)
        };
        self.len() == other.len() && self.0.iter().zip(&*other.0).all(same)
    }
}

impl Eq for Secrets {}

/// Shows nothing, not even the marks: with the list they are a fingerprint of the configuration.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

fn problem(secret: &Secret, keys: &Keys, before: &[Keys]) -> Option<String> {
    let shortest = Secrets::SHORTEST;
    if secret.reveal().len() < shortest {
        return Some(format!(
            "shorter than {shortest} bytes; `openssl rand -base64 48` makes one that is long enough"
        ));
    }
    // Marks, not secrets: two secrets that share one, which two in four thousand million do, could not be told apart.
    let place = before.iter().position(|other| other.mark == keys.mark)?;
    Some(format!("the same as [{place}]"))
}

// No other use of the key for names begins like this.
const COMPARISON: &[u8] = b"comparison 1";

#[cfg(test)]
mod tests;
