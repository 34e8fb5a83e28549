//! From a configuration to everything that serves it. Complete, or a list of all that is wrong.

mod builtin;

use std::collections::HashMap;
use std::sync::Arc;

use abi::config::Faults;
use abi::handle::MiddlewareHandle;
use abi::loader::{LoadedPlugin, OpenPlugin};
use abi::plugin::Kind;
use abi::{Purpose, Services};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::warn;

use super::below::Below;
use super::catalogue::{Builtin, Source};
use super::library::{Libraries, config_faults};
use super::raised::Raised;
use super::sessions::Sessions;
use super::unmade;
use crate::actions::authorize::Inquiry;
use crate::chain::{Action, ActionStep, Chain, Label, Step};
use crate::config::{Config, Declaration, Fault, Reference, Route, shape};
use crate::desk::{Desk, Reserved};
use crate::metrics::{Metrics, RouteCounters};
use crate::middlewares::{SetConfig, SetMiddleware};
use crate::router::Router;
use crate::upstream::{Group, Service};

/// Everything that serves one configuration.
#[derive(Debug)]
pub(crate) struct Assembly {
    pub(crate) router: Arc<Router>,
    pub(crate) routes: Vec<RouteChain>,
    pub(crate) upstreams: Vec<Service>,
    pub(crate) reserved: Arc<Reserved>,
    pub(crate) desk: Arc<Desk>,
    /// What was opened stays open as long as what it made. By the names of the plugins.
    plugins: Vec<(String, OpenPlugin)>,
}

/// A route, ready to run.
#[derive(Debug)]
pub(crate) struct RouteChain {
    pub(crate) pattern: Arc<str>,
    pub(crate) counters: Arc<RouteCounters>,
    /// How it is asked about requests of others, if it is.
    pub(crate) inquiry: Option<Inquiry>,
    pub(crate) chain: Chain,
}

/// What a configuration is assembled for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Occasion<'a> {
    /// To be looked at, perhaps beside a gateway that serves by it.
    Check,
    /// To serve in this process, which serves by an earlier one.
    Reload(&'a Assembly),
    /// To serve, or for what an operator does about sessions.
    Start,
}

struct Assembler<'a> {
    config: &'a Config,
    libraries: &'a Libraries,
    metrics: &'a Metrics,
    desk: Arc<Desk>,
    services: Services,
    before: Option<&'a Assembly>,
    plugins: Vec<Option<OpenPlugin>>,
    upstreams: Vec<Service>,
    steps: HashMap<String, Arc<Step>>,
    actions: HashMap<String, Arc<ActionStep>>,
    raised: Raised,
    sessions: Sessions,
    below: Below,
    faults: Vec<Fault>,
}

impl Assembly {
    /// Opens the plugins, then makes every storage, then every middleware and action, named or in place, used or not.
    /// At a reload, plugins share with those of the assembly before, which goes on serving, what has to survive it.
    ///
    /// # Errors
    /// With every fault of all of them.
    pub(crate) fn new(
        config: &Config,
        libraries: &Libraries,
        metrics: &Arc<Metrics>,
        occasion: Occasion<'_>,
    ) -> Result<Self, Vec<Fault>> {
        let (purpose, before) = match occasion {
            Occasion::Check => (Purpose::Check, None),
            Occasion::Start => (Purpose::Serve, None),
            Occasion::Reload(before) => (Purpose::Serve, Some(before)),
        };
        let desk = Arc::new(Desk::new(Arc::clone(metrics), purpose));
        let made = Self::make((config, libraries), metrics, before, Arc::clone(&desk));
        made.inspect_err(|_| desk.forget())
    }

    fn make(
        (config, libraries): (&Config, &Libraries),
        metrics: &Metrics,
        before: Option<&Self>,
        desk: Arc<Desk>,
    ) -> Result<Self, Vec<Fault>> {
        let mut assembler = Assembler {
            config,
            libraries,
            metrics,
            services: Services::new(Arc::clone(&desk)),
            desk,
            before,
            plugins: Vec::new(),
            upstreams: Vec::new(),
            steps: HashMap::new(),
            actions: HashMap::new(),
            raised: Raised::default(),
            sessions: Sessions::default(),
            below: Below::default(),
            faults: Vec::new(),
        };
        assembler.open_plugins();
        assembler.make_storages();
        assembler.make_declared();
        let routes = assembler.make_routes(metrics);
        assembler.judge_sessions();
        assembler.finish(routes)
    }
}

