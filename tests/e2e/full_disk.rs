//! Where there is no room for the log.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::Command;

use e2e::{PATIENCE, plugins};

#[test]
fn a_gateway_whose_log_has_no_room_serves_and_stops_as_ever() {
    let place = tempfile::tempdir().unwrap();
    let path = |name| place.path().join(name);
    let systemd = UnixDatagram::bind(path("notify")).unwrap();
    systemd.set_read_timeout(Some(PATIENCE)).unwrap();
    let address = path("socket").display().to_string();
    fs::write(path("gateway.yaml"), CONFIG.replace("SOCKET", &address)).unwrap();
    let mut gateway = Command::new(plugins::gateway())
        .args(["run", "--config"])
        .arg(place.path())
        .env("NOTIFY_SOCKET", path("notify"))
        .stderr(File::options().write(true).open("/dev/full").unwrap())
        .spawn()
        .unwrap();

    systemd.recv(&mut [0; 64]).expect("the gateway serves");
    let mut client = UnixStream::connect(path("socket")).unwrap();
    client.write_all(ASK).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    let process = gateway.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &process]).status();
    assert!(sent.unwrap().success());

    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert_eq!(gateway.wait().unwrap().code(), Some(0));
}

#[test]
fn what_could_not_be_printed_is_no_success() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("gateway.yaml"), "routes: []\n").unwrap();

    let schema = Command::new(plugins::gateway())
        .args(["schema", "--config"])
        .arg(place.path())
        .stdout(File::options().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();

    let said = String::from_utf8_lossy(&schema.stderr);
    assert!(
        said.starts_with("standard output cannot be written: "),
        "{said}"
    );
    assert_eq!(schema.status.code(), Some(1));
}

const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const CONFIG: &str = "\
server: { address: 'unix:SOCKET', threads: 1 }
actions: { Static: { use: gateway.actions.StaticAction } }
routes: [{ path: /, action: Static }]
";
