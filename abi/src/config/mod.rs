//! The values a configuration is written with, and the faults found in it.
//!
//! The gateway and every plugin parse the same spellings by the same code, so `30m` means one thing everywhere. Each
//! type names its spelling in its JSON Schema (`format`), which is how the gateway checks a plugin's configuration,
//! reads secrets from files and resolves paths before the plugin sees it.
//!
//! ```
//! use abi::config::{ByteSize, ConfigDuration};
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(rename_all = "camelCase", deny_unknown_fields)]
//! struct Limits {
//!     max_bytes: ByteSize,
//!     touch_interval: ConfigDuration,
//! }
//!
//! let limits: Limits = serde_json::from_str(r#"{"maxBytes": "64KiB", "touchInterval": "1h30m"}"#)?;
//! assert_eq!(limits.max_bytes.bytes(), 65_536);
//! assert_eq!(limits.touch_interval.get().as_secs(), 5_400);
//! # Ok::<(), serde_json::Error>(())
//! ```

mod duration;
mod duration_or_none;
mod fault;
mod none;
mod path;
mod secret;
mod size;

pub use duration::{ConfigDuration, DurationError};
pub use duration_or_none::DurationOrNone;
pub use fault::{Fault, Faults};
pub use none::NoConfig;
pub use path::ConfigPath;
pub use secret::Secret;
pub use size::{ByteSize, SizeError};

/// What YAML makes of a value that may be written with or without a unit.
#[derive(serde::Deserialize)]
#[serde(
    untagged,
    expecting = "expected a text such as `30m` or `64KiB`, or an integer"
)]
enum Spelling {
    Integer(u64),
    Text(String),
}
