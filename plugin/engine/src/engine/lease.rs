//! The right to do something for a session that only one gateway may do at a time, such as a call that works once.
//!
//! A lease is a row beside the session's, there for a short while: where there is one, somebody is at work. It holds
//! nothing but its version, which begins at a random number and so tells one holder from the next; whoever stalled and
//! comes back late finds another version, and extends nothing. The storage's own clock ends it, so that the clocks of
//! gateways need not agree. What a holder writes about the session is guarded by what it has read besides
//! ([`Engine::patch_while`]): a lease keeps others waiting, and the guard keeps the late from doing harm.

use std::time::Duration;

use abi::storage::{Expected, Unavailable, Written};

use super::Engine;
use super::session::Session;
use crate::session::{Address, State};
use crate::storage::Versioned;

/// Held until it is released, or not extended in time.
#[derive(Debug)]
pub struct Lease {
    address: Address,
    version: u64,
}

impl Engine {
    /// Takes the lease of a session for so long. None while somebody else has it.
    ///
    /// # Errors
    /// When the storage does not answer. Nobody may have the lease then until `keep` is over.
    pub async fn lease(
        &self,
        session: &Session,
        keep: Duration,
    ) -> Result<Option<Lease>, Unavailable> {
        let family = session.record().family();
        let address = self.policy.keyring.lease_beside(&session.address(), family);
        let number = self.new_family()?.bits();
        // Far from the end, for it is counted up, and memory counts to 2^48.
        let version = (number >> 18) | 1;
        let row = Versioned {
            version,
            state: State::Revoked,
        };
        let written = self.rows.write(address, Expected::Absent, row, keep);
        match written.wait().await {
            Written::Done => Ok(Some(Lease { address, version })),
            Written::Conflict => Ok(None),
            Written::Unavailable(cause) => Err(cause),
        }
    }

    /// Keeps a lease for so long from now on. False when it is lost.
    ///
    /// # Errors
    /// When the storage does not answer.
    pub async fn extend(&self, lease: &mut Lease, keep: Duration) -> Result<bool, Unavailable> {
        let from = (lease.address, lease.version);
        let is_held = self.replace(from, State::Revoked, keep).await?;
        if is_held {
            lease.version += 1;
        }
        Ok(is_held)
    }

    /// Lets others have it at once. If the storage does not answer, they have it when it ends by itself.
    pub async fn release(&self, mut lease: Lease) {
        let _ = self.extend(&mut lease, AT_ONCE).await;
    }
}

/// No storage takes less.
const AT_ONCE: Duration = Duration::from_millis(1);
