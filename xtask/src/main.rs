//! The commands of this repository: `cargo xtask run`, `test`, `fuzz`, `dist`, `drill`, `bench`.
#![forbid(unsafe_code)]

mod anywhere;
mod artifacts;
mod bench;
mod checksums;
mod dist;
mod drill;
mod fuzz;
mod guide;
mod layout;
mod load;
mod rearrange;
mod run;
mod signature;
mod step;
mod test;
mod tools;

use std::path::Path;
use std::process::ExitCode;

use load::Subject;

/// What went wrong, for a person at a terminal.
type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["run", options @ ..] => run::run(options),
        ["test"] => test::test(),
        ["fuzz", options @ ..] => fuzz::fuzz(options),
        ["dist", options @ ..] => dist::dist(options),
        ["drill"] => drill::drill(),
        ["bench"] => bench::bench(),
        ["bench", "--load"] => load::load(Subject::Release),
        ["bench", "--load", "--dist"] => load::load(Subject::Dist),
        ["bench", "--pace"] => load::pace(Subject::Release),
        ["bench", "--pace", "--dist"] => load::pace(Subject::Dist),
        ["bench", "--tls"] => load::secure(),
        ["bench", "--chart"] => load::chart(),
        ["bench", "--count"] => load::count(),
        ["bench", "--idle"] => load::idle("10000"),
        ["bench", "--idle", connections] => load::idle(connections),
        ["bench", "--crowd"] => load::crowd("10000000"),
        ["bench", "--crowd", sessions] => load::crowd(sessions),
        ["bench", "--growth"] => bench::growth("10000000"),
        ["bench", "--growth", sessions] => bench::growth(sessions),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

const USAGE: &str = "\
usage: cargo xtask <command>

  run [--example NAME] [--release] [--port PORT]
                    build gateway and session.so, start them on examples/quickstart, print what to try;
                    NAME is quickstart or login; PORT is 8090 unless given, 0 picks a free one
  test              everything that must hold: formats, lints, unit and end-to-end tests, examples, fuzz targets
  fuzz [target...] [--seconds N] [--keep]
                    look for inputs that break a promise; `fuzz --help` says how and what to do about one
  dist [--guided] [--sign KEY]
                    lay out what is shipped in dist/: gateway, plugins/session.so, config/, SHA256SUMS; with a key
                    of SSH, also SHA256SUMS.sig; guided by a profile of requests, which takes a second build and
                    BOLT, and saves a tenth of the processor time for each request
  drill             let servers fail under load, one drill after the other, and print what people saw; ten minutes
  bench [--load [--dist]]
                    criterion benchmarks and the comparison with nginx, Lua, axum, Apache and Express under load, or the
                    latter alone: five minutes on two processors that have nothing else to do, after the builds, or of what
                    is in dist/
  bench --pace [--dist]
                    how long answers of nginx and the gateway take at a rate that both keep up with; two minutes after
                    the build
  bench --tls       the same without sessions, over TLS with HTTP/1.1 and HTTP/2, against nginx; two minutes
  bench --chart     draw docs/numbers.svg from the table of that comparison in the README
  bench --count     what the gateway does for a request, counted: instructions, allocations, system calls; a
                    minute on a machine that may be busy, after the build
  bench --idle [CONNECTIONS]
                    what connections weigh that wait, 10000 of each kind unless given; two minutes after the build
  bench --growth [SESSIONS]
                    what sessions cost as they become more, up to 10000000 unless given, which take 4 GB
  bench --crowd [SESSIONS]
                    what a request costs at a gateway with so many sessions in memory, 10000000 unless given, which
                    take 5 GB, and 100000 at least; ten minutes after the build";