impl Assembly {
    /// The services of the balancing action of this name.
    fn group(&self, name: &str) -> Option<&Group> {
        let mut groups = self.upstreams.iter().filter_map(|service| match service {
            Service::Many(group) => Some(&**group),
            Service::One(_) => None,
        });
        groups.find(|group| group.name() == name)
    }
}

impl<'a> Assembler<'a> {
    fn open_plugins(&mut self) {
        for (plugin, loaded) in &self.libraries.loaded {
            let schema = &loaded.description().schema;
            let opened = shape::settle(schema, plugin.config.clone(), &self.config.dir)
                .and_then(|config| self.open(loaded, &config))
                .map_err(|faults| config_faults(plugin, faults));
            let opened = self.accept(opened);
            self.plugins.push(opened);
        }
    }

    fn open(&self, loaded: &LoadedPlugin, config: &Value) -> Result<OpenPlugin, Faults> {
        let name = &loaded.description().name;
        let before = self.before.map_or(&[][..], |before| &before.plugins);
        let services = self.services.clone();
        match before.iter().find(|(known, _)| known == name) {
            Some((_, before)) => loaded.reopen(services, config, before),
            None => loaded.open(services, config),
        }
    }

    fn make_storages(&mut self) {
        if !self.config.is_known("storages") {
            self.desk.stand_in(unmade::storage());
        }
        for declaration in &self.config.storages {
            let settled = self.settle(declaration, Kind::Storages);
            let made = settled.and_then(|(source, component, config)| match source {
                Source::Plugin(number) => self.plugin(number, |plugin| {
                    plugin.storage(&component, &declaration.name, &config)
                }),
                Source::Builtin(_) => None,
            });
            // A storage that cannot be made is a fault of its own; whoever names it is not at fault as well.
            let storage = self.place(declaration, made);
            let storage = storage.unwrap_or_else(unmade::storage);
            self.desk.add_storage(&declaration.name, storage);
        }
    }

    fn make_declared(&mut self) {
        for declaration in &self.config.middlewares {
            if let Some(step) = self.make_step(declaration) {
                self.steps.insert(declaration.name.clone(), step);
            }
        }
        for declaration in &self.config.actions {
            if let Some(action) = self.make_action(declaration) {
                self.actions.insert(declaration.name.clone(), action);
            }
        }
    }

