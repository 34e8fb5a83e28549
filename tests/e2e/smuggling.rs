//! What reaches an upstream means the same to every server there, or does not reach it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdout, Command, Stdio};

use e2e::{Gateway, Site, converse, plugins, until};
use tempfile::TempDir;

#[test]
fn request_means_the_same_to_every_upstream_or_is_refused() {
    let mut findings = Vec::new();
    let mut parsers = [
        Parser::script("node", "parser.js"),
        Parser::script("python3", "parser.py"),
        Parser::nginx(),
    ];
    let gateways: Vec<_> = parsers.iter().map(Parser::gateway).collect();

    let corpus = corpus();
    for (allowed, name, bytes) in &corpus {
        let seen: Vec<_> = parsers
            .iter_mut()
            .zip(&gateways)
            .map(|(parser, gateway)| {
                let answer = converse(gateway.address(), bytes);
                (answer, parser.seen(gateway))
            })
            .collect();
        let (answer, first) = &seen[0];
        if seen.iter().any(|(_, seen)| seen != first) || first.len() != *allowed {
            findings.push(format!("{name}: {seen:?}"));
        }
        if *allowed == 0 && !answer.starts_with("HTTP/1.1 40") {
            findings.push(format!("{name} is answered with {answer:?}"));
        }
    }

    assert!(corpus.len() > 55, "{}", corpus.len());
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// A server that says what it takes for requests.
struct Parser {
    process: Child,
    endpoint: String,
    output: BufReader<ChildStdout>,
    directory: TempDir,
}

impl Parser {
    fn script(program: &str, script: &str) -> Self {
        let mut parser = Self::start(program, &[], script);
        let mut port = String::new();
        parser.output.read_line(&mut port).unwrap();
        parser.endpoint = format!("http://127.0.0.1:{}", port.trim());
        parser
    }

    fn nginx() -> Self {
        let mut parser = Self::start(
            "/usr/sbin/nginx",
            &["-p", ".", "-e", "stderr", "-c"],
            "nginx.conf",
        );
        let socket = parser.directory.path().join("parser.sock");
        until("nginx listens", || {
            assert_eq!(parser.process.try_wait().unwrap(), None, "it has ended");
            UnixStream::connect(&socket).is_ok()
        });
        parser.endpoint = format!("unix:{}", socket.display());
        parser
    }

    fn start(program: &str, options: &[&str], file: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut process = Command::new(program)
            .args(options)
            .arg(plugins::root().join("tests/parsers").join(file))
            .current_dir(directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} is missing: {error}"));
        let output = BufReader::new(process.stdout.take().unwrap());
        Self {
            process,
            endpoint: String::new(),
            output,
            directory,
        }
    }

    fn gateway(&self) -> Gateway {
        let forward = format!(
            "Forward: {{ use: gateway.actions.HttpAction, config: {{ upstreamEndpoint: '{}' }} }}",
            self.endpoint
        );
        Site::bare()
            .action(&forward)
            .route("path: /*, action: Forward")
            .run()
    }

    /// The requests since the last time, but for those whose body never ended.
    fn seen(&mut self, gateway: &Gateway) -> Vec<String> {
        gateway.browser().get("/that-was-all");
        let mut seen = Vec::new();
        loop {
            let mut line = String::new();
            self.output.read_line(&mut line).unwrap();
            let request: serde_json::Value = serde_json::from_str(&line).unwrap();
            if request[1] == "/that-was-all" {
                return seen;
            }
            seen.push(request.to_string());
        }
    }
}

impl Drop for Parser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How many requests may reach an upstream, what it is, and the bytes.
fn corpus() -> Vec<(usize, String, Vec<u8>)> {
    let text = fs::read_to_string(plugins::root().join("tests/corpus/smuggling.txt")).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut parts = line.splitn(3, " | ");
            let mut part = || parts.next().unwrap().to_owned();
            let (allowed, name, bytes) = (part(), part(), part());
            (allowed.parse().unwrap(), name, unescaped(&bytes))
        })
        .collect()
}

fn unescaped(text: &str) -> Vec<u8> {
    let escapes = [
        ("HEAD", "Host: a\r\nConnection: close\r\n"),
        ("\\r", "\r"),
        ("\\n", "\n"),
        ("\\v", "\x0b"),
        ("\\0", "\0"),
        ("\\1", "\x01"),
        ("\\\"", "\""),
    ];
    let text = escapes
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    text.into_bytes()
}
