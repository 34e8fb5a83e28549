//! Walks every route in the order in which a request does.

use std::collections::HashSet;

use abi::SessionPart;
use abi::plugin::Kind;

use super::{Before, Role, Sessions, name};
use crate::config::{Config, Fault, Reference, Route};

pub(super) struct Judge<'a> {
    pub(super) roles: &'a Sessions,
    pub(super) config: &'a Config,
    /// Who could be put before.
    pub(super) givers: String,
}

impl Judge<'_> {
    pub(super) fn faults(&self) -> Vec<Fault> {
        let (everywhere, mut faults) = self.everywhere();
        let ends: Vec<_> = self
            .config
            .routes
            .iter()
            .map(|route| self.walk(route, everywhere, &mut faults))
            .collect();
        faults.extend(self.actions(&ends));
        faults
    }

    /// Those that run on every route, before its own.
    fn everywhere(&self) -> (Before, Vec<Fault>) {
        let mut faults = Vec::new();
        let mut before = match self.config.is_known("middlewares") {
            true => Before::NoSession,
            false => Before::Unknown,
        };
        let everywhere = self.config.middlewares.iter();
        for declared in everywhere.filter(|declared| declared.any_request) {
            let key = (Kind::Middlewares, declared.name.clone());
            let role = self.roles.0.get(&key).copied().unwrap_or(Role::Unsaid);
            if role.lacks(before) {
                let message = format!(
                    "needs a session, and with `anyRequest` it runs before all that could give one; \
                     expected before it, with `anyRequest` too: {}",
                    self.givers
                );
                faults.push(declared.origin.fault("", message));
            }
            before = before.then(role);
        }
        (before, faults)
    }

    /// Goes through the middlewares of a route, and says what its action has before it.
    fn walk(&self, route: &Route, everywhere: Before, faults: &mut Vec<Fault>) -> Before {
        let mut before = everywhere;
        for (index, reference) in route.middlewares.iter().enumerate() {
            let role = self.roles.role(Kind::Middlewares, reference);
            if role.lacks(before) {
                let place = format!("middlewares[{index}]");
                let message = self.out_of_place(reference, &route.middlewares[index + 1..]);
                faults.push(route.origin.fault(&place, message));
            }
            before = before.then(role);
        }
        before
    }

    fn out_of_place(&self, reference: &Reference, after: &[Reference]) -> String {
        let gives = Role::Says(SessionPart::Gives);
        let late = after
            .iter()
            .find(|later| self.roles.role(Kind::Middlewares, later) == gives);
        match late {
            Some(late) => format!(
                "{} needs a session, and {}, which gives one, comes after it; expected the other order",
                shown(reference),
                shown(late)
            ),
            None => format!(
                "{} needs a session, and no middleware before it gives one; expected before it: {}",
                shown(reference),
                self.givers
            ),
        }
    }

    /// The actions of routes that end so.
    fn actions(&self, ends: &[Before]) -> Vec<Fault> {
        let routes = || self.config.routes.iter().zip(ends);
        let knows_all = self.config.is_known("routes");
        let served: HashSet<_> = routes()
            .filter(|(_, end)| **end != Before::NoSession)
            .map(|(route, _)| name(&route.action))
            .collect();
        let lacking = routes().filter(|(route, end)| {
            let role = self.roles.role(Kind::Actions, &route.action);
            let at_times = role == Role::Says(SessionPart::NeedsAtTimes);
            **end == Before::NoSession
                && (role.lacks(**end)
                    || at_times && knows_all && !served.contains(name(&route.action)))
        });
        lacking
            .map(|(route, _)| {
                let message = format!(
                    "{} needs a session, and no middleware of this route gives one; expected among them: {}",
                    shown(&route.action),
                    self.givers
                );
                route.origin.fault("action", message)
            })
            .collect()
    }
}

fn shown(reference: &Reference) -> String {
    match reference {
        Reference::Named(name) => format!("`{name}`"),
        Reference::Inline(declaration) => format!("`{}`", declaration.component),
    }
}