    fn make_routes(&mut self, metrics: &Metrics) -> Vec<RouteChain> {
        let routes = self.config.routes.iter();
        let made = routes.map(|route| self.make_route(route, metrics));
        made.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    fn make_route(&mut self, route: &Route, metrics: &Metrics) -> Option<RouteChain> {
        let everywhere = self.config.middlewares.iter();
        let everywhere: Vec<_> = everywhere
            .filter(|declaration| declaration.any_request)
            .map(|declaration| self.steps.get(&declaration.name).cloned())
            .collect();
        let own: Vec<_> = route
            .middlewares
            .iter()
            .map(|reference| match reference {
                Reference::Named(name) => self.steps.get(name).cloned(),
                Reference::Inline(declaration) => self.make_step(declaration),
            })
            .collect();
        let action = match &route.action {
            Reference::Named(name) => self.actions.get(name).cloned(),
            Reference::Inline(declaration) => self.make_action(declaration),
        };
        let steps: Option<Vec<_>> = everywhere.into_iter().chain(own).collect();
        let name = format!("{}{}", route.host, route.path);
        let action = action?;
        Some(RouteChain {
            pattern: route.path.as_str().into(),
            counters: Arc::new(RouteCounters::new(metrics, name)),
            inquiry: self.inquiry(route, &action),
            chain: Chain {
                steps: steps?,
                action,
            },
        })
    }

    fn judge_sessions(&mut self) {
        let catalogue = &self.libraries.catalogue;
        let found = self.sessions.faults(self.config, catalogue);
        self.faults.extend(found);
    }

    /// How a route is asked about requests of others. One that nobody may ask is a fault, not a route that always
    /// refuses.
    fn inquiry(&mut self, route: &Route, action: &ActionStep) -> Option<Inquiry> {
        if !matches!(action.action, Action::Authorize) {
            return None;
        }
        if self.config.server.trusted_proxies.is_empty() && self.config.is_known("server") {
            let problem = "AuthorizeAction answers proxies, and server.trustedProxies names none";
            self.faults.push(route.origin.fault("action", problem));
        }
        let inquiry = Inquiry::of_route(&route.path);
        if inquiry.is_none() {
            let problem = "expected a path without parameters for AuthorizeAction, such as `/authorize`, \
                           or `/authorize/*` where the original path is appended";
            self.faults.push(route.origin.fault("path", problem));
        }
        inquiry
    }

    fn make_step(&mut self, declaration: &Declaration) -> Option<Arc<Step>> {
        let (source, component, config) = self.settle(declaration, Kind::Middlewares)?;
        let made = match source {
            Source::Plugin(number) => self.plugin(number, |plugin| {
                plugin.middleware(&component, &declaration.name, &config)
            }),
            Source::Builtin(Builtin::Set) => Some(
                parse(config)
                    .and_then(|config: SetConfig| {
                        self.raised
                            .add(&declaration.config_origin(), &config.values);
                        SetMiddleware::new(&config, &self.services)
                    })
                    .map(MiddlewareHandle::new),
            ),
            Source::Builtin(_) => None,
        };
        let middleware = self.place(declaration, made)?;
        Some(Arc::new(Step {
            label: self.label(source, declaration),
            middleware,
        }))
    }

    fn make_action(&mut self, declaration: &Declaration) -> Option<Arc<ActionStep>> {
        let (source, component, config) = self.settle(declaration, Kind::Actions)?;
        let made = match source {
            Source::Plugin(number) => self.plugin(number, |plugin| {
                let made = plugin.action(&component, &declaration.name, &config);
                made.map(Action::Handle)
            }),
            Source::Builtin(builtin) => self.builtin_action(builtin, &declaration.name, config),
        };
        let action = self.place(declaration, made)?;
        Some(Arc::new(ActionStep {
            label: self.label(source, declaration),
            action,
        }))
    }

    /// Finds the component of a declaration and checks its configuration.
    fn settle(&mut self, declaration: &Declaration, kind: Kind) -> Option<(Source, String, Value)> {
        let entry = match self.libraries.catalogue.find(&declaration.component, kind) {
            Ok(entry) => entry,
            Err(_) if self.libraries.explains(&declaration.component) => return None,
            Err(problem) => {
                self.faults.push(declaration.origin.fault("use", problem));
                return None;
            }
        };
        let settled = declaration.settle(&entry.description.schema, &self.config.dir);
        let config = self.accept(settled)?;
        self.sessions.note(declaration, entry, &config);
        self.below.note(declaration, entry, &config);
        Some((entry.source, entry.description.name.clone(), config))
    }

    /// Asks an open plugin. None when it could not be opened, which is a fault of its own.
    fn plugin<T>(
        &self,
        number: usize,
        make: impl FnOnce(&OpenPlugin) -> Result<T, Faults>,
    ) -> Option<Result<T, Faults>> {
        self.plugins.get(number)?.as_ref().map(make)
    }

    /// Says where in the files a constructor's faults are.
    fn place<T>(
        &mut self,
        declaration: &Declaration,
        made: Option<Result<T, Faults>>,
    ) -> Option<T> {
        let made = made?.map_err(|faults| declaration.config_origin().faults(faults));
        self.accept(made)
    }

    fn accept<T>(&mut self, made: Result<T, Vec<Fault>>) -> Option<T> {
        made.map_err(|faults| self.faults.extend(faults)).ok()
    }

    fn label(&self, source: Source, declaration: &Declaration) -> Label {
        let plugin = match source {
            Source::Builtin(_) => "gateway",
            Source::Plugin(number) => &self.libraries.loaded[number].1.description().name,
        };
        Label {
            plugin: plugin.into(),
            name: declaration.name.as_str().into(),
        }
    }

    fn finish(self, routes: Vec<RouteChain>) -> Result<Assembly, Vec<Fault>> {
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        let unheeded = self.raised.unheeded(&self.desk);
        for vain in unheeded.iter().chain(&self.below.unreached(self.config)) {
            warn!("{vain}");
        }
        Ok(Assembly {
            router: Arc::clone(&self.config.router),
            routes,
            upstreams: self.upstreams,
            reserved: Arc::new(self.desk.close()),
            desk: self.desk,
            plugins: named(self.libraries, self.plugins),
        })
    }
}

fn named(libraries: &Libraries, plugins: Vec<Option<OpenPlugin>>) -> Vec<(String, OpenPlugin)> {
    let loaded = libraries.loaded.iter();
    let names = loaded.map(|(_, loaded)| loaded.description().name.clone());
    let named = names.zip(plugins);
    named
        .filter_map(|(name, plugin)| Some((name, plugin?)))
        .collect()
}

/// What plugins have registered leads back to the plugins: nothing would ever end.
impl Drop for Assembly {
    fn drop(&mut self) {
        self.desk.forget();
    }
}

fn parse<C: DeserializeOwned>(config: Value) -> Result<C, Faults> {
    serde_json::from_value(config).map_err(|error| Faults::at("", error.to_string()))
}
