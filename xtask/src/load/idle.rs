//! What connections weigh that have asked once and wait, and what they leave behind: resident memory of the gateway, over
//! HTTP/1.1 and HTTP/2, with TLS and without.
//!
//! `h2load` opens them all at once, asks on each of them once, keeps them, and closes them all. What is done once for all
//! is in the figures too, and of no weight among thousands; so are the connections to the upstream that are kept. A
//! gateway of its own for each kind, with one thread: what one kind leaves behind would be room for the next.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::backend::Backend;
use super::contender::Contender;
use super::gateway;
use super::process::Process;
use super::secure::Certificate;
use crate::{Error, layout, step, tools};

/// Measures so many connections of each kind, and prints a table in Markdown.
///
/// # Errors
/// When that is no number, something is missing, or not all connections can be had: there is a limit of open files.
pub(crate) fn idle(connections: &str) -> Result<(), Error> {
    let connections: usize = connections
        .parse()
        .map_err(|_| format!("{connections} is no number of connections"))?;
    tools::require(tools::FOR_LOAD)?;
    tools::require(tools::FOR_SECURE)?;
    let directory = tempfile::tempdir()?;
    layout::lay_out(directory.path(), "release")?;
    let backend = Backend::start(directory.path())?;
    let certificate = Certificate::issue(directory.path())?;
    println!("{HEAD}");
    for kind in &KINDS {
        step::announce(kind.name);
        let gateway = gateway(kind, &backend, &certificate)?;
        let Weight { open, closed } = weigh(kind, &gateway, connections)?;
        let each = open as f64 / connections as f64 / 1024.0;
        let left = closed as f64 / (1024.0 * 1024.0);
        println!("| {} | {each:.1} KiB | {left:.0} MiB |", kind.name);
    }
    Ok(())
}

struct Kind {
    name: &'static str,
    scheme: &'static str,
    /// For `h2load`.
    option: &'static str,
}

/// Bytes that a gateway has grown by.
struct Weight {
    /// While all wait.
    open: u64,
    /// When nobody is there any more.
    closed: u64,
}

fn weigh(kind: &Kind, gateway: &Contender, connections: usize) -> Result<Weight, Error> {
    let directory = tempfile::tempdir()?;
    let before = resident(gateway.process())?;
    let grown = || Ok::<_, Error>(resident(gateway.process())?.saturating_sub(before));
    let clients = clients(kind, gateway, connections, directory.path())?;
    opened(gateway, connections)?;
    thread::sleep(REST);
    let open = grown()?;
    drop(clients);
    thread::sleep(GONE);
    Ok(Weight {
        open,
        closed: grown()?,
    })
}

fn opened(gateway: &Contender, connections: usize) -> Result<(), Error> {
    for _ in 0..PATIENCE.as_secs() {
        thread::sleep(Duration::from_secs(1));
        if sockets(gateway.process())? >= connections {
            return Ok(());
        }
    }
    let opened = sockets(gateway.process())?;
    Err(format!("of {connections} connections there are {opened}; see ulimit -n").into())
}

/// Ask at once, and again when nobody looks any more.
fn clients(
    kind: &Kind,
    gateway: &Contender,
    connections: usize,
    directory: &Path,
) -> Result<Process, Error> {
    let url = format!("{}://{}/page", kind.scheme, gateway.address());
    let script = directory.join("script");
    fs::write(&script, format!("0\t{url}\n{}\t{url}\n", LATER.as_millis()))?;
    let mut h2load = Command::new("h2load");
    h2load.arg(kind.option).arg(format!("-c{connections}"));
    h2load.arg(format!("--timing-script-file={}", script.display()));
    for header in gateway.headers() {
        h2load.arg("-H").arg(header);
    }
    Process::start(h2load.stdout(Stdio::null()))
}

fn gateway(kind: &Kind, backend: &Backend, certificate: &Certificate) -> Result<Contender, Error> {
    let tls = match kind.scheme {
        "https" => format!(
            ", tls: {{ certFile: '{}', keyFile: '{}' }}",
            certificate.file.display(),
            certificate.key.display()
        ),
        _ => String::new(),
    };
    let yaml = format!(
        "server: {{ address: '127.0.0.1:0', threads: 1, timeouts: {{ idle: 10m }}, log: {{ level: 'info,access=off' }}{tls} }}\n\
         routes: [{{ path: /*, action: {{ use: gateway.actions.HttpAction, config: {{ upstreamEndpoint: 'http://{}' }} }} }}]\n",
        backend.upstream()
    );
    let gateway = Command::new(gateway::program(backend.directory()));
    let (process, address) = gateway::launch(gateway, backend.directory(), &yaml)?;
    Ok(Contender::without_session("gateway", process, address))
}

/// Bytes of memory that are there, and not only promised.
fn resident(process: u32) -> Result<u64, Error> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 = line
        .ok_or("no VmRSS")?
        .trim_end_matches("kB")
        .trim()
        .parse()?;
    Ok(kib * 1024)
}

fn sockets(process: u32) -> Result<usize, Error> {
    let files = fs::read_dir(format!("/proc/{process}/fd"))?;
    let targets = files.flatten().map(|file| fs::read_link(file.path()));
    let is_socket = |target: &Path| target.to_string_lossy().starts_with("socket:");
    Ok(targets.flatten().filter(|target| is_socket(target)).count())
}

const KINDS: [Kind; 4] = [
    Kind {
        name: "HTTP/1.1",
        scheme: "http",
        option: "--h1",
    },
    Kind {
        name: "HTTP/2",
        scheme: "http",
        option: "-t1",
    },
    Kind {
        name: "HTTP/1.1 over TLS",
        scheme: "https",
        option: "--h1",
    },
    Kind {
        name: "HTTP/2 over TLS",
        scheme: "https",
        option: "-t1",
    },
];

const PATIENCE: Duration = Duration::from_secs(60);
// The last ones are to be answered, and to rest.
const REST: Duration = Duration::from_secs(8);
const GONE: Duration = Duration::from_secs(10);
const LATER: Duration = Duration::from_secs(600);

const HEAD: &str = "\
| after one request | each connection | left when all have closed |\n\
|---|---|---|";
