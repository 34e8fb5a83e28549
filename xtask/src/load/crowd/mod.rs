//! What a request costs at a gateway that holds many sessions, against one that holds few.
//!
//! Every user is somebody else, logs in through the gateway and has one session with a roster of its own, both in memory.
//! Then `wrk` asks with their cookies in turn: of all thousand at the gateway that holds no more; at the other one of as
//! many, which stay in the processor's caches, and of a hundred thousand that lie far apart, which do not. Upstream,
//! processors, rounds and ratios are those of the comparison under load. Both gateways have the allocator that the unit for
//! systemd gives them, unless `GLIBC_TUNABLES` asks for another.

mod ask;
mod log_in;

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::contender::Contender;
use super::nginx::{self, Config};
use super::process::{Process, Processor};
use super::{gateway, page, round, rounds, table};
use crate::{Error, layout, root, step, tools};

/// Measures a gateway with so many sessions, and prints a table in Markdown.
///
/// # Errors
/// When that is no number or a small one, something is missing, does not start, or answers anything but 200.
pub(crate) fn crowd(sessions: &str) -> Result<(), Error> {
    let sessions: usize = sessions
        .parse()
        .map_err(|_| format!("{sessions} is no number of sessions"))?;
    if sessions < SPREAD {
        return Err(format!("{sessions} sessions are no crowd: it takes {SPREAD}").into());
    }
    tools::require(tools::FOR_LOAD)?;
    let directory = tempfile::tempdir()?;
    layout::lay_out(directory.path(), "release")?;
    let (_upstream, upstream) = upstream(directory.path())?;
    let few = Crowd::gather(directory.path(), upstream, FEW)?;
    let many = Crowd::gather(directory.path(), upstream, sessions)?;
    let contenders = [
        few.asked_by("1,000 sessions", FEW)?,
        many.asked_by("all of them, 1,000 in use", FEW)?,
        many.asked_by("all of them, 100,000 in use", SPREAD)?,
    ];
    let rounds = rounds(&contenders)?;
    println!("{HEAD}");
    for (number, contender) in contenders.iter().enumerate() {
        let cpu = |round: &Vec<round::Sample>| round[number].cpu_per_100k;
        let ratio = |round: &Vec<round::Sample>| cpu(round) / round[0].cpu_per_100k;
        let name = contender.name();
        let (cpu, ratio) = (
            table::median(rounds.iter().map(cpu)),
            table::median(rounds.iter().map(ratio)),
        );
        println!("| {name} | {cpu:.3} | {ratio:.2} |");
    }
    Ok(())
}

/// A gateway in which users are logged in.
struct Crowd {
    process: Rc<Process>,
    address: SocketAddr,
    scripts: PathBuf,
    /// Of users who logged in at even distances.
    cookies: Vec<String>,
}

impl Crowd {
    fn gather(directory: &Path, upstream: SocketAddr, sessions: usize) -> Result<Self, Error> {
        let mut gateway = Processor::Contender.command(&gateway::program(directory));
        gateway.env(TUNABLES, tunables()?);
        let yaml = yaml(directory, upstream);
        let (process, address) = gateway::launch(gateway, directory, &yaml)?;
        step::announce(&format!("{sessions} users log in"));
        Ok(Self {
            process: Rc::new(process),
            address,
            scripts: tempfile::tempdir_in(directory)?.keep(),
            cookies: log_in::users(address, sessions, SPREAD)?,
        })
    }

    /// `users` of those that are logged in ask in turn.
    fn asked_by(&self, name: &'static str, users: usize) -> Result<Contender, Error> {
        let distance = (self.cookies.len() / users).max(1);
        let cookies: Vec<&str> = self
            .cookies
            .iter()
            .step_by(distance)
            .take(users)
            .map(String::as_str)
            .collect();
        let script = self.scripts.join(format!("{users}.lua"));
        fs::write(&script, ask::script(&cookies))?;
        let process = Rc::clone(&self.process);
        Ok(Contender::scripted(name, process, self.address, script))
    }
}

/// Makes somebody else of whoever asks for `/login`.
fn upstream(directory: &Path) -> Result<(Process, SocketAddr), Error> {
    let server = format!(
        "location = /login {{ add_header X-Session-Set '{{\"user_id\":\"$request_id\"}}'; return 200; }}\n\
         location / {{ if ($http_x_user_id = '') {{ return 403; }}\n\
         return 200 '{}'; }}",
        page::body()
    );
    let config = Config {
        server: &server,
        ..Config::default()
    };
    nginx::start(&directory.join("upstream"), Processor::Others, config)
}

/// What the environment says of glibc's allocator, or else the unit.
fn tunables() -> Result<String, Error> {
    if let Ok(wanted) = env::var(TUNABLES) {
        return Ok(wanted);
    }
    let unit = fs::read_to_string(root().join("examples/systemd/gateway.service"))?;
    let prefix = format!("Environment={TUNABLES}=");
    let line = unit.lines().find_map(|line| line.strip_prefix(&prefix));
    Ok(line.ok_or("the unit says nothing of pages")?.to_owned())
}

/// Room for whatever comes: two rows for each user.
fn yaml(directory: &Path, upstream: SocketAddr) -> String {
    let plugin = directory.join("plugins/session.so");
    format!(
        "server: {{ address: '127.0.0.1:0', threads: 1, log: {{ level: 'error,access=off,gateway=info' }} }}\n\
         plugins: [{{ path: '{}' }}]\n\
         storages: {{ Store: {{ use: plugins.session.storages.MemoryStorage, config: {{ maxEntries: 1000000000, maxBytes: 64GiB }} }} }}\n\
         middlewares:\n  \
         Load: {{ use: plugins.session.middlewares.LoadSessionMiddleware, config: {{ storage: Store, responseHeader: X-Session-Set }} }}\n  \
         Map: {{ use: plugins.session.middlewares.MapSessionToHeaderMiddleware, config: {{ headers: {{ X-User-Id: user_id }} }} }}\n\
         routes:\n  \
         - path: /*\n    \
         middlewares: [Load, Map]\n    \
         action: {{ use: gateway.actions.HttpAction, config: {{ upstreamEndpoint: 'http://{upstream}' }} }}\n",
        plugin.display()
    )
}

const HEAD: &str = "\
| sessions in memory | CPU s / 100k requests | of 1,000 |\n\
|---|---|---|";
const TUNABLES: &str = "GLIBC_TUNABLES";
const FEW: usize = 1_000;
// A row of theirs and what points to it: more than the caches that a processor has for itself.
const SPREAD: usize = 100_000;
