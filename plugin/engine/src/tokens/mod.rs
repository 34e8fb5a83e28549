//! Tokens of others: OAuth 2 (RFC 6749) and OpenID Connect.
//!
//! A [`Provider`] gives tokens out, checks them and takes them back. What it says of itself and its keys are remembered;
//! while it is away, what was good goes on counting, and nothing that it does not say is taken for a no. A session keeps
//! its tokens as a [`TokenSet`].

mod cache;
mod config;
mod desk;
mod discovery;
mod error;
mod grant;
mod http;
mod introspect;
mod journal;
mod jwks;
mod jwt;
mod provider;
mod providers;
mod refresh;
mod remembered;
mod response;
mod token_set;
mod verify;

pub use config::{ClientAuth, ProviderConfig, ProvidersConfig};
pub use desk::TokenDesk;
pub use error::{GrantError, Outage, VerifyError, provider_unavailable};
pub use grant::Code;
pub use http::CallError;
pub use jwks::{KeySet, KeySetError};
pub use jwt::{Algorithm, Claims, Jwt, TokenError};
pub use provider::Provider;
pub use providers::Providers;
pub use refresh::{Due, Outcome, Refresher};
pub use response::TokenResponse;
pub use token_set::{Doubt, TokenSet};

#[cfg(test)]
mod tests;
