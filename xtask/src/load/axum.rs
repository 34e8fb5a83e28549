//! axum with tower-sessions: `tests/peers/axum`, built as the gateway is.

use std::process::Stdio;

use super::backend::Backend;
use super::contender::Contender;
use super::process::{Process, Processor, announced};
use crate::Error;
use crate::artifacts::Artifacts;

/// Asks Redis for each request.
///
/// # Errors
/// When it does not build or start, or nobody can log in.
pub(super) fn contender(backend: &Backend) -> Result<Contender, Error> {
    let artifacts = Artifacts::build("tests/peers", &["--locked", "--release"])?;
    let program = artifacts.find("bin")?.display().to_string();
    let mut proxy = Processor::Contender.command(&program);
    proxy.arg(backend.upstream().to_string());
    proxy.arg(backend.redis()).stdout(Stdio::piped());
    let mut process = Process::start(&mut proxy)?;
    let address = announced(process.output())?;
    Contender::with_session(NAME, process, address)
}

pub(super) const NAME: &str = "axum, tower-sessions and Redis";
