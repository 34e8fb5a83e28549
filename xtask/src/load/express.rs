//! express-session with connect-redis and http-proxy: `tests/peers/express`, on Node.js.

use std::process::Stdio;

use super::backend::Backend;
use super::contender::Contender;
use super::process::{Process, Processor, announced};
use crate::{Error, root, step, tools};

/// Asks Redis for each request.
///
/// # Errors
/// When its packages cannot be installed, it does not start, or nobody can log in.
pub(super) fn contender(backend: &Backend) -> Result<Contender, Error> {
    tools::require(tools::FOR_EXPRESS)?;
    step::prepare(HOME, "npm", &["ci", "--no-audit", "--no-fund"])?;
    let mut node = Processor::Contender.command("node");
    node.arg(root().join(HOME).join("proxy.js"));
    node.arg(backend.upstream().to_string());
    node.arg(backend.redis()).stdout(Stdio::piped());
    // What frameworks do for people who write programs costs time.
    node.env("NODE_ENV", "production");
    let mut process = Process::start(&mut node)?;
    let address = announced(process.output())?;
    Contender::with_session(NAME, process, address)
}

pub(super) const NAME: &str = "express-session and Redis";

const HOME: &str = "tests/peers/express";
