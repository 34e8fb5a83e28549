//! The configuration of a login as it is meant: parsed, with the files it names, and free of contradictions.

use std::sync::Arc;

use abi::Services;
use abi::config::{Faults, Secret};
use tracing::warn;

use super::code::CodeFlow;
use super::config::{LoginConfig, LoginPageChoice, NoPage, ProviderNames};
use super::passwords::{FileUsers, Passwords};
use super::view::View;
use crate::actions::returns::Returns;
use crate::clock::Clock;
use crate::session::Errands;
use crate::tokens::{Provider, Providers};

/// What a login is made of.
pub(super) struct Settings {
    pub(super) passwords: Option<Passwords>,
    pub(super) code: Option<CodeFlow>,
    pub(super) view: Option<View>,
    pub(super) returns: Returns,
}

impl Settings {
    pub(super) fn of(
        config: &LoginConfig,
        providers: &Providers,
        clock: &Arc<dyn Clock>,
        services: &Services,
    ) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        if config.principal.is_empty() {
            let message = "expected the name of a session attribute, found nothing";
            faults.push("principal", message);
        }
        let passwords = faults.absorb(passwords(config, providers));
        let code = faults.absorb(code(config, providers, (clock, services)));
        let has_way = config.users_file.is_some()
            || config.password_grant.is_some()
            || config.provider.is_some();
        if !has_way {
            let message =
                "nobody can log in; name a `usersFile`, a `provider` or a `passwordGrant`";
            faults.push("", message);
        }
        let returns = faults.absorb(Returns::new(
            &config.return_parameter,
            &config.allowed_return_origins,
            &config.return_to,
        ));
        let view = faults.absorb(view(config, services));
        match (passwords, code, returns, view) {
            (Some(passwords), Some(code), Some(returns), Some(view)) => faults.or(Self {
                passwords,
                code,
                view,
                returns,
            }),
            _ => Err(faults),
        }
    }
}

fn passwords(config: &LoginConfig, providers: &Providers) -> Result<Option<Passwords>, Faults> {
    match (&config.users_file, &config.password_grant) {
        (None, None) => Ok(None),
        (Some(path), None) => FileUsers::open(path).map(|users| Some(Passwords::File(users))),
        (None, Some(grant)) => {
            let provider = providers.named("passwordGrant.provider", &grant.provider)?;
            Ok(Some(Passwords::Grant(provider)))
        }
        (Some(_), Some(_)) => Err(Faults::at(
            "passwordGrant",
            "cannot be given together with usersFile: nobody could say whose password it is",
        )),
    }
}

fn code(
    config: &LoginConfig,
    providers: &Providers,
    (clock, services): (&Arc<dyn Clock>, &Services),
) -> Result<Option<CodeFlow>, Faults> {
    let mut faults = Faults::default();
    let Some(names) = &config.provider else {
        if config.redirect_uri.is_some() {
            faults.push("redirectUri", "is for logins with a `provider`");
        }
        return faults.or(None);
    };
    let found: Vec<_> = names
        .places()
        .filter_map(|(key, name)| faults.absorb(providers.named(&key, name)))
        .collect();
    faults.extend(repeated(names));
    faults.or(())?;
    if found.is_empty() {
        return Err(Faults::at(
            "provider",
            "expected a name, or a list of names",
        ));
    }
    let errands = errands(&config.secrets, &found)?;
    let redirect_uri = config.redirect_uri.as_deref();
    let desk = (Arc::clone(clock), services);
    CodeFlow::new(found, redirect_uri, errands, desk).map(Some)
}

/// People would choose among the same twice.
fn repeated(names: &ProviderNames) -> Faults {
    let mut faults = Faults::default();
    let places: Vec<_> = names.places().collect();
    for (place, (key, name)) in places.iter().enumerate() {
        if places[..place].iter().any(|(_, earlier)| earlier == name) {
            faults.push(key, format!("`{name}` is there already"));
        }
    }
    faults
}

/// What attempts are sealed with: every gateway with the same configuration has it.
fn errands(secrets: &[Secret], providers: &[Arc<Provider>]) -> Result<Errands, Faults> {
    if !secrets.is_empty() {
        return Ok(Errands::of(secrets));
    }
    let shown = providers.iter();
    let shared: Vec<_> = shown
        .map(|provider| provider.config().client_secret.reveal())
        .filter(|secret| !secret.is_empty())
        .collect();
    if !shared.is_empty() {
        return Ok(Errands::of(&[Secret::new(shared.join("\n"))]));
    }
    warn!("no `secrets` and no `clientSecret`: a login must come back to the gateway it began at");
    Errands::of_one_gateway().map_err(|error| Faults::at("", error.to_string()))
}

fn view(config: &LoginConfig, services: &Services) -> Result<Option<View>, Faults> {
    match &config.page {
        LoginPageChoice::None(NoPage::None) => Ok(None),
        LoginPageChoice::Page(page) => {
            let targets = config.allowed_return_origins.join(" ");
            let view = View::new(page, targets, services);
            view.map(Some).map_err(|found| found.under("page"))
        }
    }
}
