//! What a plugin is: a name, a configuration, and the components it offers.

use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::Faults;
use crate::raw::middleware::{RawAction, RawMiddleware};
use crate::raw::storage::RawStorage;
use crate::route_below::RouteBelow;
use crate::session_use::SessionUse;
use crate::{Action, Middleware, Services};

/// A plugin. One per library, made known with [`export_plugin!`](crate::export_plugin).
///
/// The gateway first opens every plugin, then makes every storage that the configuration names, then every middleware
/// and action: the order in which plugins are listed does not matter.
pub trait Plugin: Sized + Send + Sync + 'static {
    /// What stands in `plugins.<NAME>.middlewares.<Component>`: lower case, the same in every release. Letters, digits, `_`
    /// and `-`, as in the names of components: a gateway refuses others.
    const NAME: &'static str;
    /// One line for `gateway plugins`.
    const HELP: &'static str;
    /// The release, usually `env!("CARGO_PKG_VERSION")`.
    const VERSION: &'static str;

    /// The `config` of the plugin's entry in `plugins.yaml`.
    type Config: DeserializeOwned + JsonSchema;

    /// Starts the plugin: checks its configuration and keeps `services` for the constructors of its components. Once
    /// for each gateway in the process.
    ///
    /// # Errors
    /// All faults of the configuration at once.
    fn open(config: Self::Config, services: Services) -> Result<Self, Faults>;

    /// Starts the plugin for a gateway that reads its configuration anew, beside the one that still serves. Requests
    /// in flight end with `before`, which is dropped after them; if anything in the new configuration is refused, it
    /// simply goes on. So whatever has to survive a reload is shared with `before` and not taken from it.
    ///
    /// Begins from nothing unless a plugin says otherwise. A gateway older than this function calls
    /// [`open`](Self::open).
    ///
    /// # Errors
    /// All faults of the configuration at once.
    fn reopen(config: Self::Config, services: Services, before: &Self) -> Result<Self, Faults> {
        let _ = before;
        Self::open(config, services)
    }

    /// Lists what the plugin offers. Asked without a gateway too, for help texts and schemas.
    fn components(offer: &mut Offer<Self>);
}

/// Where a plugin lists its components.
pub struct Offer<P> {
    listed: Vec<Component<P>>,
}

/// A component that was just listed, of which more can be said.
#[derive(Debug)]
pub struct Offered<'a> {
    session: &'a mut Option<SessionUse>,
    below: &'a mut Vec<RouteBelow>,
}

/// What a constructor is told about the entry in the YAML file it works for.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The name the user gave it: the key under `middlewares`, `actions` or `storages`. For an entry written in place,
    /// the path of that place.
    pub name: &'a str,
}

/// What a component is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A step of a chain.
    Middlewares,
    /// The end of a chain.
    Actions,
    /// A place for rows.
    Storages,
}

/// What a plugin says of itself: the answer to `gateway plugins` and the source of all schemas.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// [`Plugin::NAME`].
    pub name: String,
    /// [`Plugin::HELP`].
    pub help: String,
    /// [`Plugin::VERSION`].
    pub version: String,
    /// JSON Schema of [`Plugin::Config`].
    pub schema: Value,
    /// What it offers, in the order it was listed.
    pub components: Vec<ComponentDescription>,
}

/// One component of a [`Description`].
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentDescription {
    /// What it is for.
    pub kind: Kind,
    /// The last part of its name.
    pub name: String,
    /// One line.
    pub help: String,
    /// JSON Schema of its `config`.
    pub schema: Value,
    /// What it has to do with sessions. None: it does not say, as plugins do that were built before this was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionUse>,
    /// The routes that it answers below its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub below: Vec<RouteBelow>,
}

struct Component<P> {
    kind: Kind,
    name: &'static str,
    help: &'static str,
    schema: fn() -> Value,
    session: Option<SessionUse>,
    below: Vec<RouteBelow>,
    make: Box<dyn Make<P>>,
}

/// A component that was made, ready to cross.
pub(crate) enum Made {
    Middleware(RawMiddleware),
    Action(RawAction),
    Storage(RawStorage),
}

