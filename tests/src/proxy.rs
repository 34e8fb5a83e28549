//! A wire that can be cut.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Stands between a gateway and a server and passes bytes on, or does what networks do. Ends with the process: its
/// threads wait for connections that nobody makes.
#[derive(Clone, Debug)]
pub struct Proxy {
    address: SocketAddr,
    wire: Arc<Wire>,
}

#[derive(Debug)]
struct Wire {
    server: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    condition: Condition,
    // Both ends of every connection since the last cut.
    open: Vec<TcpStream>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Condition {
    Cut,
    Delayed(Duration),
    Partitioned,
    Whole,
}

impl Proxy {
    /// A whole wire to `server`.
    ///
    /// # Panics
    /// When the system gives no port.
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port for the proxy");
        let address = listener.local_addr().expect("the proxy's address");
        let wire = Arc::new(Wire {
            server,
            state: Mutex::new(State {
                condition: Condition::Whole,
                open: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        let accepting = Arc::clone(&wire);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let wire = Arc::clone(&accepting);
                thread::spawn(move || wire.join(stream));
            }
        });
        Self { address, wire }
    }

    /// Where the gateway is to connect.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Keeps every byte, in both directions, of old connections and new ones, until the wire is whole again. Nobody
    /// is told: that is what a partition is like.
    pub fn partition(&self) {
        self.wire.set(Condition::Partitioned);
    }

    /// Passes every piece on this much later.
    pub fn delay(&self, by: Duration) {
        self.wire.set(Condition::Delayed(by));
    }

    /// Ends all connections, and new ones as soon as they are made.
    pub fn cut(&self) {
        self.wire.set(Condition::Cut);
        for stream in self.wire.state().open.drain(..) {
            // Whoever closed it first has done our work.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Passes everything on at once, beginning with what was kept.
    pub fn mend(&self) {
        self.wire.set(Condition::Whole);
    }
}

impl Wire {
    fn set(&self, condition: Condition) {
        self.state().condition = condition;
        self.changed.notify_all();
    }

    fn join(self: &Arc<Self>, client: TcpStream) {
        // Whatever goes wrong here ends the connection, as it would without a proxy.
        let _ = self.try_join(client);
    }

    fn try_join(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        self.wait()?;
        let server = TcpStream::connect(self.server)?;
        for stream in [&client, &server] {
            stream.set_nodelay(true)?;
            self.state().open.push(stream.try_clone()?);
        }
        let back = (server.try_clone()?, client.try_clone()?);
        let wire = Arc::clone(self);
        thread::spawn(move || wire.pass(back.0, back.1));
        self.pass(client, server);
        Ok(())
    }

    /// Passes bytes on in one direction until either end is closed, and closes the other.
    fn pass(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut piece = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            if self.wait().is_err() || to.write_all(&piece[..length]).is_err() {
                break;
            }
        }
        for stream in [from, to] {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Waits until a byte may pass.
    fn wait(&self) -> io::Result<()> {
        let is_partitioned = |state: &mut State| state.condition == Condition::Partitioned;
        let state = self
            .changed
            .wait_while(self.state(), is_partitioned)
            .unwrap_or_else(PoisonError::into_inner);
        match state.condition {
            Condition::Cut => return Err(io::ErrorKind::ConnectionReset.into()),
            Condition::Delayed(by) => {
                drop(state);
                thread::sleep(by);
            }
            Condition::Partitioned | Condition::Whole => {}
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
