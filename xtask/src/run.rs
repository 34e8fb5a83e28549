//! `cargo xtask run`

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::{Error, layout, step};

/// Builds, lays out `quickstart` in the target directory and becomes the gateway, so that Ctrl-C reaches it.
///
/// # Errors
/// When something does not build, or the gateway cannot be started.
pub(crate) fn run(profile: &str) -> Result<(), Error> {
    let directory = layout::target_directory()?.join("quickstart");
    layout::lay_out(&directory, profile)?;
    step::announce(&format!(
        "{0}/gateway run --config {0}/config",
        directory.display()
    ));
    eprintln!("{TRY}");
    let mut gateway = Command::new(directory.join("gateway"));
    let failed = gateway
        .arg("run")
        .arg("--config")
        .arg(directory.join("config"))
        .exec();
    Err(format!("the gateway cannot be started: {failed}").into())
}

const TRY: &str = "
    In another terminal:

    curl -i -c jar http://127.0.0.1:8090/login
    curl -b jar http://127.0.0.1:8090/dashboard
    curl -H 'X-User-Id: mallory' http://127.0.0.1:8090/dashboard

    Ctrl-C stops the gateway.
";
