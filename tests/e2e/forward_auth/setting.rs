//! An example directory, brought to life: the proxy, the gateway it asks, and a service.

use std::fs;
use std::path::Path;

use e2e::{Front, FrontKind, Gateway, Upstream, plugins};

pub(super) struct Setting {
    pub(super) front: Front,
    pub(super) gateway: Gateway,
    pub(super) service: Upstream,
}

impl Setting {
    /// The example as it is.
    pub(super) fn of(kind: FrontKind) -> Self {
        Self::with(kind, &[])
    }

    /// The example, where nobody has to be logged in.
    pub(super) fn open(kind: FrontKind) -> Self {
        Self::with(kind, &[("Load, Require, Map", "Load, Map")])
    }

    /// The example, where sessions are renewed all the time.
    pub(super) fn renewing(kind: FrontKind) -> Self {
        let renewing = "storage: Sessions\n      autoRenewAfter: 1s\n      rotationGrace: 1s";
        Self::with(kind, &[("storage: Sessions", renewing)])
    }

    fn with(kind: FrontKind, changes: &[(&str, &str)]) -> Self {
        let service = Upstream::start();
        let gateway = Gateway::run(gateway(kind, changes));
        let front = Front::start(kind, |directory, port| {
            let ports = [
                ("8080", port),
                ("8090", gateway.address().port()),
                ("9000", service.address().port()),
            ];
            install(kind, directory, &ports);
        });
        Self {
            front,
            gateway,
            service,
        }
    }
}

/// The gateway's part, on a port that it chooses.
fn gateway(kind: FrontKind, changes: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let plugin = plugins::session().display().to_string();
    let yaml = fs::read_to_string(example(kind).join("gateway.yaml")).unwrap();
    let yaml = yaml
        .replace("127.0.0.1:8090", "127.0.0.1:0")
        .replace("/opt/gateway/plugins/session.so", &plugin);
    let yaml = changes.iter().fold(yaml, |yaml, (from, to)| {
        assert!(yaml.contains(from), "the example has no {from:?}");
        yaml.replace(from, to)
    });
    fs::write(directory.path().join("gateway.yaml"), yaml).unwrap();
    directory
}

/// The files of the proxy, with the ports of the test in place of those that are written there.
fn install(kind: FrontKind, directory: &Path, ports: &[(&str, u16); 3]) {
    for file in fs::read_dir(example(kind)).unwrap().flatten() {
        let text = fs::read_to_string(file.path()).unwrap();
        let text = ports.iter().fold(text, |text, (written, port)| {
            text.replace(&format!(":{written}"), &format!(":{port}"))
                .replace(&format!("listen {written}"), &format!("listen {port}"))
        });
        let name = file.file_name();
        let is_site = kind == FrontKind::Nginx && name == "nginx.conf";
        let (name, text) = match is_site {
            true => ("nginx.conf".into(), whole_nginx(&text)),
            false => (name, text),
        };
        fs::write(directory.join(name), text).unwrap();
    }
}

/// What is around the example in the configuration of a distribution, for a process of the test's own.
fn whole_nginx(site: &str) -> String {
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let paths = paths.map(|name| format!("{name}_temp_path {name};\n"));
    format!(
        "daemon off;\npid nginx.pid;\nworker_processes 1;\nerror_log stderr warn;\nevents {{}}\n\
         http {{\naccess_log off;\n{}{site}\n}}\n",
        paths.concat()
    )
}

fn example(kind: FrontKind) -> std::path::PathBuf {
    let name = match kind {
        FrontKind::Nginx => "nginx",
        FrontKind::Caddy => "caddy",
        FrontKind::Haproxy => "haproxy",
    };
    plugins::root().join("examples").join(name)
}
