//! What stands at the end of a route, one room per name in YAML.

mod answers;
mod login;

pub use login::{LoginAction, LoginConfig, LoginPageChoice, LoginPageConfig, NoPage};
