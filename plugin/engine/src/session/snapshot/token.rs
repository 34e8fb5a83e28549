//! The form of a snapshot that others can read: a JSON Web Token (RFC 7519) in compact serialisation.
//!
//! ```text
//! header    = {"alg":"HS256","typ":"session+jwt","kid":"<mark of the secret, 8 hexadecimal digits>"}
//! signature = HMAC-SHA256(tokens, header + "." + claims)
//! ```
//! The header is compared byte by byte and never interpreted: there is one algorithm, and nothing in a token says which
//! (RFC 8725, sections 3.1 and 3.11). Nothing in a token is looked at before its signature is found to be ours.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::claims::{Claims, Purpose};
use super::{Snapshot, SnapshotError, Snapshots};
use crate::session::id::SessionId;
use crate::session::sealed::OpenError;
use crate::session::secrets::Mark;
use crate::session::timestamp::Timestamp;

pub(super) fn encode(snapshots: &Snapshots, id: &SessionId, snapshot: &Snapshot) -> String {
    let (keys, rules) = (snapshots.secrets.newest(), &snapshots.rules);
    let purpose = Purpose::new(&rules.cookie, keys, id);
    let ends_at = snapshots.ends_at(snapshot);
    let claims = Claims::new(purpose, snapshot, ends_at, rules.principal.as_deref());
    let mut token = URL_SAFE_NO_PAD.encode(header(keys.mark));
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(claims.to_json(), &mut token);
    let signature = keys.tokens.of(b"", token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

pub(super) fn decode(
    snapshots: &Snapshots,
    id: &SessionId,
    token: &[u8],
    now: Timestamp,
) -> Result<Snapshot, SnapshotError> {
    let token = std::str::from_utf8(token).map_err(|_| SnapshotError::Shape)?;
    let (signed, signature) = token.rsplit_once('.').ok_or(SnapshotError::Shape)?;
    let (header, claims) = signed.split_once('.').ok_or(SnapshotError::Shape)?;
    let keys = snapshots.secrets.marked(mark(&bytes(header)?)?)?;
    if !keys
        .tokens
        .verify(b"", signed.as_bytes(), &bytes(signature)?)
    {
        return Err(OpenError::Broken.into());
    }
    let claims = Claims::from_json(&bytes(claims)?)?;
    claims.check(&Purpose::new(&snapshots.rules.cookie, keys, id), now)?;
    claims.into_snapshot().ok_or(SnapshotError::Content)
}

fn header(mark: Mark) -> String {
    format!("{BEFORE_MARK}{mark}{AFTER_MARK}")
}

fn mark(header: &[u8]) -> Result<Mark, SnapshotError> {
    std::str::from_utf8(header)
        .ok()
        .and_then(|header| header.strip_prefix(BEFORE_MARK)?.strip_suffix(AFTER_MARK))
        .and_then(Mark::parse)
        .ok_or(SnapshotError::Shape)
}

fn bytes(part: &str) -> Result<Vec<u8>, SnapshotError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| SnapshotError::Shape)
}

const BEFORE_MARK: &str = r#"{"alg":"HS256","typ":"session+jwt","kid":""#;
const AFTER_MARK: &str = r#""}"#;
