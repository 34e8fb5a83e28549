//! `cargo xtask run`

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::{Error, layout, step};

/// Builds, lays out `quickstart` in the target directory and becomes the gateway, so that Ctrl-C reaches it.
///
/// # Errors
/// When an option is wrong, something does not build, or the gateway cannot be started.
pub(crate) fn run(options: &[&str]) -> Result<(), Error> {
    let Options { profile, port } = Options::parse(options)?;
    let directory = layout::target_directory()?.join("quickstart");
    layout::lay_out(&directory, profile)?;
    let config = directory.join("config");
    move_to(port, &config.join("server.yaml"))?;
    step::announce(&format!(
        "{}/gateway run --config {}",
        directory.display(),
        config.display()
    ));
    let shown = match port {
        0 => "<the port in the log>".to_owned(),
        port => port.to_string(),
    };
    eprintln!("{}", TRY.replace(DEFAULT_PORT, &shown));
    let mut gateway = Command::new(directory.join("gateway"));
    let failed = gateway.arg("run").arg("--config").arg(config).exec();
    Err(format!("the gateway cannot be started: {failed}").into())
}

struct Options {
    profile: &'static str,
    port: u16,
}

impl Options {
    fn parse(words: &[&str]) -> Result<Self, Error> {
        let mut options = Self {
            profile: "dev",
            port: DEFAULT_PORT.parse()?,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--release" => options.profile = "release",
                "--port" => {
                    let port = words.next().ok_or("--port needs a number")?;
                    options.port = port.parse().map_err(|_| format!("{port} is no port"))?;
                }
                other => return Err(format!("run knows no {other}").into()),
            }
        }
        Ok(options)
    }
}

/// Changes the port of the copy that is run, not of the example.
fn move_to(port: u16, server: &Path) -> Result<(), Error> {
    let text = fs::read_to_string(server)?;
    fs::write(server, text.replace(DEFAULT_PORT, &port.to_string()))?;
    Ok(())
}

const DEFAULT_PORT: &str = "8090";

const TRY: &str = "
    In another terminal:

    curl -si -c jar http://127.0.0.1:8090/login
    curl -s -b jar http://127.0.0.1:8090/dashboard
    curl -s -H 'X-User-Id: mallory' http://127.0.0.1:8090/dashboard

    Ctrl-C stops the gateway.
";
