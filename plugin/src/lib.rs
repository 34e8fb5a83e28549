//! session.so: sessions at the gateway.
//!
//! Names and registration, nothing else. What stands behind the names is in the `engine` crate.
#![forbid(unsafe_code)]

use std::num::NonZeroUsize;
use std::sync::Arc;

use abi::config::Faults;
use abi::schemars::{self, JsonSchema};
use abi::serde::Deserialize;
use abi::storage::StorageHandle;
use abi::{Entry, Offer, Plugin, RouteBelow, Services, SessionUse};
use engine::actions::{
    InfoAction, InfoConfig, LoginAction, LoginConfig, LogoutAction, LogoutConfig, OpenApiAction,
    OpenApiConfig, RefreshAction, RefreshConfig, SessionsAction, SessionsConfig,
};
use engine::clock::{Clock, SystemClock};
use engine::middlewares::{
    AuthorizationHeader, Keepers, LoadSessionConfig, LoadSessionMiddleware,
    MapSessionToHeaderConfig, MapSessionToHeaderMiddleware, RequireSessionConfig,
    RequireSessionMiddleware,
};
use engine::runtime::Runtime;
use engine::session::Keyring;
use engine::storage::{FileConfig, MemoryConfig, RedisConfig, Storages};
use engine::tokens::{Providers, ProvidersConfig, Refresher, TokenDesk};

/// The plugin of one gateway.
struct Session {
    services: Services,
    clock: Arc<dyn Clock>,
    storages: Arc<Storages>,
    providers: Arc<Providers>,
    refresher: Arc<Refresher>,
    keepers: Arc<Keepers>,
    authorization: AuthorizationHeader,
}

/// What holds for the whole plugin.
#[derive(Deserialize, JsonSchema)]
#[serde(
    crate = "abi::serde",
    default,
    deny_unknown_fields,
    rename_all = "camelCase"
)]
struct SessionConfig {
    /// Threads that talk to storages behind a network, from 1 to 64. One drives hundreds of thousands of commands a
    /// second; it starts with the first such storage.
    #[schemars(range(max = 64))]
    io_threads: NonZeroUsize,
    /// Who gives out tokens, by the names that middlewares and actions call them.
    providers: ProvidersConfig,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            io_threads: NonZeroUsize::MIN,
            providers: ProvidersConfig::new(),
        }
    }
}

impl Plugin for Session {
    const NAME: &'static str = "session";
    const HELP: &'static str = "Sessions at the gateway: load, renew, map to headers.";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    type Config = SessionConfig;

    fn open(config: SessionConfig, services: Services) -> Result<Self, Faults> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let runtime = runtime(config.io_threads, &services);
        let desk = (Arc::clone(&clock), Arc::clone(&runtime));
        let providers = Providers::new(config.providers, desk, &services)?;
        let storages = Storages::new(services.clone(), Arc::clone(&clock), runtime);
        Ok(Self {
            storages: Arc::new(storages),
            refresher: refresher(&providers, &services),
            providers: Arc::new(providers),
            keepers: Arc::default(),
            authorization: AuthorizationHeader::default(),
            services,
            clock,
        })
    }

    fn reopen(config: SessionConfig, services: Services, before: &Self) -> Result<Self, Faults> {
        let known = before.storages.runtime(config.io_threads);
        let runtime = known.unwrap_or_else(|| runtime(config.io_threads, &services));
        let desk = (Arc::clone(&before.clock), Arc::clone(&runtime));
        let providers = Providers::after(&before.providers, config.providers, desk, &services)?;
        let storages = Storages::after(&before.storages, services.clone(), runtime);
        Ok(Self {
            storages: Arc::new(storages),
            refresher: refresher(&providers, &services),
            providers: Arc::new(providers),
            keepers: Arc::default(),
            authorization: AuthorizationHeader::default(),
            services,
            clock: Arc::clone(&before.clock),
        })
    }

    fn components(offer: &mut Offer<Self>) {
        offer
            .middleware(
                "LoadSessionMiddleware",
                "Finds the session of a request, renews it, and stores what changed.",
                Self::load_session,
            )
            .session(SessionUse::gives().unless("disableSessionForward"));
        offer
            .middleware(
                "MapSessionToHeaderMiddleware",
                "Sets a request header from each mapped attribute of the session.",
                Self::map_session_to_header,
            )
            .session(SessionUse::needs());
        offer
            .middleware(
                "RequireSessionMiddleware",
                "Lets pass who is logged in, and renews tokens; sends everybody else to log in.",
                Self::require_session,
            )
            .session(SessionUse::needs().unless("token"));
        offer
            .action(
                "LoginAction",
                "Logs people in, with a page for those who have a browser.",
                Self::login,
            )
            .below(
                RouteBelow::new("/callback", "GET")
                    .needed_with("provider")
                    .unless("redirectUri"),
            )
            .session(SessionUse::needs_at_times());
        offer
            .action(
                "SessionsAction",
                "Lists a user's own sessions and ends them, as JSON and as a page.",
                Self::sessions,
            )
            .session(SessionUse::needs());
        offer
            .action(
                "InfoAction",
                "Tells a front end of its user, and how long the session lives.",
                Self::info,
            )
            .session(SessionUse::needs());
        offer
            .action(
                "RefreshAction",
                "Renews the session of who asks for it.",
                Self::refresh,
            )
            .session(SessionUse::needs());
        offer
            .action(
                "LogoutAction",
                "Ends this session, the others of its user, or all of them.",
                Self::logout,
            )
            .below(RouteBelow::new("/done", "GET"))
            .below(RouteBelow::new("/backchannel", "POST"))
            .below(RouteBelow::new("/frontchannel", "GET"))
            .session(SessionUse::needs_at_times());
        offer.action(
            "OpenApiAction",
            "Describes the actions of session.so as OpenAPI 3.1.",
            Self::openapi,
        );
        offer.storage(
            "MemoryStorage",
            "Sessions in the memory of this gateway.",
            Self::memory,
        );
        offer.storage(
            "FileStorage",
            "Sessions in a file of this gateway, kept over restarts.",
            Self::file,
        );
        offer.storage(
            "RedisStorage",
            "Sessions in Redis, shared by all gateways.",
            Self::redis,
        );
        offer.storage(
            "ValkeyStorage",
            "Sessions in Valkey, shared by all gateways. The same as RedisStorage.",
            Self::redis,
        );
    }
}

