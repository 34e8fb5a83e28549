//! Cookies, in both directions: find ours in what the browser sent, hide it from the upstream, set and clear it.
//!
//! Pure: bytes in, bytes out, `now` is an argument.

mod domain;
mod find;
mod name;
mod named;
mod path;
mod prefix;
mod render;
mod rules;
mod strip;

pub use domain::{CookieDomain, DomainError};
pub use find::{Candidates, MAX_CANDIDATES};
pub use name::{CookieName, NameError};
pub use path::{CookiePath, PathError};
pub use prefix::Prefix;
pub use rules::{CookieAttribute, CookieRules, CookieRulesError, MAX_AGE, MAX_PAIR, SameSite};
pub use strip::strip;
