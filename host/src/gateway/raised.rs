//! The flags that `SetMiddleware` raises, held against those that somebody heeds.

use crate::config::{Fault, Origin, suggest};
use crate::desk::Desk;

/// What is raised, and where that is written.
#[derive(Debug, Default)]
pub(super) struct Raised(Vec<(Origin, String)>);

impl Raised {
    /// Notes the `values` of a middleware whose configuration is at `origin`.
    pub(super) fn add(&mut self, origin: &Origin, values: &[String]) {
        let places = values.iter().enumerate();
        self.0.extend(places.map(|(index, name)| {
            let place = origin.key(&format!("values[{index}]"));
            (place, name.clone())
        }));
    }

    /// Those that nobody has asked for who was made beside them. A plugin may still ask later: no fault, but most likely
    /// a mistake.
    pub(super) fn unheeded(&self, desk: &Desk) -> Vec<Fault> {
        let raised: Vec<_> = self.0.iter().map(|(_, name)| name.as_str()).collect();
        let heeded = desk.heeded_flags(&raised);
        let unheeded = self.0.iter().filter(|(_, name)| !heeded.contains(name));
        unheeded
            .map(|(place, name)| {
                let known = suggest(name, heeded.iter().map(String::as_str));
                let message = format!("no middleware or action heeds the flag `{name}`, {known}");
                place.fault("", message)
            })
            .collect()
    }
}
