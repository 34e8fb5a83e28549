//! Whether those that need the session of a request have somebody before them who gives one.
//!
//! A plugin from before this was asked says nothing. What stands behind a middleware of such a one may have a session,
//! and is not judged; so is what stands behind one that could not be made.

mod judge;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use abi::SessionPart;
use abi::plugin::Kind;
use serde_json::Value;

use self::judge::Judge;
use super::catalogue::{Builtin, Catalogue, Entry, Source};
use crate::config::{Config, Declaration, Fault, Reference};

/// What components have to do with sessions, by their kinds and names.
#[derive(Debug, Default)]
pub(super) struct Sessions(HashMap<(Kind, String), Role>);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Role {
    Says(SessionPart),
    /// The gateway's own know nothing of sessions, but for a balancer that goes by them.
    Neither,
    Unsaid,
}

/// What there is in front of a component.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Before {
    NoSession,
    Session,
    Unknown,
}

impl Sessions {
    /// Notes what a declared component is, whose configuration is settled.
    pub(super) fn note(&mut self, declaration: &Declaration, entry: &Entry, config: &Value) {
        let used = entry.description.session.as_ref();
        let role = match (used.map(|used| used.part(config)), entry.source) {
            (Some(Some(part)), _) => Role::Says(part),
            // Not of every route: where nobody is known, endpoints are chosen as without it.
            (None, Source::Builtin(Builtin::Balancer)) if config["sticky"] == "session" => {
                Role::Says(SessionPart::NeedsAtTimes)
            }
            (None, Source::Builtin(_)) => Role::Neither,
            (Some(None), _) | (None, Source::Plugin(_)) => Role::Unsaid,
        };
        let key = (entry.description.kind, declaration.name.clone());
        self.0.insert(key, role);
    }

    /// All that stand where no session is.
    pub(super) fn faults(&self, config: &Config, catalogue: &Catalogue) -> Vec<Fault> {
        let judge = Judge {
            roles: self,
            config,
            givers: self.givers(config, catalogue),
        };
        judge.faults()
    }

    fn role(&self, kind: Kind, reference: &Reference) -> Role {
        let name = name(reference).to_owned();
        self.0.get(&(kind, name)).copied().unwrap_or(Role::Unsaid)
    }

    /// Who could be put before: those that are declared, or else those that could be.
    fn givers(&self, config: &Config, catalogue: &Catalogue) -> String {
        let gives = Some(&Role::Says(SessionPart::Gives));
        let declared = config.middlewares.iter().map(|declared| &declared.name);
        let declared: Vec<_> = declared
            .filter(|name| self.0.get(&(Kind::Middlewares, (*name).clone())) == gives)
            .map(|name| format!("`{name}`"))
            .collect();
        if !declared.is_empty() {
            return declared.join(", ");
        }
        let offered = catalogue.of_kind(Kind::Middlewares);
        let offered: Vec<_> = offered
            .filter(|(_, entry)| {
                let used = entry.description.session.as_ref();
                used.and_then(|used| used.part(&Value::Null)) == Some(SessionPart::Gives)
            })
            .map(|(name, _)| format!("one that uses `{name}`"))
            .collect();
        match offered.is_empty() {
            true => "one of a plugin that gives sessions, and `plugins` names none".to_owned(),
            false => offered.join(", "),
        }
    }
}

impl Role {
    fn lacks(self, before: Before) -> bool {
        self == Self::Says(SessionPart::Needs) && before == Before::NoSession
    }
}

impl Before {
    /// What there is behind a middleware as well.
    const fn then(self, role: Role) -> Self {
        match (self, role) {
            (Self::Session, _) | (_, Role::Says(SessionPart::Gives)) => Self::Session,
            (_, Role::Unsaid) => Self::Unknown,
            (before, _) => before,
        }
    }
}

/// What a component is known by: for one in place, where that is.
fn name(reference: &Reference) -> &str {
    match reference {
        Reference::Named(name) => name,
        Reference::Inline(declaration) => &declaration.name,
    }
}
