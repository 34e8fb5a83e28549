//! The way of one command to a node that the routes do not lead to.

use std::sync::Arc;

use abi::storage::Unavailable;

use crate::storage::redis::deployment::{Aim, Links};
use crate::storage::redis::link::{Line, Patience};

/// Where a redirect leads.
#[derive(Debug)]
pub(in crate::storage::redis) struct Detour {
    pub(super) links: Arc<Links>,
    pub(super) is_asking: bool,
    pub(super) patience: Patience,
}

impl Detour {
    /// The connection to there. It may be one that nobody has needed before, so it is given the time to be made.
    pub(in crate::storage::redis) async fn line(&self, aim: Aim<'_>) -> Result<Line, Unavailable> {
        let link = match aim {
            Aim::Part(_) => self.links.any(),
            Aim::Row(key) => self.links.of(key),
        };
        let line = link.line(self.patience, None).await?;
        Ok(match self.is_asking {
            true => line.asking(),
            false => line,
        })
    }
}
