//! What the storages of one configuration take over from those of the configuration before.

use abi::config::Faults;
use tracing::{info, warn};

use super::settings::Settings;
use super::{Kept, Own, Storages};

impl Storages {
    /// The storage that is open already and can serve these settings as it is.
    ///
    /// # Errors
    /// When it is open in a way that cannot be changed while it is in use.
    pub(super) fn inherited(&self, name: &str, settings: &Settings) -> Result<Option<Own>, Faults> {
        let Some(before) = self.before.upgrade() else {
            return Ok(None);
        };
        let kept = before.own();
        if let Some(same) = kept.get(name).filter(|kept| kept.settings == *settings) {
            return Ok(Some(same.storage.clone()));
        }
        // A file is open once, whatever it is called.
        if let Some(open) = kept
            .values()
            .find(|kept| kept.settings.is_same_file(settings))
        {
            return match open.settings == *settings {
                true => Ok(Some(open.storage.clone())),
                false => Err(Faults::at("durability", FILE_IS_OPEN)),
            };
        }
        if let Some(kept) = kept.get(name) {
            kept.part(name);
        }
        Ok(None)
    }
}

impl Kept {
    /// Says what becomes of a storage that is opened in another way.
    fn part(&self, name: &str) {
        match self.settings {
            Settings::Memory(_) => warn!(storage = name, "{ENDS}"),
            Settings::File(_) | Settings::Redis(..) => info!(storage = name, "{ANEW}"),
        }
    }
}

const ANEW: &str = "its configuration has changed: it is opened anew";
const ENDS: &str =
    "its configuration has changed: it is opened anew, and the sessions in memory end";
const FILE_IS_OPEN: &str = "takes a restart: the file stays open while a new configuration is read";
