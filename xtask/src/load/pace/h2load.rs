//! The load generator with a rate.

use std::fs;
use std::path::Path;

use super::super::contender::Contender;
use super::super::process::Processor;
use crate::Error;

/// Microseconds between a request and its answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Waits {
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
}

/// Asks a contender at the rate, for some seconds. What `h2load` writes about each request goes through the file `log`.
///
/// # Errors
/// When an answer is not 200, or `h2load` cannot be understood.
pub(super) fn run(contender: &Contender, log: &Path) -> Result<Waits, Error> {
    if log.exists() {
        fs::remove_file(log)?;
    }
    let mut h2load = Processor::Others.command("h2load");
    h2load.args(["--h1", "-t1", "--rate=1", "--rate-period=1ms"]);
    h2load.arg(format!("-c{CLIENTS}"));
    h2load.arg(format!("--requests={REQUESTS}"));
    h2load.arg(format!("--rps={}", RATE / f64::from(CLIENTS)));
    h2load.arg(format!("--log-file={}", log.display()));
    for header in contender.headers() {
        h2load.arg("-H").arg(header);
    }
    let output = h2load
        .arg(format!("http://{}/page", contender.address()))
        .output()?;
    let waits = fs::read_to_string(log).ok().as_deref().and_then(parse);
    waits.ok_or_else(|| {
        let name = contender.name();
        let said = String::from_utf8_lossy(&output.stdout);
        format!("wrong answers of {name}, or h2load cannot be understood:\n{said}").into()
    })
}

/// None unless there is a good answer to each request. A line has the time, the status, and how long it took.
fn parse(log: &str) -> Option<Waits> {
    let wait = |line: &str| {
        let mut words = line.split('\t').skip(1);
        let is_good = words.next()? == "200";
        words.next()?.parse().ok().filter(|_| is_good)
    };
    let mut waits: Vec<f64> = log.lines().map(wait).collect::<Option<_>>()?;
    waits.sort_by(f64::total_cmp);
    let below = |thousandth: usize| waits.get(waits.len() * thousandth / 1000).copied();
    Some(Waits {
        p50: below(500)?,
        p99: below(990)?,
        p999: below(999)?,
    })
}

// Each asks every 3.05 ms, and one more begins each millisecond: no two of them ask in time with one another.
const CLIENTS: u32 = 61;
const RATE: f64 = 20_000.0;
// Two seconds: the slowest thousandth are 40.
const REQUESTS: u32 = 656 * CLIENTS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_all_answers_in_whatever_order() {
        let line = |wait: u32| format!("1796089580290349\t200\t{wait}\n");
        let log: String = (0..1000).rev().map(line).collect();

        let waits = parse(&log);

        let expected = Waits {
            p50: 500.0,
            p99: 990.0,
            p999: 999.0,
        };
        assert_eq!(waits, Some(expected));
    }

    #[test]
    fn one_wrong_answer_is_one_too_many() {
        assert_eq!(parse("1\t200\t3\n1\t502\t3\n"), None);
        assert_eq!(parse("1\t200\t3\n1\t200\n"), None);
        assert_eq!(parse(""), None);
    }
}
