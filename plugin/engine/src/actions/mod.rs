//! What stands at the end of a route, one room per name in YAML.

mod accept;
mod answers;
mod form;
mod info;
mod links;
mod login;
mod logout;
mod openapi;
mod refresh;
mod remaining;
mod returns;
mod sessions;
mod times;
mod visitor;

pub use info::{InfoAction, InfoConfig};
pub use login::{
    LoginAction, LoginConfig, LoginPageChoice, LoginPageConfig, NoPage, PasswordGrantConfig,
    ProviderNames,
};
pub use logout::{LogoutAction, LogoutConfig};
pub use openapi::{OpenApiAction, OpenApiConfig};
pub use refresh::{RefreshAction, RefreshConfig};
pub use sessions::{SessionsAction, SessionsConfig, SessionsPageConfig};