trait Make<P>: Send + Sync {
    fn make(&self, plugin: &P, entry: Entry<'_>, config: Value) -> Result<Made, Faults>;
}

// The constructor, and how what it makes is wrapped.
struct Constructor<P, C, T> {
    construct: fn(&P, Entry<'_>, C) -> Result<T, Faults>,
    wrap: fn(T) -> Made,
    life: PhantomData<fn(&P, C) -> T>,
}

impl<P, C: DeserializeOwned, T> Make<P> for Constructor<P, C, T> {
    fn make(&self, plugin: &P, entry: Entry<'_>, config: Value) -> Result<Made, Faults> {
        let config = parse(config)?;
        (self.construct)(plugin, entry, config).map(self.wrap)
    }
}

/// Parses a configuration that the gateway has already checked against the schema; what fails here is what a schema
/// cannot say.
pub(crate) fn parse<C: DeserializeOwned>(config: Value) -> Result<C, Faults> {
    serde_json::from_value(config).map_err(|cause| Faults::at("", cause.to_string()))
}

impl<P: Plugin> Offer<P> {
    pub(crate) fn of_plugin() -> Self {
        let mut offer = Self { listed: Vec::new() };
        P::components(&mut offer);
        offer
    }

    /// Offers a middleware. `construct` gets the plugin, the entry it is made for and its parsed configuration.
    pub fn middleware<C, M>(
        &mut self,
        name: &'static str,
        help: &'static str,
        construct: fn(&P, Entry<'_>, C) -> Result<M, Faults>,
    ) -> Offered<'_>
    where
        C: DeserializeOwned + JsonSchema + 'static,
        M: Middleware,
    {
        let wrap = |made| Made::Middleware(RawMiddleware::new(made));
        self.list(Kind::Middlewares, name, help, construct, wrap)
    }

    /// Offers an action.
    pub fn action<C, A>(
        &mut self,
        name: &'static str,
        help: &'static str,
        construct: fn(&P, Entry<'_>, C) -> Result<A, Faults>,
    ) -> Offered<'_>
    where
        C: DeserializeOwned + JsonSchema + 'static,
        A: Action,
    {
        let wrap = |made| Made::Action(RawAction::new(made));
        self.list(Kind::Actions, name, help, construct, wrap)
    }

    /// Offers a storage, by which other plugins can reach it as well.
    pub fn storage<C>(
        &mut self,
        name: &'static str,
        help: &'static str,
        construct: fn(&P, Entry<'_>, C) -> Result<crate::storage::StorageHandle, Faults>,
    ) where
        C: DeserializeOwned + JsonSchema + 'static,
    {
        let wrap = |made: crate::storage::StorageHandle| Made::Storage(made.into_raw());
        self.list(Kind::Storages, name, help, construct, wrap);
    }

    fn list<C, T>(
        &mut self,
        kind: Kind,
        name: &'static str,
        help: &'static str,
        construct: fn(&P, Entry<'_>, C) -> Result<T, Faults>,
        wrap: fn(T) -> Made,
    ) -> Offered<'_>
    where
        C: DeserializeOwned + JsonSchema + 'static,
        T: 'static,
    {
        let listed = self.listed.push_mut(Component {
            kind,
            name,
            help,
            schema: || schemars::schema_for!(C).to_value(),
            session: None,
            below: Vec::new(),
            make: Box::new(Constructor {
                construct,
                wrap,
                life: PhantomData,
            }),
        });
        Offered {
            session: &mut listed.session,
            below: &mut listed.below,
        }
    }

    pub(crate) fn describe(&self) -> Description {
        Description {
            name: P::NAME.to_owned(),
            help: P::HELP.to_owned(),
            version: P::VERSION.to_owned(),
            schema: schemars::schema_for!(P::Config).to_value(),
            components: self.listed.iter().map(Component::describe).collect(),
        }
    }

    pub(crate) fn make(
        &self,
        plugin: &P,
        (kind, component): (Kind, &str),
        entry: Entry<'_>,
        config: Value,
    ) -> Result<Made, Faults> {
        self.listed
            .iter()
            .find(|listed| listed.kind == kind && listed.name == component)
            .ok_or_else(|| Faults::at("", format!("{} offers no {component}", P::NAME)))?
            .make
            .make(plugin, entry, config)
    }
}

impl<P> Component<P> {
    fn describe(&self) -> ComponentDescription {
        ComponentDescription {
            kind: self.kind,
            name: self.name.to_owned(),
            help: self.help.to_owned(),
            schema: (self.schema)(),
            session: self.session.clone(),
            below: self.below.clone(),
        }
    }
}

impl Offered<'_> {
    /// Says that an action answers a route below its own, too.
    #[must_use]
    pub fn below(self, route: RouteBelow) -> Self {
        self.below.push(route);
        self
    }

    /// Says what it has to do with the session of a request.
    pub fn session(self, used: SessionUse) {
        *self.session = Some(used);
    }
}

impl<P> fmt::Debug for Offer<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.listed.iter().map(|listed| listed.name);
        f.debug_list().entries(names).finish()
    }
}

impl Kind {
    /// The word in a component's name: `plugins.session.<this>.LoadSessionMiddleware`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Middlewares => "middlewares",
            Self::Actions => "actions",
            Self::Storages => "storages",
        }
    }
}
