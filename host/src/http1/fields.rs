//! The fields of a head, out of what was parsed.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use httparse::{Error, Header};

/// Adds fields to `headers`. The values stay where they are, in what was received.
///
/// # Errors
/// Where a name or a value is none.
pub(crate) fn read(
    parsed: &[Header<'_>],
    received: &Bytes,
    headers: &mut HeaderMap,
) -> Result<(), Error> {
    for field in parsed {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let value = HeaderValue::from_maybe_shared(received.slice_ref(field.value));
        let name = name.map_err(|_| Error::HeaderName)?;
        headers.append(name, value.map_err(|_| Error::HeaderValue)?);
    }
    Ok(())
}

/// As many as one message may have.
pub(crate) const MAX_FIELDS: usize = 100;
