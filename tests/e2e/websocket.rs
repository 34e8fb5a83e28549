//! What a real WebSocket client and a real server say to each other passes unchanged.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use e2e::{Site, npm};

#[test]
fn client_and_server_understand_each_other_through_the_gateway() {
    let home = npm::installed(
        "websocket",
        &["package.json", "package-lock.json", "conformance.mjs"],
    );
    let node = |arguments: &[&str]| {
        let mut node = Command::new("node");
        node.arg("conformance.mjs")
            .args(arguments)
            .current_dir(&home);
        node
    };
    let mut server = node(&["serve"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut port = String::new();
    let mut output = BufReader::new(server.stdout.take().unwrap());
    output.read_line(&mut port).unwrap();
    let forward = format!(
        "Forward: {{ use: gateway.actions.HttpAction, config: {{ upstreamEndpoint: 'http://127.0.0.1:{}' }} }}",
        port.trim()
    );
    let gateway = Site::bare()
        .action(&forward)
        .route("path: /*, middlewares: [Load, Map], action: Forward")
        .run();

    let checked = node(&["check", &gateway.address().to_string()])
        .output()
        .unwrap();

    let _ = server.kill();
    let _ = server.wait();
    let [said, complained] =
        [&checked.stdout, &checked.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(checked.status.success(), "{complained}");
    assert_eq!(said.trim(), "10", "cases that were played");
}
