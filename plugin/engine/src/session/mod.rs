//! What a session is, without any storage: its id, its record, the changes to it and the life it has.
//!
//! Pure: no async, no I/O, no globals. Every instant is an argument, so tests and models own the time.

mod address;
mod attributes;
mod codec;
mod delta;
mod device;
mod expiry;
mod family;
mod head;
mod id;
mod keyring;
mod nonce;
mod random;
mod record;
mod roster;
mod sealed;
mod secrets;
mod six_bytes;
mod snapshot;
mod state;
mod timestamp;

pub use address::Address;
pub(crate) use address::RowName;
pub use attributes::{Attributes, AttributesRef, ValueRef, is_too_deep, json_len};
pub use codec::{DecodeError, decode, encode};
pub use delta::{Delta, Deltas};
pub use device::Device;
pub use expiry::{End, Lifetime};
pub use family::{Family, FamilyError};
pub(crate) use head::{Narrow, Wide};
pub use id::SessionId;
pub use keyring::Keyring;
pub use nonce::Nonce;
pub use random::RandomError;
pub(crate) use random::bytes as random_bytes;
pub use record::Record;
pub(crate) use record::{Piece, Text};
pub use roster::{Admission, Entry, Excess, Limit, Roster};
pub(crate) use roster::{Entries, Lone, Packed};
pub use sealed::{Errands, OpenError};
pub use secrets::{Mark, Secrets};
pub(crate) use six_bytes::SixBytes;
pub use snapshot::{Encoding, Snapshot, SnapshotError, SnapshotRules, Snapshots};
pub use state::{Rotated, Rotating, State};
pub use timestamp::Timestamp;
