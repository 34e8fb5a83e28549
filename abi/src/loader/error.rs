//! Why a library was refused.

use std::io;

/// One line for the operator. The path is added by who reports it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The library would end the process at its first panic.
    #[error(
        "built with panic = \"abort\": a panic in it would end the gateway; build it with panic = \"unwind\""
    )]
    Aborts,
    /// The library was built with another generation of `abi_stable`.
    #[error("built with abi_stable {found}, the gateway uses {expected}: rebuild the plugin")]
    AbiStable {
        /// `major.minor` of the plugin.
        found: String,
        /// `major.minor` of the gateway.
        expected: String,
    },
    /// The library was built for another machine.
    #[error("built for {found}, this gateway runs on {expected}")]
    Machine {
        /// What it was built for.
        found: String,
        /// What this process is.
        expected: String,
    },
    /// A table or a type in it differs from the gateway's.
    #[error(
        "built for an incompatible interface: {0}; rebuild the plugin against the gateway's `abi`"
    )]
    Layout(String),
    /// The library was built for functions that this gateway does not have yet.
    #[error(
        "built for a newer gateway: update the gateway, or rebuild the plugin against its `abi`"
    )]
    Newer,
    /// A shared library, but not one of ours.
    #[error("does not export a gateway plugin entry point")]
    NoEntry,
    /// Something else than a shared library.
    #[error("not a shared library ({0})")]
    NotALibrary(&'static str),
    /// The dynamic linker refused it.
    #[error("cannot be opened: {0}")]
    Open(String),
    /// The library was built for another version of the interface.
    #[error(
        "built for plugin interface {found}, this gateway speaks {expected}: rebuild the plugin"
    )]
    OtherAbi {
        /// The plugin's number.
        found: u32,
        /// The gateway's number.
        expected: u32,
    },
    /// The file cannot be read.
    #[error("cannot read: {}", plain(.0))]
    Read(#[source] io::Error),
    /// The library's own start-up failed.
    #[error("initialisation failed: {0}")]
    Start(String),
    /// The end of the file is missing.
    #[error("file is truncated ({size} bytes, its segments need {needed})")]
    Truncated {
        /// What is there.
        size: u64,
        /// What should be.
        needed: u64,
    },
}

/// `No such file or directory` without the ` (os error 2)` behind it.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
