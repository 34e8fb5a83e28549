//! What an operator may say about logging out, as written.

use schemars::JsonSchema;
use serde::Deserialize;

/// How people log out, and where they go afterwards.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct LogoutConfig {
    /// Where people go who did not say: a path of this site, or a URL at one of `allowedReturnOrigins`.
    pub return_to: String,
    /// The field that says where to go after the logout.
    pub return_parameter: String,
    /// Other origins that people may be sent to.
    pub allowed_return_origins: Vec<String>,
    /// Whether a GET logs out as well, for a link in place of a button. It has to come from a page of this site, or be
    /// typed.
    pub allow_get: bool,
    /// Whether the login at the provider ends as well: the browser goes there, and comes back to `<path>/done`, a second
    /// route to the same action. It does where the session has tokens of a provider with a place for that.
    pub provider_logout: bool,
    /// Where browsers come back to from the provider, as it is registered there: `https://login.example.com/logout/done`.
    /// Absent: at the scheme and host of the request.
    pub post_logout_redirect_uri: Option<String>,
}

impl Default for LogoutConfig {
    fn default() -> Self {
        Self {
            return_to: "/".to_owned(),
            return_parameter: "redirect_path".to_owned(),
            allowed_return_origins: Vec::new(),
            allow_get: false,
            provider_logout: true,
            post_logout_redirect_uri: None,
        }
    }
}
