//! Orders from the system.

use std::io;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for SIGHUP, SIGINT, SIGTERM and SIGUSR2.
#[derive(Debug)]
pub struct Orders {
    runtime: Runtime,
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
    user2: Signal,
}

/// What the system wants of the process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Order {
    /// Read the configuration anew: SIGHUP.
    Reload,
    /// Stop, because of this signal: SIGTERM or SIGINT.
    Stop(&'static str),
    /// Let the program as it is on the disk now take over: SIGUSR2.
    Upgrade,
}

impl Orders {
    /// Begins to listen. To be called before the first request is served: until then a signal ends the process.
    ///
    /// # Errors
    /// When the system takes no handler.
    pub fn register() -> io::Result<Self> {
        let runtime = super::worker::runtime()?;
        let listen = |kind| {
            let _entered = runtime.enter();
            signal(kind)
        };
        Ok(Self {
            hangup: listen(SignalKind::hangup())?,
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            user2: listen(SignalKind::user_defined2())?,
            runtime,
        })
    }

    /// Waits for the next one. Several of one kind that come meanwhile are one.
    pub fn wait(&mut self) -> Order {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                _ = self.terminate.recv() => Order::Stop("SIGTERM"),
                _ = self.interrupt.recv() => Order::Stop("SIGINT"),
                _ = self.hangup.recv() => Order::Reload,
                _ = self.user2.recv() => Order::Upgrade,
            }
        })
    }
}
