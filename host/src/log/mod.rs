//! Where log lines go: standard error, as text or JSON.

mod filter;
mod traced;

use std::io::IsTerminal;

use tracing_subscriber::fmt::format::{JsonFields, format};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

pub use self::filter::{LevelError, filter};
use self::traced::{Ending, Traced};
use crate::config::{Log, LogFormat};

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is none.
    #[error("the log level cannot be read")]
    Level(#[source] LevelError),
    /// Something else receives the log lines of this process already.
    #[error("logging is set up already")]
    Taken(#[source] TryInitError),
}

/// Sets the log of this process up.
///
/// # Errors
/// When the level is malformed, or logging is set up already.
pub fn init(log: &Log) -> Result<(), LogError> {
    let filter = filter(&log.level).map_err(LogError::Level)?;
    let is_terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(is_terminal)
        // What cannot be written would be told on standard error as well, and that it cannot be written there is a panic.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    match log.format {
        LogFormat::Json => builder
            .fmt_fields(JsonFields::new())
            .event_format(Traced {
                line: format().json().flatten_event(true),
                ending: Ending::Json,
            })
            .finish()
            .try_init(),
        LogFormat::Text => builder
            .event_format(Traced {
                line: format().with_ansi(is_terminal),
                ending: Ending::Text,
            })
            .finish()
            .try_init(),
    }
    .map_err(LogError::Taken)
}
