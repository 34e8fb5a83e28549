//! A proxy that takes part.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::process::Process;
use super::{login, page};
use crate::Error;

/// One that runs, and what its client sends. Ends with this value.
pub(super) struct Contender {
    name: &'static str,
    process: Rc<Process>,
    address: SocketAddr,
    headers: Vec<String>,
    script: Option<PathBuf>,
}

impl Contender {
    /// The client says itself who it is, so that the upstream is content. It sends as many cookies as others do.
    pub(super) fn without_session(
        name: &'static str,
        process: Process,
        address: SocketAddr,
    ) -> Self {
        let id = format!("session_id={}", "A".repeat(43));
        Self {
            name,
            process: Rc::new(process),
            address,
            script: None,
            headers: vec![
                format!("X-User-Id: {}", page::USER),
                format!("Authorization: {}", page::authorization()),
                cookies(&id),
            ],
        }
    }

    /// The client has nothing but the cookie of a login.
    ///
    /// # Errors
    /// When the login fails.
    pub(super) fn with_session(
        name: &'static str,
        process: Process,
        address: SocketAddr,
    ) -> Result<Self, Error> {
        Ok(Self {
            name,
            process: Rc::new(process),
            address,
            script: None,
            headers: vec![cookies(&login::log_in(address)?)],
        })
    }

    /// Its clients are many, as a script has them. Others may have the same process.
    pub(super) const fn scripted(
        name: &'static str,
        process: Rc<Process>,
        address: SocketAddr,
        script: PathBuf,
    ) -> Self {
        Self {
            name,
            process,
            address,
            headers: Vec::new(),
            script: Some(script),
        }
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn headers(&self) -> &[String] {
        &self.headers
    }

    /// For `wrk`, in Lua.
    pub(super) fn script(&self) -> Option<&Path> {
        self.script.as_deref()
    }

    pub(super) fn process(&self) -> u32 {
        self.process.id()
    }
}

/// Nobody's browser has one cookie only.
fn cookies(session: &str) -> String {
    format!("Cookie: theme=dark; {session}; lang=de")
}
