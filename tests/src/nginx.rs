//! nginx as a service behind the gateway: a process that can be killed, frozen and told to leave.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::gateway::signal;
use crate::log::Log;
use crate::patience::listens;

/// One process that answers every request with its name. Ends with the test.
#[derive(Debug)]
pub struct Nginx {
    process: Child,
    log: Log,
    port: u16,
    directory: TempDir,
}

impl Nginx {
    /// Starts a server. `listen` are the options of its port (`ssl http2`), `more` is what stands in it beside.
    ///
    /// # Panics
    /// When it does not listen.
    #[track_caller]
    pub fn start(name: &str, listen: &str, more: &str) -> Self {
        loop {
            let directory = tempfile::tempdir().expect("a directory for nginx");
            let port = free_port();
            let text = configuration(name, &format!("127.0.0.1:{port} {listen}"), more);
            let mut file = fs::File::create(directory.path().join("nginx.conf")).expect("a file");
            file.write_all(text.as_bytes()).expect("its configuration");
            let (process, log) = spawn(directory.path());
            let mut nginx = Self {
                process,
                log,
                port,
                directory,
            };
            if nginx.listens() {
                return nginx;
            }
            // The port was free a moment ago.
            nginx.kill();
            let text = nginx.log.text();
            assert!(text.contains("in use"), "nginx does not listen:\n{text}");
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Ends it as a crash does.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.log.wait_for_end();
    }

    /// Starts it again where it was.
    ///
    /// # Panics
    /// When it does not listen.
    #[track_caller]
    pub fn restart(&mut self) {
        self.kill();
        (self.process, self.log) = spawn(self.directory.path());
        assert!(
            self.listens(),
            "nginx does not listen:\n{}",
            self.log.text()
        );
    }

    /// Stops it in the middle of whatever it does: connections stay open and nothing answers.
    pub fn freeze(&self) {
        signal(self.process.id(), "STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        signal(self.process.id(), "CONT");
    }

    /// Waits until somebody listens; false when the process has ended.
    fn listens(&mut self) -> bool {
        let address = self.address();
        listens(&mut self.process, || TcpStream::connect(address))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("==== log of nginx\n{}\n====", self.log.text());
        }
    }
}

#[track_caller]
fn spawn(directory: &Path) -> (Child, Log) {
    let mut process = Command::new("/usr/sbin/nginx")
        .args(["-p", ".", "-e", "stderr", "-c", "nginx.conf"])
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("nginx is missing: apt-get install nginx-light: {error}"));
    let log = Log::of(process.stderr.take().expect("the log of nginx"));
    (process, log)
}

fn configuration(name: &str, listen: &str, more: &str) -> String {
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let paths = paths.map(|path| format!("{path}_temp_path tmp;")).concat();
    format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr error;\n\
         events {{}}\n\
         http {{ {paths} access_log off; server {{ listen {listen}; {more}\n\
         location / {{ return 200 \"{name} $server_protocol $http_host $request_uri\"; }} }} }}\n"
    )
}

/// A port that was free a moment ago: nginx cannot be asked to choose one.
fn free_port() -> u16 {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
    free.expect("a free port").port()
}
