//! What a proxy says of the request it asks about.

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::OriginalError;
use crate::desk::Reserved;
use crate::hygiene;

/// The headers by which a trusted proxy describes a request, as they came. Taken before anything is cleaned away; a
/// request without this comes from somebody whose word is not taken.
#[derive(Clone, Debug, Default)]
pub struct Stated {
    headers: HeaderMap,
    /// What `Connection` names, and is gone when somebody looks for it.
    named: Vec<HeaderName>,
}

impl Stated {
    /// Notes what a trusted proxy says, for whoever answers the request.
    pub fn note(request: &mut Parts) {
        let mut headers = HeaderMap::new();
        for name in ORIGINALS.iter().chain(&SHARED) {
            for value in request.headers.get_all(name) {
                headers.append(name, value.clone());
            }
        }
        let named = hygiene::named(&request.headers).collect();
        request.extensions.insert(Self { headers, named });
    }

    /// What was noted, of a request with these headers. To be asked before they are scrubbed.
    ///
    /// # Errors
    /// When the sender is no trusted proxy, or let pass what could be taken for a mapped header: a proxy overwrites the
    /// mapped ones by their names, and other spellings of them only if it knows that there are any.
    pub(crate) fn heard(
        noted: Option<Self>,
        headers: &HeaderMap,
        reserved: &Reserved,
    ) -> Result<Self, OriginalError> {
        let stated = noted.ok_or(OriginalError::Untrusted)?;
        let mut names = headers.keys().chain(&stated.named);
        match names.any(|name| reserved.is_misspelt(name)) {
            true => Err(OriginalError::Forged),
            false => Ok(stated),
        }
    }

    /// What a header says.
    ///
    /// # Errors
    /// When it is there twice: a client's own beside the proxy's, and nobody can tell which is which.
    pub(super) fn get(&self, name: &'static str) -> Result<Option<&HeaderValue>, OriginalError> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(OriginalError::Twice(name)),
        }
    }

    /// As [`get`](Self::get), as text.
    ///
    /// # Errors
    /// Also when it is missing or no text.
    pub(super) fn text(&self, name: &'static str) -> Result<&str, OriginalError> {
        let value = self.get(name)?.ok_or(OriginalError::Missing(name))?;
        value.to_str().map_err(|_| OriginalError::Malformed(name))
    }
}

pub(super) const FORWARDED_HOST: &str = "x-forwarded-host";
pub(super) const FORWARDED_METHOD: &str = "x-forwarded-method";
pub(super) const FORWARDED_PROTO: &str = "x-forwarded-proto";
pub(super) const FORWARDED_URI: &str = "x-forwarded-uri";
pub(super) const ORIGINAL_METHOD: &str = "x-original-method";
pub(super) const ORIGINAL_URI: &str = "x-original-uri";
pub(super) const ORIGINAL_URL: &str = "x-original-url";

/// What only an authorization request has. Under these names nothing of a client reaches an upstream: some frameworks
/// route by them, past whatever was asked for at the path that is written in the request.
pub(crate) const ORIGINALS: [HeaderName; 6] = [
    HeaderName::from_static(FORWARDED_METHOD),
    HeaderName::from_static(FORWARDED_URI),
    HeaderName::from_static(ORIGINAL_METHOD),
    HeaderName::from_static(ORIGINAL_URI),
    HeaderName::from_static(ORIGINAL_URL),
    HeaderName::from_static("x-rewrite-url"),
];

const SHARED: [HeaderName; 2] = [
    HeaderName::from_static(FORWARDED_HOST),
    HeaderName::from_static(FORWARDED_PROTO),
];
