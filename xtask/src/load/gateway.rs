//! The gateway, with `session.so` and without.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use super::backend::Backend;
use super::contender::Contender;
use super::process::{Process, Processor, announced};
use crate::Error;

/// What it does with sessions.
#[derive(Clone, Copy)]
pub(super) enum Sessions {
    /// Nothing: no plugin is loaded.
    None,
    /// They are in the gateway's memory.
    Memory,
    /// Each request asks Redis.
    Redis,
    /// Redis tells the gateway what to forget.
    CachedRedis,
}

impl Sessions {
    /// In the order of the tables.
    pub(super) const ALL: [Self; 4] = [Self::None, Self::Memory, Self::Redis, Self::CachedRedis];
}

/// On the contender's processor.
///
/// # Errors
/// As [`start`].
pub(super) fn contender(sessions: Sessions, backend: &Backend) -> Result<Contender, Error> {
    let gateway = Processor::Contender.command(&program(backend.directory()));
    start(gateway, sessions, backend)
}

/// The file that is run, of a gateway that is laid out in `directory`.
pub(super) fn program(directory: &Path) -> String {
    directory.join("gateway").display().to_string()
}

/// One thread, and otherwise what is there without configuration. `gateway` runs the program, whatever stands before it.
///
/// # Errors
/// When it does not start, or nobody can log in.
pub(super) fn start(
    gateway: Command,
    sessions: Sessions,
    backend: &Backend,
) -> Result<Contender, Error> {
    let yaml = yaml(sessions, backend);
    let (process, address) = launch(gateway, backend.directory(), &yaml)?;
    let name = name(sessions);
    match sessions {
        Sessions::None => Ok(Contender::without_session(name, process, address)),
        Sessions::Memory | Sessions::Redis | Sessions::CachedRedis => {
            Contender::with_session(name, process, address)
        }
    }
}

/// Starts a gateway whose configuration is put into a directory of its own below `directory`, and says where it listens.
///
/// # Errors
/// When it does not.
pub(super) fn launch(
    mut gateway: Command,
    directory: &Path,
    yaml: &str,
) -> Result<(Process, SocketAddr), Error> {
    let config = tempfile::tempdir_in(directory)?.keep();
    fs::write(config.join("gateway.yaml"), yaml)?;
    gateway.arg("run").arg("--config").arg(&config);
    gateway.env("NO_COLOR", "1").stderr(Stdio::piped());
    let mut process = Process::start(&mut gateway)?;
    let address = announced(process.log())?;
    Ok((process, address))
}

pub(super) const fn name(sessions: Sessions) -> &'static str {
    match sessions {
        Sessions::None => "gateway, no session",
        Sessions::Memory => "gateway, sessions in memory",
        Sessions::Redis => "gateway, sessions in Redis, no local cache",
        Sessions::CachedRedis => "gateway, sessions in Redis and a local cache",
    }
}

fn yaml(sessions: Sessions, backend: &Backend) -> String {
    let (plugin, middlewares) = match storage(sessions, backend) {
        None => (String::new(), ""),
        Some(storage) => (plugin(&storage, backend), "Load, Map"),
    };
    format!(
        "server: {{ address: '127.0.0.1:0', threads: 1, log: {{ level: 'info,access=off' }} }}\n\
         {plugin}\
         routes:\n  \
         - path: /*\n    \
         middlewares: [{middlewares}]\n    \
         action: {{ use: gateway.actions.HttpAction, config: {{ upstreamEndpoint: 'http://{}' }} }}\n",
        backend.upstream()
    )
}

fn storage(sessions: Sessions, backend: &Backend) -> Option<String> {
    let redis = |is_cached: bool| {
        format!(
            "RedisStorage, config: {{ host: '{}', localCache: {{ enabled: {is_cached} }} }}",
            backend.redis()
        )
    };
    match sessions {
        Sessions::None => None,
        Sessions::Memory => Some("MemoryStorage".to_owned()),
        Sessions::Redis => Some(redis(false)),
        Sessions::CachedRedis => Some(redis(true)),
    }
}

fn plugin(storage: &str, backend: &Backend) -> String {
    let file = backend.directory().join("plugins/session.so");
    format!(
        "plugins: [{{ path: '{}' }}]\n\
         storages: {{ Store: {{ use: plugins.session.storages.{storage} }} }}\n\
         middlewares:\n  \
         Load: {{ use: plugins.session.middlewares.LoadSessionMiddleware, config: {{ storage: Store, responseHeader: X-Session-Set }} }}\n  \
         Map: {{ use: plugins.session.middlewares.MapSessionToHeaderMiddleware, config: {{ headers: {{ Authorization: authorization, X-User-Id: user_id }} }} }}\n",
        file.display()
    )
}
