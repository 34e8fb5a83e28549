//! The gateway binary: arguments in, exit code out.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use gateway::cli::{self, Cli, Command};
use gateway::{Gateway, config, log};
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(at) => run(&at.config),
        Command::Check(at) => load(&at.config).map(|gateway| print(&cli::summary(&gateway))),
        Command::Routes(at) => read(&at.config).map(|config| print(&cli::routes(&config))),
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
    let config = read(dir)?;
    log::init(&config.server.log).map_err(|error| text(&error))?;
    let gateway = Gateway::assemble(config).map_err(|faults| cli::faults(&faults))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| text(&error))?;
    // Before the first request, so that no signal finds its default.
    let stop = runtime.block_on(async { stop_signals() });
    let stop = stop.map_err(|error| text(&error))?;
    let running = gateway.start().map_err(|error| text(&error))?;
    for address in running.addresses() {
        info!(%address, "listening");
    }
    for address in running.admin_addresses() {
        info!(%address, "listening for the operator");
    }
    let signal = runtime.block_on(stop);
    info!(signal, "stopping: running requests are finished first");
    running.stop();
    running.join();
    info!("stopped");
    Ok(())
}

/// Waits for the order to stop and says what it was.
fn stop_signals() -> std::io::Result<impl Future<Output = &'static str>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}

fn read(dir: &Path) -> Result<config::Config, String> {
    config::load(dir).map_err(|faults| cli::faults(&faults))
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
fn text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Prints to standard output. A reader who has seen enough, such as `head`, is no failure.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
