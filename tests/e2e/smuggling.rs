//! What reaches an upstream means the same to every server there, or does not reach it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use e2e::{Gateway, Site, converse, plugins};

#[test]
fn request_means_the_same_to_every_upstream_or_is_refused() {
    let mut findings = Vec::new();
    let mut parsers = [
        Parser::start("node", "parser.js"),
        Parser::start("python3", "parser.py"),
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

    assert!(corpus.len() > 45, "{}", corpus.len());
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// A server that says what it takes for requests.
struct Parser {
    process: Child,
    port: String,
    output: BufReader<ChildStdout>,
}

impl Parser {
    fn start(program: &str, script: &str) -> Self {
        let mut process = Command::new(program)
            .arg(plugins::root().join("tests/parsers").join(script))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} is missing: {error}"));
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut port = String::new();
        output.read_line(&mut port).unwrap();
        Self {
            process,
            port: port.trim().to_owned(),
            output,
        }
    }

    fn gateway(&self) -> Gateway {
        let forward = format!(
            "Forward: {{ use: gateway.actions.HttpAction, config: {{ upstreamEndpoint: 'http://127.0.0.1:{}' }} }}",
            self.port
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
