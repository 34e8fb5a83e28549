//! TLS as both sides of the gateway know it.

mod certificates;

pub use certificates::{Certificates, TlsError, TlsFiles};

// As they are agreed on (RFC 7301; RFC 9113, section 3.1).
pub(crate) const HTTP_1: &[u8] = b"http/1.1";
pub(crate) const HTTP_2: &[u8] = b"h2";
