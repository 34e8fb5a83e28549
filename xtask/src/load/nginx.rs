//! nginx: the upstream, the proxy that everybody is measured against, and what others build on.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use super::backend::Backend;
use super::contender::Contender;
use super::process::{Process, Processor, await_listener, free_address};
use crate::Error;

/// What is to be said beyond the defaults, in nginx' own words.
#[derive(Default)]
pub(super) struct Config<'a> {
    /// Modules to load.
    pub(super) main: &'a str,
    /// What stands beside the server.
    pub(super) http: &'a str,
    /// The server, but for its address.
    pub(super) server: &'a str,
    /// What is spoken there.
    pub(super) listen: &'a str,
}

/// Passes requests on and knows nothing of sessions.
///
/// # Errors
/// When it does not start.
pub(super) fn contender(backend: &Backend) -> Result<Contender, Error> {
    let config = Config {
        http: &pool(backend),
        server: &format!("location / {{ {PASS} }}"),
        ..Config::default()
    };
    let directory = backend.directory().join("nginx");
    let (process, address) = start(&directory, Processor::Contender, config)?;
    Ok(Contender::without_session(
        "nginx, plain proxy",
        process,
        address,
    ))
}

/// The upstream `page`, with connections that are kept.
pub(super) fn pool(backend: &Backend) -> String {
    format!(
        "upstream page {{ server {}; keepalive 64; }}",
        backend.upstream()
    )
}

/// Starts one worker.
///
/// # Errors
/// When it does not listen.
pub(super) fn start(
    directory: &Path,
    processor: Processor,
    config: Config<'_>,
) -> Result<(Process, SocketAddr), Error> {
    fs::create_dir_all(directory)?;
    let address = free_address()?;
    let file = directory.join("nginx.conf");
    fs::write(&file, render(directory, address, config))?;
    let mut nginx = processor.command("nginx");
    // What is wrong with the configuration is said there and nowhere else.
    let said = directory.join("stderr");
    nginx.arg("-c").arg(&file).stderr(File::create(&said)?);
    let process = Process::start(&mut nginx)?;
    let connects = || TcpStream::connect(address).is_ok();
    await_listener("nginx", connects).map_err(|error| {
        let said = fs::read_to_string(&said).unwrap_or_default();
        format!("{error}: {}", said.trim_end())
    })?;
    Ok((process, address))
}

fn render(directory: &Path, address: SocketAddr, config: Config<'_>) -> String {
    let Config {
        main,
        http,
        server,
        listen,
    } = config;
    let directory = directory.display();
    format!(
        "daemon off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;\n\
         {main}\n\
         events {{ worker_connections 1024; }}\n\
         http {{ access_log off; client_body_temp_path {directory}/b; proxy_temp_path {directory}/p;\n\
         fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;\n\
         {http}\n\
         server {{ listen {address} {listen}; keepalive_requests 100000000;\n{server} }} }}\n"
    )
}

/// Passes a request to the upstream `page`.
pub(super) const PASS: &str = "proxy_pass http://page; proxy_http_version 1.1; proxy_set_header Connection ''; \
     proxy_set_header Host $host;";
