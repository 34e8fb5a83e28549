//! A crowd that speaks HTTP/2, as browsers do: several questions at a time on each connection, another connection as
//! soon as the gateway says that this one takes no more.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use e2e::{Certificate, until};
use futures_util::future::join_all;
use h2::Ping;
use h2::client::{SendRequest, handshake};
use http::{Request, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Connections that are never without a question.
pub(crate) struct Multitude {
    asking: JoinHandle<()>,
    shared: Arc<Shared>,
}

struct Shared {
    gateway: SocketAddr,
    path: &'static str,
    tls: Option<TlsConnector>,
    answered: AtomicUsize,
    connections: AtomicUsize,
    /// Of requests that the gateway may have touched.
    cut: Mutex<Vec<String>>,
    /// Connections that were never served.
    turned_away: Mutex<Vec<String>>,
    is_over: AtomicBool,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) answered: usize,
    pub(crate) connections: usize,
    pub(crate) cut: Vec<String>,
    pub(crate) turned_away: Vec<String>,
}

/// What to do after a question.
enum Then {
    Ask,
    OpenAnother,
}

type Asker = SendRequest<bytes::Bytes>;

impl Multitude {
    /// Lets so many connections begin to ask, in the clear or trusting this certificate.
    pub(crate) fn start(
        connections: usize,
        gateway: SocketAddr,
        path: &'static str,
        certificate: Option<&Certificate>,
    ) -> Self {
        let shared = Arc::new(Shared {
            gateway,
            path,
            tls: certificate.map(|certificate| trusting(certificate.file())),
            answered: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            cut: Mutex::default(),
            turned_away: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let all = Arc::clone(&shared);
        let asking = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async {
                join_all((0..connections).map(|_| all.ask_on())).await;
            });
        });
        Self { asking, shared }
    }

    /// Waits until so many more were answered.
    #[track_caller]
    pub(crate) fn until_answered(&self, more: usize) {
        let enough = self.shared.answered.load(Ordering::Relaxed) + more;
        until("everybody is answered, or somebody cut", || {
            let cut = self.shared.cut.lock().unwrap();
            assert!(cut.is_empty(), "{cut:?}");
            self.shared.answered.load(Ordering::Relaxed) >= enough
        });
    }

    /// Lets everybody finish.
    pub(crate) fn stop(self) -> Outcome {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.asking.join().unwrap();
        let take = |words: &Mutex<Vec<String>>| std::mem::take(&mut *words.lock().unwrap());
        Outcome {
            answered: self.shared.answered.load(Ordering::Relaxed),
            connections: self.shared.connections.load(Ordering::Relaxed),
            cut: take(&self.shared.cut),
            turned_away: take(&self.shared.turned_away),
        }
    }
}

impl Shared {
    /// One connection after the other, until it is over or nobody is there.
    async fn ask_on(&self) {
        while !self.is_over.load(Ordering::Relaxed) {
            match self.open().await {
                Ok(asker) => {
                    self.connections.fetch_add(1, Ordering::Relaxed);
                    join_all((0..AT_A_TIME).map(|_| self.ask_with(asker.clone()))).await;
                }
                Err(error) => {
                    self.turned_away.lock().unwrap().push(error);
                    return;
                }
            }
        }
    }

    async fn open(&self) -> Result<Asker, String> {
        let stream = TcpStream::connect(self.gateway).await;
        let stream = stream.map_err(|error| error.to_string())?;
        match &self.tls {
            None => speak(stream).await,
            Some(tls) => {
                let name = ServerName::try_from(Certificate::NAME).unwrap();
                let secured = tls.connect(name, stream).await;
                speak(secured.map_err(|error| error.to_string())?).await
            }
        }
    }

    async fn ask_with(&self, asker: Asker) {
        let mut asker = Some(asker);
        while let Some(ready) = asker
            .take()
            .filter(|_| !self.is_over.load(Ordering::Relaxed))
        {
            match self.ask(ready.clone()).await {
                Then::Ask => asker = Some(ready),
                Then::OpenAnother => {}
            }
        }
    }

    async fn ask(&self, asker: Asker) -> Then {
        match answer(asker, self.path).await {
            Ok(StatusCode::OK) => {
                self.answered.fetch_add(1, Ordering::Relaxed);
                Then::Ask
            }
            Ok(status) => {
                self.cut.lock().unwrap().push(status.to_string());
                Then::Ask
            }
            Err(error) => {
                if !is_untouched(&error) {
                    self.cut.lock().unwrap().push(error.to_string());
                }
                Then::OpenAnother
            }
        }
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<Asker, String> {
    let (asker, mut connection) = handshake(stream).await.map_err(|error| error.to_string())?;
    let mut pings = connection.ping_pong().unwrap();
    tokio::spawn(connection);
    // Whoever answers has taken the connection on; one that was never accepted cannot be cut.
    let answered = pings.ping(Ping::opaque()).await;
    answered.map_err(|error| error.to_string())?;
    Ok(asker)
}

/// The whole answer, or why there is none.
async fn answer(asker: Asker, path: &str) -> Result<StatusCode, h2::Error> {
    let url = format!("https://{}{path}", Certificate::NAME);
    let request = Request::get(url).body(()).unwrap();
    let (answer, _) = asker.ready().await?.send_request(request, true)?;
    let answer = answer.await?;
    let status = answer.status();
    let mut body = answer.into_body();
    while let Some(part) = body.data().await {
        let part = part?;
        let _ = body.flow_control().release_capacity(part.len());
    }
    Ok(status)
}

/// Whether the gateway says that it has not touched the request (RFC 9113, section 8.7).
fn is_untouched(error: &h2::Error) -> bool {
    let is_refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
    is_refused || (error.is_go_away() && error.is_remote())
}

fn trusting(certificate: PathBuf) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(certificate).unwrap();
    roots.add(certificate).unwrap();
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsConnector::from(Arc::new(config))
}

// Questions on each connection.
const AT_A_TIME: usize = 8;
