//! An address where nobody listens.

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// Keeps an address, and refuses whoever connects to it. One that is only known to be free is soon that of a server of a
/// test beside.
#[derive(Debug)]
pub struct Nobody(TcpSocket);

impl Nobody {
    /// On a port that the system chooses.
    ///
    /// # Panics
    /// When the system has none.
    #[track_caller]
    pub fn anywhere() -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// In the place of somebody who is gone.
    ///
    /// # Panics
    /// When somebody else has it already.
    #[track_caller]
    pub fn at(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("an option of sockets");
        socket.bind(address).expect("an address that is free");
        Self(socket)
    }

    /// Where nobody listens.
    ///
    /// # Panics
    /// Never: it is bound.
    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("the address of a bound socket")
    }
}
