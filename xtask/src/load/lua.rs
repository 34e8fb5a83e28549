//! nginx with Lua: `tests/peers/lua`, in a proxy that is otherwise the plain one.

use super::backend::Backend;
use super::contender::Contender;
use super::nginx::{self, Config, PASS};
use super::process::Processor;
use crate::{Error, root, tools};

/// Asks Redis for each request.
///
/// # Errors
/// When a module cannot be installed, it does not start, or nobody can log in.
pub(super) fn contender(backend: &Backend) -> Result<Contender, Error> {
    tools::require(tools::FOR_LUA)?;
    let config = Config {
        main: MAIN,
        http: &http(backend),
        server: &format!(
            "location = /login {{ content_by_lua_block {{ sessions:log_in() }} }}\n\
             location / {{ access_by_lua_block {{ sessions:identify() }} {PASS} }}"
        ),
        ..Config::default()
    };
    let directory = backend.directory().join("lua");
    let (process, address) = nginx::start(&directory, Processor::Contender, config)?;
    Contender::with_session(NAME, process, address)
}

fn http(backend: &Backend) -> String {
    format!(
        "{}\nlua_package_path '{}/?.lua;;';\n\
         init_by_lua_block {{ sessions = require('sessions').at('unix:{}') }}",
        nginx::pool(backend),
        root().join("tests/peers/lua").display(),
        backend.redis()
    )
}

pub(super) const NAME: &str = "nginx, Lua and Redis";

// As the user who started it, whose socket Redis has: workers of root would be nobody otherwise. Others get a warning.
const MAIN: &str = "user root; load_module modules/ndk_http_module.so; load_module modules/ngx_http_lua_module.so;";
