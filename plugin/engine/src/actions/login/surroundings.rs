//! A login held against the middlewares that keep its sessions.
//!
//! Which of them is on the route of a login is not known here. So only what holds of all of them is said.

use super::config::{LoginConfig, LoginPageChoice};
use crate::middlewares::{Keeper, Keepers};

/// What will not work with any of the middlewares that are known.
pub(super) fn warnings(config: &LoginConfig, keepers: &Keepers) -> Vec<String> {
    let known = keepers.known();
    let all = |holds: &dyn Fn(&Keeper) -> bool| !known.is_empty() && known.iter().all(holds);
    let is_another = |keeper: &Keeper| {
        let principal = keeper.engine().policy().principal.as_deref();
        principal != Some(config.principal.as_str())
    };
    let forgets = |keeper: &Keeper| keeper.engine().policy().lifetime.remembered.is_none();
    let names: Vec<_> = known.iter().map(Keeper::name).collect();
    let names = names.join(", ");
    let mut found = Vec::new();
    if all(&is_another) {
        found.push(format!(
            "principal is `{}`, and that of {names} is another: whoever logs in belongs to nobody there",
            config.principal
        ));
    }
    if offers_to_remember(config) && all(&forgets) {
        found.push(format!(
            "page.rememberMe shows a box without effect: {names} has no rememberMe"
        ));
    }
    if config.provider.is_some() && all(&Keeper::is_strict) {
        found.push(format!(
            "cookieSameSite of {names} is Strict: who comes back from a provider comes without a session; use Lax"
        ));
    }
    found
}

fn offers_to_remember(config: &LoginConfig) -> bool {
    match &config.page {
        LoginPageChoice::Page(page) => page.remember_me,
        LoginPageChoice::None(_) => false,
    }
}
