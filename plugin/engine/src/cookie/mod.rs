//! Cookies, in both directions: find ours in what the browser sent, hide it from the upstream, set and clear it.
//!
//! Pure: bytes in, bytes out, `now` is an argument.

mod find;
mod name;
mod pairs;
mod render;
mod strip;

pub use find::{Candidates, MAX_CANDIDATES};
pub use name::{CookieName, NameError};
pub use render::{CookieRules, CookieRulesError, SameSite};
pub use strip::strip;
