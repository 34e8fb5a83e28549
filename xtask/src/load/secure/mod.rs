//! What TLS costs, with HTTP/1.1 and with HTTP/2, against nginx: no sessions, the rest as in the comparison without it.
//!
//! `h2load` with one thread: 64 connections over HTTP/1.1, and 16 with 8 requests at a time over HTTP/2. It has
//! processor 1 with the upstream, and what is measured has processor 0. Both sides have the same certificate, P-256.

mod certificate;
mod h2load;

use std::time::Duration;

pub(super) use self::certificate::Certificate;
use self::h2load::{Protocol, Run};
use super::backend::Backend;
use super::contender::Contender;
use super::nginx::{self, Config, PASS};
use super::process::Processor;
use super::{cpu, gateway, round, table};
use crate::{Error, layout, step, tools};

/// Compares and prints a table in Markdown.
///
/// # Errors
/// When something is missing, does not start, or answers anything but 200.
pub(crate) fn secure() -> Result<(), Error> {
    tools::require(tools::FOR_LOAD)?;
    tools::require(tools::FOR_SECURE)?;
    let directory = tempfile::tempdir()?;
    layout::lay_out(directory.path(), "release")?;
    let backend = Backend::start(directory.path())?;
    let certificate = Certificate::issue(directory.path())?;
    let pair = [
        nginx_contender(&backend, &certificate)?,
        gateway_contender(&backend, &certificate)?,
    ];
    println!("{HEAD}");
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let rounds = (0..ROUNDS).map(|number| {
            step::announce(&format!("{protocol}, round {} of {ROUNDS}", number + 1));
            round::in_turn(number, &pair, |contender| measure(protocol, contender))
        });
        let rounds: Vec<Vec<Run>> = rounds.collect::<Result<_, Error>>()?;
        print!("{}", rows(protocol, &rounds));
    }
    Ok(())
}

fn measure(protocol: Protocol, contender: &Contender) -> Result<Run, Error> {
    h2load::run(contender, protocol, WARM_UP)?;
    let before = cpu::seconds(contender.process())?;
    let run = h2load::run(contender, protocol, MEASURED)?;
    let spent = cpu::seconds(contender.process())? - before;
    Ok(Run {
        cpu_per_100k: spent / run.requests * 100_000.0,
        ..run
    })
}

fn rows(protocol: Protocol, rounds: &[Vec<Run>]) -> String {
    let row = |who: usize, name: &str| {
        let median = |figure: fn(&[Run], usize) -> f64| {
            table::median(rounds.iter().map(|round| figure(round, who)))
        };
        format!(
            "| {name}, TLS and {protocol} | {:.0} | {:.2} | {:.2} | {:.2} |\n",
            median(|round, who| round[who].per_second()),
            median(|round, who| round[who].per_second() / round[NGINX].per_second()),
            median(|round, who| round[who].cpu_per_100k),
            median(|round, who| round[who].cpu_per_100k / round[NGINX].cpu_per_100k),
        )
    };
    row(NGINX, "nginx") + &row(1, "gateway")
}

fn nginx_contender(backend: &Backend, certificate: &Certificate) -> Result<Contender, Error> {
    let config = Config {
        http: &nginx::pool(backend),
        server: &format!(
            "ssl_certificate {}; ssl_certificate_key {};\nlocation / {{ {PASS} }}",
            certificate.file.display(),
            certificate.key.display()
        ),
        listen: "ssl http2",
        ..Config::default()
    };
    let directory = backend.directory().join("nginx-tls");
    let (process, address) = nginx::start(&directory, Processor::Contender, config)?;
    Ok(Contender::without_session("nginx", process, address))
}

fn gateway_contender(backend: &Backend, certificate: &Certificate) -> Result<Contender, Error> {
    let yaml = format!(
        "server: {{ address: '127.0.0.1:0', threads: 1, log: {{ level: 'info,access=off' }}, \
         tls: {{ certFile: '{}', keyFile: '{}' }} }}\n\
         routes: [{{ path: /*, action: {{ use: gateway.actions.HttpAction, config: {{ upstreamEndpoint: 'http://{}' }} }} }}]\n",
        certificate.file.display(),
        certificate.key.display(),
        backend.upstream()
    );
    let gateway = Processor::Contender.command(&gateway::program(backend.directory()));
    let (process, address) = gateway::launch(gateway, backend.directory(), &yaml)?;
    Ok(Contender::without_session("gateway", process, address))
}

const NGINX: usize = 0;
const ROUNDS: usize = 5;
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(4);

const HEAD: &str = "\
| | req/s | of nginx | CPU s / 100k | of nginx |\n\
|---|---|---|---|---|";
