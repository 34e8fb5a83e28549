//! Apache with its own sessions: `tests/peers/apache`, whose modules know SQLite and no Redis.

use std::fs::{self, Permissions};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::backend::Backend;
use super::contender::Contender;
use super::process::{Process, Processor, await_listener, free_address};
use crate::{Error, root, tools};

/// Asks SQLite for each request.
///
/// # Errors
/// When a module cannot be installed, it does not start, or nobody can log in.
pub(super) fn contender(backend: &Backend) -> Result<Contender, Error> {
    tools::require(tools::FOR_APACHE)?;
    let directory = backend.directory().join("apache");
    create_database(&directory)?;
    // Its workers are nobody, whoever started it, and have to come to their database.
    fs::set_permissions(backend.directory(), Permissions::from_mode(0o711))?;
    let address = free_address()?;
    let file = directory.join("httpd.conf");
    fs::write(&file, config(&directory, address, backend))?;
    let mut apache = Processor::Contender.command("apache2");
    apache.args(["-D", "FOREGROUND", "-f"]).arg(&file);
    let process = Process::start(&mut apache)?;
    let connects = || TcpStream::connect(address).is_ok();
    await_listener("apache2", connects).map_err(|error| {
        let said = fs::read_to_string(directory.join("error.log")).unwrap_or_default();
        format!("{error}: {}", said.trim_end())
    })?;
    Contender::with_session(NAME, process, address)
}

/// With the table that the module expects.
fn create_database(directory: &Path) -> Result<(), Error> {
    fs::create_dir_all(directory)?;
    let database = directory.join(DATABASE);
    let created = Command::new("sqlite3").arg(&database).arg(TABLE).status()?;
    if !created.success() {
        return Err(format!("sqlite3: {created}").into());
    }
    // SQLite keeps a journal beside its file.
    fs::set_permissions(directory, Permissions::from_mode(0o777))?;
    fs::set_permissions(&database, Permissions::from_mode(0o666))?;
    Ok(())
}

fn config(directory: &Path, address: SocketAddr, backend: &Backend) -> String {
    let directory = directory.display();
    format!(
        "Include {}\n\
         Listen {address}\n\
         ServerRoot {directory}\nDefaultRuntimeDir {directory}\n\
         PidFile {directory}/pid\nErrorLog {directory}/error.log\n\
         DBDParams {directory}/{DATABASE}\n\
         ProxyPass / http://{}/ keepalive=On\n",
        root().join("tests/peers/apache/sessions.conf").display(),
        backend.upstream()
    )
}

pub(super) const NAME: &str = "Apache, mod_session_dbd and SQLite";

const DATABASE: &str = "sessions.db";
const TABLE: &str = "create table session (key text primary key, value text, expiry integer)";
