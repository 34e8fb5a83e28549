//! The gateway binary: arguments in, exit code out.

use std::error::Error;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use gateway::cli::{self, Cli, Command, Sessions};
use gateway::server::{Order, Orders};
use gateway::succession::Inherited;
use gateway::{Gateway, Running, config, log, notify};
use tracing::{error, info, warn};

// By measurement: it gives back what thousands of connections needed at once, and the system's keeps it. When it does,
// `.cargo/config.toml` says.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(at) => run(&at.config),
        Command::Check(at) => {
            examine(&at.config, "warn").and_then(|gateway| print(&cli::summary(&gateway)))
        }
        Command::Routes(at) => {
            look(&at.config).and_then(|gateway| print(&cli::routes(gateway.config())))
        }
        Command::Plugins(at) => look(&at.config).and_then(|gateway| print(&cli::plugins(&gateway))),
        Command::Sessions(sessions) => return manage(&sessions),
        Command::Schema(at) => {
            look(&at.config).and_then(|gateway| print(&format!("{:#}\n", gateway.schema())))
        }
    };
    exit(done)
}

fn exit(done: Result<(), String>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn manage(sessions: &Sessions) -> ExitCode {
    let gateway = match load(&sessions.directory().config) {
        Ok(gateway) => gateway,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::FAILURE;
        }
    };
    match sessions.run(&gateway) {
        Ok(output) => exit(print(&output)),
        Err(error) => {
            eprintln!("{}", text(&error));
            error.into()
        }
    }
}

fn run(dir: &Path) -> Result<(), String> {
    let mut inherited = Inherited::take();
    let (config, faults) = config::survey(dir);
    let settings = config.as_ref().map(|config| config.server.log.clone());
    log::init(&settings.unwrap_or_default()).map_err(|error| text(&error))?;
    let gateway = Gateway::assemble(config, faults).map_err(|faults| cli::faults(&faults))?;
    let mut orders = Orders::register().map_err(|error| text(&error))?;
    let running = gateway.inherit(&mut inherited);
    let mut running = running.map_err(|error| text(&error))?;
    for address in running.addresses() {
        info!(%address, "listening");
    }
    for address in running.admin_addresses() {
        info!(%address, "listening for the operator");
    }
    let unwanted = inherited.serve().map_err(|error| text(&error))?;
    if unwanted > 0 {
        warn!(unwanted, "inherited sockets are at no configured address");
    }
    notify::ready();
    let signal = serve(&mut running, &mut orders);
    running.stop();
    info!(
        signal,
        "stopping: no longer listening, running requests are finished first"
    );
    running.join();
    info!("stopped");
    Ok(())
}

/// Follows orders until one is to stop, and says which signal that was.
fn serve(running: &mut Running, orders: &mut Orders) -> &'static str {
    loop {
        match orders.wait() {
            Order::Reload => reload(running),
            Order::Stop(signal) => {
                // Only here: after an upgrade the service goes on, and systemd would kill it as one that does not end.
                notify::stopping();
                return signal;
            }
            Order::Upgrade if hand_over(running) => return "SIGUSR2",
            Order::Upgrade => {}
        }
    }
}

/// Whether another process serves now.
fn hand_over(running: &mut Running) -> bool {
    info!(signal = "SIGUSR2", "starting the program that takes over");
    match running.hand_over() {
        Ok(process) => {
            info!(process, "the successor serves");
            notify::succeeded_by(process);
            true
        }
        Err(error) => {
            let error = text(&error);
            error!(error, "no successor: this process goes on serving");
            false
        }
    }
}

fn reload(running: &mut Running) {
    notify::reloading();
    info!(signal = "SIGHUP", "reading the configuration anew");
    match running.reload() {
        Ok(reloaded) => {
            for key in reloaded.waiting {
                warn!("server.{key} has changed, which takes a restart");
            }
            info!("new requests are served by the new configuration");
        }
        Err(faults) => {
            for fault in &faults {
                error!("{fault}");
            }
            let faults = faults.len();
            error!(faults, "refused: the configuration before goes on serving");
        }
    }
    notify::ready();
}

/// Loads everything for a look at it. Only what is wrong is logged meanwhile.
fn look(dir: &Path) -> Result<Gateway, String> {
    examine(dir, "error")
}

/// Loads everything for a look at it, and logs as much.
fn examine(dir: &Path, level: &str) -> Result<Gateway, String> {
    log_from(level)?;
    Gateway::check(dir).map_err(|faults| cli::faults(&faults))
}

/// Loads everything, for what is done to its storages. Only what is wrong is logged meanwhile.
fn load(dir: &Path) -> Result<Gateway, String> {
    log_from("error")?;
    Gateway::load(dir).map_err(|faults| cli::faults(&faults))
}

fn log_from(level: &str) -> Result<(), String> {
    let log = config::Log {
        level: level.to_owned(),
        ..config::Log::default()
    };
    log::init(&log).map_err(|error| text(&error))
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
///
/// # Errors
/// When not all of it was written: half a schema is none.
fn print(text: &str) -> Result<(), String> {
    let mut output = std::io::stdout();
    let written = output.write_all(text.as_bytes());
    match written.and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("standard output cannot be written: {error}"))
        }
        _ => Ok(()),
    }
}
