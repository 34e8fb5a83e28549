//! What an operator may say about logging in, as written.

use std::fmt;

use abi::config::{ConfigPath, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::page::Messages;

/// Who may log in, how, and where they go afterwards.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct LoginConfig {
    /// A file with a user in each line, `name:hash`, as `htpasswd -B` writes it: argon2id or bcrypt. A change is noticed
    /// at the next login. The name becomes the session's principal.
    pub users_file: Option<ConfigPath>,
    /// Where user names and passwords are checked in place of a file: a provider that takes them (OAuth 2 password
    /// grant).
    pub password_grant: Option<PasswordGrantConfig>,
    /// The provider that people log in with, or a list of those among which they choose (OpenID Connect code flow). Needs
    /// a second route, `<path>/callback`, to the same action.
    pub provider: Option<ProviderNames>,
    /// Where browsers come back to from a provider, as it is registered there: `https://login.example.com/login/callback`.
    /// Absent: at the scheme and host of the request, which are the client's where `trustedProxies` says so.
    pub redirect_uri: Option<String>,
    /// What attempts to log in with a provider are sealed with, the newest first. `secretsFile` has one in each line.
    /// Empty: the `clientSecret` of the providers does.
    pub secrets: Vec<Secret>,
    /// The page that a GET is answered with. `none`: there is no page, and only a POST logs in.
    pub page: LoginPageChoice,
    /// Where people go who did not say where they came from: a path of this site, or a URL at one of
    /// `allowedReturnOrigins`.
    pub return_to: String,
    /// The parameter of query and form that says where to go after the login.
    pub return_parameter: String,
    /// Other origins that people may be sent to: `https://app.example.com`, or `https://*.example.com` for every host
    /// below a domain. Paths of this site are allowed anyway.
    pub allowed_return_origins: Vec<String>,
    /// The attribute that names the user. The same as `principal` of the LoadSessionMiddleware on this route.
    pub principal: String,
}

/// Who is told passwords.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PasswordGrantConfig {
    /// A name from the plugin's `providers`.
    pub provider: String,
}

/// One name from the plugin's `providers`, or several.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ProviderNames {
    /// `corporate`
    One(String),
    /// `[corporate, partners]`
    Many(Vec<String>),
}

/// A page, or none.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum LoginPageChoice {
    /// `none`
    None(NoPage),
    /// What the page says, and how it looks.
    Page(Box<LoginPageConfig>),
}

/// The word for no page.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NoPage {
    /// `none`
    None,
}

/// The login page.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct LoginPageConfig {
    /// What stands above the form and in the tab. Absent: `title` of the messages.
    pub title: Option<String>,
    /// The language of the texts, as browsers and screen readers know it: `en`, `de-AT`. Absent: `en`.
    pub language: Option<String>,
    /// Whether the form has a box for staying logged in. It does something where the LoadSessionMiddleware of the route
    /// has `rememberMe`.
    pub remember_me: bool,
    /// A file of CSS that changes the look, best by the variables on `:root`.
    pub theme_file: Option<ConfigPath>,
    /// A file of YAML or JSON with texts in place of the usual ones.
    pub messages_file: Option<ConfigPath>,
    /// Texts by name, in place of the usual ones and of those in the file.
    pub messages: Messages,
}

impl Default for LoginConfig {
    fn default() -> Self {
        Self {
            users_file: None,
            password_grant: None,
            provider: None,
            redirect_uri: None,
            secrets: Vec::new(),
            page: LoginPageChoice::default(),
            return_to: "/".to_owned(),
            return_parameter: "redirect_path".to_owned(),
            allowed_return_origins: Vec::new(),
            principal: "user_id".to_owned(),
        }
    }
}

impl ProviderNames {
    /// Each name, with the key that it stands at.
    pub(super) fn places(&self) -> impl Iterator<Item = (String, &str)> {
        let (one, many) = match self {
            Self::One(name) => (Some(("provider".to_owned(), name.as_str())), None),
            Self::Many(names) => (None, Some(names)),
        };
        let many = many.into_iter().flatten().enumerate();
        let many = many.map(|(place, name)| (format!("provider[{place}]"), name.as_str()));
        one.into_iter().chain(many)
    }
}

impl Default for LoginPageChoice {
    fn default() -> Self {
        Self::Page(Box::default())
    }
}

impl fmt::Debug for LoginPageConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginPageConfig")
            .field("title", &self.title)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}
