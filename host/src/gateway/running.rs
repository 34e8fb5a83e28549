//! A gateway that serves, and how it comes to serve by another configuration.

use std::path::PathBuf;
use std::sync::Arc;

use super::Gateway;
use super::assembly::{Assembly, Occasion};
use super::generation::{Generations, Newest};
use crate::admin::Admin;
use crate::config::{self, Address, Config, Fault, Networks};
use crate::metrics::{Metrics, Reloads, Traffic};
use crate::server::{Server, ServerError, Settings};
use crate::succession::{self, Inherited, SuccessionError};

/// A gateway that serves. Dropping it orders it to stop, without waiting.
#[derive(Debug)]
pub struct Running {
    /// Where the configuration is read.
    dir: PathBuf,
    /// What the process was started with.
    started_with: config::Server,
    generations: Arc<Generations>,
    metrics: Arc<Metrics>,
    reloads: Reloads,
    traffic: Traffic,
    server: Server,
    admin: Option<Server>,
    has_successor: bool,
}

/// What came of reading the configuration anew.
#[derive(Debug)]
pub struct Reloaded {
    /// The keys of `server` whose changes wait for the next start of the process.
    pub waiting: Vec<&'static str>,
}

impl Running {
    pub(super) fn start(
        (config, assembly): (Config, Assembly),
        metrics: Arc<Metrics>,
        inherited: &mut Inherited,
    ) -> Result<Self, ServerError> {
        let admin = config.server.admin.clone();
        let admin = admin.map(|address| operate(address, &config.server, &metrics, inherited));
        let generations = Arc::new(Generations::new(assembly, &config.server));
        let found = Arc::clone(&generations);
        let traffic = Traffic::new(&metrics);
        let settings = Settings {
            traffic,
            ..Settings::from(&config.server)
        };
        let server = Server::inherit(inherited, settings, move |worker| {
            Newest::on(worker, &found)
        })?;
        Ok(Self {
            dir: config.dir,
            started_with: config.server,
            generations,
            reloads: Reloads::new(&metrics),
            traffic,
            metrics,
            server,
            admin: admin.transpose()?,
            has_successor: false,
        })
    }

    /// Reads the configuration anew and serves new requests by it. Requests in flight end as they began. If anything
    /// in it is wrong, nothing changes.
    ///
    /// # Errors
    /// With every fault of the new configuration.
    pub fn reload(&mut self) -> Result<Reloaded, Vec<Fault>> {
        let read = config::survey(&self.dir);
        let before = self.generations.newest();
        let next = Gateway::made(Occasion::Reload(&before), read, Arc::clone(&self.metrics));
        drop(before);
        match &next {
            Ok(_) => self.reloads.done(),
            Err(_) => self.reloads.refused(),
        }
        let Gateway {
            config, assembly, ..
        } = next?;
        self.generations.succeed(assembly, &config.server);
        self.server.renew(Settings {
            traffic: self.traffic,
            ..Settings::from(&config.server)
        });
        let waiting = self.started_with.waiting(&config.server);
        Ok(Reloaded { waiting })
    }

    /// Lets the program as it is on the disk now serve beside this one, on the same sockets. Returns the number of its
    /// process. This one goes on until it is told to [`stop`](Self::stop).
    ///
    /// # Errors
    /// When the other does not come to serve. Nothing has changed then.
    pub fn hand_over(&mut self) -> Result<u32, SuccessionError> {
        // In the order in which they are asked for.
        let mut sockets = match &self.admin {
            Some(admin) => admin.copies()?,
            None => Vec::new(),
        };
        sockets.extend(self.server.copies()?);
        let process = succession::begin(sockets)?;
        self.has_successor = true;
        Ok(process)
    }

    /// Where it listens, with the ports the system has chosen.
    pub fn addresses(&self) -> &[Address] {
        self.server.addresses()
    }

    /// Where the operator's listener is.
    pub fn admin_addresses(&self) -> &[Address] {
        self.admin.as_ref().map_or(&[], Server::addresses)
    }

    /// Orders it to stop: no new connections, running requests end, whatever is left after `shutdownGrace` is cut.
    /// Whoever asks meanwhile hears that it is not ready, unless another process serves at the same addresses.
    pub fn stop(&self) {
        if !self.has_successor {
            self.generations.leave();
        }
        self.server.stop();
        if let Some(admin) = &self.admin {
            admin.stop();
        }
    }

    /// Waits until it has stopped.
    pub fn join(self) {
        self.server.join();
        if let Some(admin) = self.admin {
            admin.join();
        }
        self.generations.close();
    }
}

fn operate(
    address: Address,
    server: &config::Server,
    metrics: &Arc<Metrics>,
    inherited: &mut Inherited,
) -> Result<Server, ServerError> {
    let settings = Settings {
        addresses: vec![address],
        tls: None,
        // Nobody else's word counts where nobody is asked who they are.
        trusted_proxies: Networks::default(),
        proxy_protocol: false,
        socket_mode: None,
        threads: 1,
        ..Settings::from(server)
    };
    let admin = Admin::new(Arc::clone(metrics));
    Server::inherit(inherited, settings, move |_| admin.clone())
}
