//! Who is compared: nginx and the gateway, each in front of the same upstream.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::page;
use crate::Error;

/// What a contender does.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Way {
    Nginx,
    Plain,
    Memory,
    Redis,
}

/// A contender that is running. Ends with this value.
pub(super) struct Peer {
    way: Way,
    process: Process,
    address: SocketAddr,
    headers: Vec<String>,
}

/// The upstream and the storage, on processor 1.
pub(super) struct Backend {
    upstream: SocketAddr,
    redis: std::path::PathBuf,
    _processes: [Process; 2],
}

struct Process(Child);

impl Peer {
    pub(super) fn start(way: Way, directory: &Path, backend: &Backend) -> Result<Self, Error> {
        let (process, address) = match way {
            Way::Nginx => nginx_proxy(directory, backend)?,
            Way::Plain | Way::Memory | Way::Redis => gateway(way, directory, backend)?,
        };
        let headers = match way {
            Way::Nginx | Way::Plain => identity(),
            Way::Memory | Way::Redis => {
                vec![format!("Cookie: theme=dark; {}; lang=de", log_in(address)?)]
            }
        };
        Ok(Self {
            way,
            process,
            address,
            headers,
        })
    }

    pub(super) const fn name(&self) -> &'static str {
        match self.way {
            Way::Nginx => "nginx, plain proxy",
            Way::Plain => "gateway, no session",
            Way::Memory => "gateway, sessions in memory",
            Way::Redis => "gateway, sessions in Redis",
        }
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn headers(&self) -> &[String] {
        &self.headers
    }

    pub(super) fn process(&self) -> u32 {
        self.process.0.id()
    }
}

impl Backend {
    pub(super) fn start(directory: &TempDir) -> Result<Self, Error> {
        let upstream = free_address()?;
        let session = page::session();
        let config = format!(
            "server {{ listen {upstream}; keepalive_requests 100000000;\n\
             location = /login {{ add_header X-Session-Set '{session}'; return 200; }}\n\
             location / {{ if ($http_x_user_id != '{}') {{ return 403; }} if ($http_authorization = '') {{ return 403; }}\n\
             return 200 '{}'; }} }}",
            page::USER,
            page::body()
        );
        let nginx = nginx(&directory.path().join("upstream"), &config, "1")?;
        await_listener(upstream)?;
        let redis = directory.path().join("redis.sock");
        let socket = redis.to_string_lossy().into_owned();
        let arguments = [
            "redis-server",
            "--port",
            "0",
            "--save",
            "",
            "--unixsocket",
            &socket,
        ];
        let server = pinned("1").args(arguments).stdout(Stdio::null()).spawn()?;
        Ok(Self {
            upstream,
            redis,
            _processes: [nginx, Process(server)],
        })
    }
}

/// What contenders without sessions get from the client, so that the upstream is as content with them.
fn identity() -> Vec<String> {
    let cookie = format!("Cookie: theme=dark; session_id={}; lang=de", "A".repeat(43));
    vec![
        format!("X-User-Id: {}", page::USER),
        format!("Authorization: {}", page::authorization()),
        cookie,
    ]
}

fn nginx_proxy(directory: &Path, backend: &Backend) -> Result<(Process, SocketAddr), Error> {
    let address = free_address()?;
    let config = format!(
        "upstream page {{ server {}; keepalive 64; }}\n\
         server {{ listen {address}; keepalive_requests 100000000; location / {{ proxy_pass http://page;\n\
         proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host $host; }} }}",
        backend.upstream
    );
    let process = nginx(&directory.join("nginx"), &config, "0")?;
    await_listener(address)?;
    Ok((process, address))
}

fn nginx(directory: &Path, http: &str, processor: &str) -> Result<Process, Error> {
    fs::create_dir_all(directory)?;
    let file = directory.join("nginx.conf");
    let config = format!(
        "daemon off; worker_processes 1; pid {0}/pid; error_log {0}/error.log;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ access_log off; client_body_temp_path {0}/b; proxy_temp_path {0}/p; fastcgi_temp_path {0}/f;\n\
         uwsgi_temp_path {0}/u; scgi_temp_path {0}/s; {http} }}",
        directory.display()
    );
    fs::write(&file, config)?;
    let mut command = pinned(processor);
    command
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .arg("nginx")
        .arg("-c")
        .arg(&file);
    Ok(Process(command.stderr(Stdio::null()).spawn()?))
}

fn gateway(way: Way, directory: &Path, backend: &Backend) -> Result<(Process, SocketAddr), Error> {
    let config = tempfile::tempdir_in(directory)?.keep();
    fs::write(config.join("gateway.yaml"), yaml(way, directory, backend))?;
    let mut command = pinned("0");
    command
        .arg(directory.join("gateway"))
        .arg("run")
        .arg("--config")
        .arg(&config);
    let mut child = command
        .env("NO_COLOR", "1")
        .stderr(Stdio::piped())
        .spawn()?;
    let log = child.stderr.take().ok_or("the gateway has no log")?;
    let mut lines = BufReader::new(log).lines();
    let process = Process(child);
    let address = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| address_in(&line));
    // Somebody has to read on, or the gateway would wait for it.
    thread::spawn(move || lines.for_each(drop));
    Ok((process, address.ok_or("the gateway does not listen")?))
}

fn yaml(way: Way, directory: &Path, backend: &Backend) -> String {
    let middlewares = if way == Way::Plain { "" } else { "Load, Map" };
    let storage = match way {
        Way::Redis => format!(
            "plugins.session.storages.RedisStorage, config: {{ host: '{}' }}",
            backend.redis.display()
        ),
        Way::Nginx | Way::Plain | Way::Memory => {
            "plugins.session.storages.MemoryStorage".to_owned()
        }
    };
    let plugins = if way == Way::Plain {
        String::new()
    } else {
        format!(
            "plugins: [{{ path: '{}' }}]\n\
             storages: {{ Store: {{ use: {storage} }} }}\n\
             middlewares:\n  \
             Load: {{ use: plugins.session.middlewares.LoadSessionMiddleware, config: {{ storage: Store, responseHeader: X-Session-Set }} }}\n  \
             Map: {{ use: plugins.session.middlewares.MapSessionToHeaderMiddleware, config: {{ headers: {{ Authorization: authorization, X-User-Id: user_id }} }} }}\n",
            directory.join("plugins/session.so").display()
        )
    };
    format!(
        "server: {{ address: '127.0.0.1:0', threads: 1, log: {{ level: 'info,access=off' }} }}\n{plugins}\
         routes: [{{ path: /*, middlewares: [{middlewares}], action: {{ use: gateway.actions.HttpAction, config: {{ upstreamEndpoint: 'http://{}' }} }} }}]\n",
        backend.upstream
    )
}

/// The cookie that a login brings.
fn log_in(address: SocketAddr) -> Result<String, Error> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /login HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    let cookie = response
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "));
    let pair = cookie.and_then(|cookie| cookie.split(';').next());
    pair.map(str::to_owned)
        .ok_or_else(|| format!("the login set no cookie:\n{response}").into())
}

fn pinned(processor: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", processor]);
    command
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening")?;
    let mut words = rest.split(|c: char| c.is_whitespace() || c == '=' || c == '"');
    words.find_map(|word| word.parse().ok())
}

/// An address that was free a moment ago: nginx cannot choose one itself.
fn free_address() -> Result<SocketAddr, Error> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn await_listener(address: SocketAddr) -> Result<(), Error> {
    for _ in 0..100 {
        if TcpStream::connect(address).is_ok() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err(format!("nothing listens on {address}").into())
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGTERM first: nginx has to end its worker.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}
