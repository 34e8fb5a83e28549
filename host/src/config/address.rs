//! Where to listen, as the user writes it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// One place to listen at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Address {
    /// `host:port`; port 0 lets the system choose one.
    Tcp(String),
    /// `unix:/path`.
    Unix(PathBuf),
}

/// The text is no address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected `host:port`, `[ipv6]:port` or `unix:/path`")]
pub struct AddressError;

impl Address {
    /// Whether it is a file.
    pub const fn is_unix(&self) -> bool {
        matches!(self, Self::Unix(_))
    }

    /// Whether one of the others leaves no place for it. With port 0 each has a port of its own.
    pub fn is_taken_by(&self, others: &[Self]) -> bool {
        let has_free_choice = matches!(self, Self::Tcp(text) if text.ends_with(":0"));
        !has_free_choice && others.contains(self)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            return if path.is_absolute() {
                Ok(Self::Unix(path))
            } else {
                Err(AddressError)
            };
        }
        let (host, port) = text.rsplit_once(':').ok_or(AddressError)?;
        let is_bare_ipv6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
        if host.is_empty() || is_bare_ipv6 || port.parse::<u16>().is_err() {
            return Err(AddressError);
        }
        Ok(Self::Tcp(text.to_owned()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_it_was_read() {
        for text in ["0.0.0.0:80", "localhost:0", "[::1]:80", "unix:/run/a.sock"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_no_address() {
        for text in ["", ":80", "a", "a:", "a:65536", "::1:80", "unix:", "unix:a"] {
            assert_eq!(text.parse::<Address>(), Err(AddressError), "{text}");
        }
    }
}
