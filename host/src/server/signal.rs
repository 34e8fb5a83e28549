//! The order to stop, from the system.

use std::io;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for SIGTERM and SIGINT.
#[derive(Debug)]
pub struct StopSignal {
    runtime: Runtime,
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignal {
    /// Begins to listen. To be called before the first request is served: until then a signal ends the process.
    ///
    /// # Errors
    /// When the system takes no handler.
    pub fn register() -> io::Result<Self> {
        let runtime = super::worker::runtime()?;
        let (terminate, interrupt) = runtime.block_on(async {
            let terminate = signal(SignalKind::terminate())?;
            io::Result::Ok((terminate, signal(SignalKind::interrupt())?))
        })?;
        Ok(Self {
            runtime,
            terminate,
            interrupt,
        })
    }

    /// Waits for the first of them and says which it was.
    pub fn wait(mut self) -> &'static str {
        self.runtime.block_on(async {
            tokio::select! {
                _ = self.terminate.recv() => "SIGTERM",
                _ = self.interrupt.recv() => "SIGINT",
            }
        })
    }
}
