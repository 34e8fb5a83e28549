//! What an operator may say about the list of sessions, as written.

use std::fmt;

use abi::config::ConfigPath;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::page::Messages;

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
    /// A file of YAML or JSON with texts in place of the usual ones.
    pub messages_file: Option<ConfigPath>,
    /// Texts by name, in place of the usual ones and of those in the file.
    pub messages: Messages,
}

impl fmt::Debug for SessionsPageConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsPageConfig")
            .field("title", &self.title)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}