fn refresher(providers: &Providers, services: &Services) -> Arc<Refresher> {
    Arc::new(Refresher::new(Arc::clone(providers.runtime()), services))
}

fn runtime(io_threads: NonZeroUsize, services: &Services) -> Arc<Runtime> {
    let gateway = services.clone();
    Arc::new(Runtime::new(io_threads).borrowing(move || gateway.event_loop()))
}

impl Session {
    fn load_session(
        &self,
        entry: Entry<'_>,
        config: LoadSessionConfig,
    ) -> Result<LoadSessionMiddleware, Faults> {
        let storage = config.storage.as_deref();
        let open = |keyring: &Keyring| self.storages.find(storage, keyring);
        let clock = Arc::clone(&self.clock);
        let made = LoadSessionMiddleware::new(entry, &config, open, clock, &self.services)?;
        self.keepers.add(made.keeper());
        Ok(made)
    }

    fn require_session(
        &self,
        entry: Entry<'_>,
        config: RequireSessionConfig,
    ) -> Result<RequireSessionMiddleware, Faults> {
        self.authorization.note_bearer(entry.name, &config);
        RequireSessionMiddleware::new(entry, &config, self.token_desk(), &self.services)
    }

    const fn token_desk(&self) -> TokenDesk<'_> {
        TokenDesk {
            providers: &self.providers,
            keepers: &self.keepers,
            refresher: &self.refresher,
        }
    }

    fn map_session_to_header(
        &self,
        entry: Entry<'_>,
        config: MapSessionToHeaderConfig,
    ) -> Result<MapSessionToHeaderMiddleware, Faults> {
        self.authorization.note_mapping(entry.name, &config);
        MapSessionToHeaderMiddleware::new(config, &self.services)
    }

    fn login(&self, entry: Entry<'_>, config: LoginConfig) -> Result<LoginAction, Faults> {
        let clock = Arc::clone(&self.clock);
        let desk = (&*self.providers, Arc::clone(&self.keepers));
        LoginAction::new(entry, &config, desk, clock, &self.services)
    }

    fn logout(&self, _: Entry<'_>, config: LogoutConfig) -> Result<LogoutAction, Faults> {
        let desk = (Arc::clone(&self.providers), Arc::clone(&self.keepers));
        LogoutAction::new(&config, desk, &self.services)
    }

    fn sessions(&self, _: Entry<'_>, config: SessionsConfig) -> Result<SessionsAction, Faults> {
        SessionsAction::new(&config, &self.services)
    }

    fn info(&self, _: Entry<'_>, config: InfoConfig) -> Result<InfoAction, Faults> {
        InfoAction::new(config, Arc::clone(&self.clock), &self.services)
    }

    fn refresh(&self, _: Entry<'_>, config: RefreshConfig) -> Result<RefreshAction, Faults> {
        RefreshAction::new(
            config,
            self.token_desk(),
            Arc::clone(&self.clock),
            &self.services,
        )
    }

    fn openapi(&self, _: Entry<'_>, config: OpenApiConfig) -> Result<OpenApiAction, Faults> {
        OpenApiAction::new(&config, &self.services)
    }

    fn memory(&self, entry: Entry<'_>, config: MemoryConfig) -> Result<StorageHandle, Faults> {
        self.storages.memory(entry.name, &config)
    }

    fn file(&self, entry: Entry<'_>, config: FileConfig) -> Result<StorageHandle, Faults> {
        self.storages.file(entry.name, &config)
    }

    fn redis(&self, entry: Entry<'_>, config: RedisConfig) -> Result<StorageHandle, Faults> {
        self.storages.redis(entry.name, &config)
    }
}

abi::export_plugin!(Session);
