//! What an operator may say about the list of sessions, as written.

use std::collections::BTreeMap;
use std::fmt;

use abi::config::ConfigPath;
use schemars::JsonSchema;
use serde::Deserialize;

/// The user's own sessions, on `/sessions` and `/sessions/:id`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct SessionsConfig {
    /// The page that browsers get.
    pub page: SessionsPageConfig,
}

/// The page with the list.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct SessionsPageConfig {
    /// What stands above the list and in the tab. Absent: `title` of the messages.
    pub title: Option<String>,
    /// The language of the texts, as browsers and screen readers know it: `en`, `de-AT`. Absent: `en`.
    pub language: Option<String>,
    /// A file of CSS that changes the look, best by the variables on `:root`.
    pub theme_file: Option<ConfigPath>,
    /// Texts by name, in place of the usual ones.
    pub messages: BTreeMap<String, String>,
}

impl fmt::Debug for SessionsPageConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsPageConfig")
            .field("title", &self.title)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}
