//! The short form of a snapshot, which only a gateway can read.
//!
//! ```text
//! value     = base64url, without padding, of sealed bytes of format C
//! label     = "session.so snapshot 1"
//! key       = HMAC-SHA256(snapshots, label + session id)
//! bound to  = label + name of the cookie
//! plaintext = issued_at (8 bytes, milliseconds since 1970, big-endian) + a live state, as `encode` writes it
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Snapshot, SnapshotError, Snapshots};
use crate::session::codec;
use crate::session::id::SessionId;
use crate::session::random::RandomError;
use crate::session::sealed::{Seal, Sealed};
use crate::session::secrets::Keys;
use crate::session::state::State;
use crate::session::timestamp::Timestamp;

pub(super) fn encode(
    snapshots: &Snapshots,
    id: &SessionId,
    snapshot: &Snapshot,
) -> Result<String, RandomError> {
    let issued_at = snapshot.issued_at.as_millis().to_be_bytes();
    let state = codec::encode(&State::Live(snapshot.record.clone()));
    let plaintext = [issued_at.as_slice(), &state].concat();
    let sealed = seal(snapshots, snapshots.secrets.newest(), id).close(&plaintext)?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

pub(super) fn decode(
    snapshots: &Snapshots,
    id: &SessionId,
    text: &[u8],
) -> Result<Snapshot, SnapshotError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| SnapshotError::Shape)?;
    let sealed = Sealed::parse(FORMAT, &bytes)?;
    let keys = snapshots.secrets.marked(sealed.mark)?;
    let plaintext = seal(snapshots, keys, id).open(&sealed)?;
    read(&plaintext).ok_or(SnapshotError::Content)
}

fn read(plaintext: &[u8]) -> Option<Snapshot> {
    let (issued_at, state) = plaintext.split_first_chunk()?;
    let State::Live(record) = codec::decode(state).ok()? else {
        return None;
    };
    Some(Snapshot {
        record,
        issued_at: Timestamp::from_millis(u64::from_be_bytes(*issued_at)),
    })
}

/// The id is in the key, so a snapshot opens beside no other.
pub(super) fn seal(snapshots: &Snapshots, keys: &Keys, id: &SessionId) -> Seal {
    Seal {
        format: FORMAT,
        mark: keys.mark,
        key: keys.snapshots.of(LABEL, id.as_bytes()),
        bound_to: [LABEL, snapshots.rules.cookie.as_bytes()].concat(),
    }
}

const FORMAT: u8 = b'C';
const LABEL: &[u8] = b"session.so snapshot 1";
