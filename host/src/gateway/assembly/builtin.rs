//! The actions that the gateway itself brings.

use std::sync::Arc;

use abi::config::Faults;
use abi::handle::ActionHandle;
use serde_json::Value;

use super::{Assembler, parse};
use crate::actions::authorize::AuthorizeConfig;
use crate::actions::{BalancerConfig, EchoAction, HttpConfig, StaticAction};
use crate::chain::Action;
use crate::config::Address;
use crate::gateway::catalogue::Builtin;
use crate::gateway::ownership;
use crate::upstream::{Patience, Service};

impl<'a> Assembler<'a> {
    pub(super) fn builtin_action(
        &mut self,
        builtin: Builtin,
        name: &str,
        config: Value,
    ) -> Option<Result<Action, Faults>> {
        let patience = Patience::from(&self.config.server.timeouts);
        let handle = match builtin {
            Builtin::Authorize => {
                return Some(parse(config).map(|AuthorizeConfig {}| Action::Authorize));
            }
            Builtin::Echo => EchoAction::new(&self.services).map(ActionHandle::new),
            Builtin::Static => parse(config)
                .and_then(|config| StaticAction::new(config, &self.services))
                .map(ActionHandle::new),
            Builtin::Http => {
                let origin = parse(config).and_then(|config: HttpConfig| config.origin(patience));
                let own = self.own_addresses();
                let origin = origin.and_then(|origin| ownership::refuse_one(origin, own));
                let origin = origin.map(|origin| Arc::new(origin.shown(name, self.metrics)));
                return Some(origin.map(|origin| self.forward(Service::One(origin))));
            }
            Builtin::Balancer => {
                let group = parse(config)
                    .and_then(|config: BalancerConfig| config.group(name, patience, self.metrics));
                let own = self.own_addresses();
                let group = group.and_then(|group| ownership::refuse_any(group, own));
                let before = self.before.and_then(|before| before.group(name));
                let group = group.map(|group| Arc::new(group.following(before)));
                return Some(group.map(|group| self.forward(Service::Many(group))));
            }
            Builtin::Set => return None,
        };
        Some(handle.map(Action::Handle))
    }

    fn own_addresses(&self) -> &'a [Address] {
        match self.config.is_known("server") {
            true => &self.config.server.addresses,
            false => &[],
        }
    }

    fn forward(&mut self, service: Service) -> Action {
        self.upstreams.push(service);
        Action::Forward(self.upstreams.len() - 1)
    }
}
