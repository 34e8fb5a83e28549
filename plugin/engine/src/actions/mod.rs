//! What stands at the end of a route, one room per name in YAML.

mod accept;
mod answers;
mod info;
mod login;
mod refresh;
mod remaining;
mod sessions;
mod times;
mod visitor;

pub use info::{InfoAction, InfoConfig};
pub use login::{LoginAction, LoginConfig, LoginPageChoice, LoginPageConfig, NoPage};
pub use refresh::{RefreshAction, RefreshConfig};
pub use sessions::{SessionsAction, SessionsConfig, SessionsPageConfig};
