//! What middlewares and actions need that look after the tokens of sessions.

use std::sync::Arc;

use super::{Providers, Refresher};
use crate::middlewares::Keepers;

/// Lent to a component while it is made.
#[derive(Clone, Copy, Debug)]
pub struct TokenDesk<'a> {
    /// Who gives out tokens.
    pub providers: &'a Arc<Providers>,
    /// Where sessions are stored.
    pub keepers: &'a Arc<Keepers>,
    /// Who renews tokens.
    pub refresher: &'a Arc<Refresher>,
}
