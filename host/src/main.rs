//! The gateway binary: arguments in, exit code out.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use gateway::cli::{self, Cli, Command};
use gateway::server::StopSignal;
use gateway::{Gateway, config, log};
use tracing::info;

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(at) => run(&at.config),
        Command::Check(at) => load(&at.config).map(|gateway| print(&cli::summary(&gateway))),
        Command::Routes(at) => {
            load(&at.config).map(|gateway| print(&cli::routes(gateway.config())))
        }
        Command::Plugins(at) => load(&at.config).map(|gateway| print(&cli::plugins(&gateway))),
        Command::Schema(at) => {
            load(&at.config).map(|gateway| print(&format!("{:#}\n", gateway.schema())))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(dir: &Path) -> Result<(), String> {
    let (config, faults) = config::survey(dir);
    let settings = config.as_ref().map(|config| config.server.log.clone());
    log::init(&settings.unwrap_or_default()).map_err(|error| text(&error))?;
    let gateway = Gateway::assemble(config, faults).map_err(|faults| cli::faults(&faults))?;
    let stop = StopSignal::register().map_err(|error| text(&error))?;
    let running = gateway.start().map_err(|error| text(&error))?;
    for address in running.addresses() {
        info!(%address, "listening");
    }
    for address in running.admin_addresses() {
        info!(%address, "listening for the operator");
    }
    let signal = stop.wait();
    running.stop();
    info!(
        signal,
        "stopping: no longer listening, running requests are finished first"
    );
    running.join();
    info!("stopped");
    Ok(())
}

/// Loads everything for a look at it. Only what is wrong is logged meanwhile.
fn load(dir: &Path) -> Result<Gateway, String> {
    let quiet = config::Log {
        level: "error".to_owned(),
        ..config::Log::default()
    };
    log::init(&quiet).map_err(|error| text(&error))?;
    Gateway::load(dir).map_err(|faults| cli::faults(&faults))
}

/// An error with what caused it.
fn text(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// Prints to standard output. A reader who has seen enough, such as `head`, is no failure.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
