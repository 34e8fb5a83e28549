//! What the operating system asks for.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Blocks until the process is asked to stop, by SIGTERM or by ctrl-c.
///
/// # Errors
/// When signals cannot be received.
pub fn wait_for_stop() -> io::Result<()> {
    let runtime = super::worker::runtime()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            _ = interrupt.recv() => Ok(()),
        }
    })
}
