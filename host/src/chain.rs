//! The middlewares of a route around its action.
//!
//! ```text
//! request   --> A --> B --> C --> action
//! response  <-- A <-- B <-- C <------'
//! ```
//! Whoever answers early turns the request around: those before it still see the response.

use std::fmt;
use std::sync::Arc;

use abi::failure::{Failure, Kind};
use abi::handle::{ActionHandle, MiddlewareHandle, PhaseState};
use abi::{Exchange as Lent, Flow};
use smallvec::SmallVec;
use tracing::{error, info, warn};

use crate::actions::authorize;
use crate::exchange::Exchange;
use crate::rescue;
use crate::upstream::Forwarder;

/// What a route does with a request.
pub(crate) struct Chain {
    pub(crate) steps: Vec<Arc<Step>>,
    pub(crate) action: Arc<ActionStep>,
}

/// A middleware and what it is called in the log.
pub(crate) struct Step {
    pub(crate) label: Label,
    pub(crate) middleware: MiddlewareHandle,
}

/// An action and what it is called in the log.
pub(crate) struct ActionStep {
    pub(crate) label: Label,
    pub(crate) action: Action,
}

/// What stands at the end of a chain.
pub(crate) enum Action {
    /// Answers a proxy that the request may pass.
    Authorize,
    /// Forwards to the service of this number.
    Forward(usize),
    /// Any other.
    Handle(ActionHandle),
}

/// Who it was, when something went wrong.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    /// The plugin, or `gateway`.
    pub(crate) plugin: Arc<str>,
    /// The name in the configuration.
    pub(crate) name: Arc<str>,
}

type States = SmallVec<[PhaseState; 4]>;

impl Chain {
    /// Runs both phases. Afterwards the exchange has a response.
    pub(crate) async fn run(&self, exchange: &mut Exchange, upstreams: &[Forwarder]) {
        let mut states = States::new();
        if self.enter(exchange, &mut states).await {
            self.action.run(exchange, upstreams).await;
        }
        for (step, state) in self.steps.iter().zip(states).rev() {
            let phase = step.middleware.on_response(Lent::new(exchange), state);
            if let Err(failure) = phase.wait().await {
                step.label.fail(&failure, exchange);
            }
        }
    }

    /// Runs the request phase; false when somebody has turned the request around.
    async fn enter(&self, exchange: &mut Exchange, states: &mut States) -> bool {
        for step in &self.steps {
            let phase = step.middleware.on_request(Lent::new(exchange));
            match phase.wait().await {
                Ok(Flow::Next(state)) => states.push(state),
                Ok(Flow::Respond) => {
                    step.label.expect_response(exchange);
                    return false;
                }
                Err(failure) => {
                    step.label.fail(&failure, exchange);
                    return false;
                }
            }
        }
        true
    }
}

impl ActionStep {
    async fn run(&self, exchange: &mut Exchange, upstreams: &[Forwarder]) {
        match &self.action {
            Action::Authorize => authorize::allow(exchange),
            Action::Forward(number) => {
                let response = match upstreams[*number].send(exchange).await {
                    Ok(mut response) => {
                        if let Some(session) = exchange.attached() {
                            response.body_mut().watch_session(session);
                        }
                        response
                    }
                    Err(failure) => {
                        let cause = std::error::Error::source(&failure).map(ToString::to_string);
                        let (action, request) = (&*self.label.name, exchange.id());
                        warn!(action, request, %failure, cause, "upstream failed");
                        rescue::upstream(&failure)
                    }
                };
                exchange.set_response(response);
            }
            Action::Handle(action) => {
                let called = action.call(Lent::new(exchange)).wait().await;
                match called {
                    Ok(()) => self.label.expect_response(exchange),
                    Err(failure) => self.label.fail(&failure, exchange),
                }
            }
        }
    }
}

impl Label {
    /// Turns a failure into the response, and writes down what the client is not told.
    fn fail(&self, failure: &Failure, exchange: &mut Exchange) {
        let (plugin, component) = (&*self.plugin, &*self.name);
        let (reason, message) = (failure.reason(), failure.message());
        let request = exchange.id();
        match failure.kind() {
            Kind::INTERNAL => error!(plugin, component, reason, request, "{message}"),
            Kind::UNAVAILABLE => warn!(plugin, component, reason, request, "{message}"),
            _ => info!(plugin, component, reason, request, "{message}"),
        }
        exchange.set_response(rescue::failure(failure.kind()));
    }

    fn expect_response(&self, exchange: &mut Exchange) {
        if !exchange.has_response() {
            self.fail(
                &Failure::internal("it promised a response and gave none"),
                exchange,
            );
        }
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.steps.iter().map(|step| &step.label.name);
        f.debug_list()
            .entries(names)
            .entry(&self.action.label.name)
            .finish()
    }
}
