//! The gateway binary: arguments in, exit code out.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use gateway::cli::{self, Cli, Command};
use gateway::config::{self, Config};

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(at) | Command::Check(at) | Command::Plugins(at) => load(&at.config).map(drop),
        Command::Routes(at) => load(&at.config).map(|config| print(&cli::routes(&config))),
        Command::Schema(_) => {
            print(&format!("{:#}\n", config::schema()));
            Ok(())
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

/// Prints to standard output. A reader who has seen enough, such as `head`, is no failure.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn load(dir: &Path) -> Result<Config, String> {
    config::load(dir).map_err(|faults| cli::faults(&faults))
}
