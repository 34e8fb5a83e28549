//! The load generator.

use std::time::Duration;

use super::contender::Contender;
use super::process::Processor;
use crate::Error;

/// What a client saw.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) requests: f64,
    pub(super) per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

/// Loads a contender with 64 connections.
///
/// # Errors
/// When an answer is not 200, or `wrk` cannot be understood.
pub(super) fn run(contender: &Contender, duration: Duration) -> Result<Run, Error> {
    let mut wrk = Processor::Others.command("wrk");
    // On a machine that is busy after all, a slow answer is slow and not wrong.
    wrk.args(["-t1", "-c64", "--latency", "--timeout", "30s"]);
    wrk.arg(format!("-d{}s", duration.as_secs()));
    for header in contender.headers() {
        wrk.arg("-H").arg(header);
    }
    if let Some(script) = contender.script() {
        wrk.arg("-s").arg(script);
    }
    let output = wrk
        .arg(format!("http://{}/page", contender.address()))
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        let name = contender.name();
        return Err(format!("wrong answers of {name} under load:\n{text}").into());
    }
    parse(&text).ok_or_else(|| format!("cannot understand wrk:\n{text}").into())
}

fn parse(text: &str) -> Option<Run> {
    let word_after = |label: &str| text.split_once(label)?.1.split_whitespace().next();
    // The table above it has percentages too.
    let (_, distribution) = text.split_once("Latency Distribution")?;
    let percentile = |label: &str| distribution.split_once(label)?.1.split_whitespace().next();
    let requests = text.lines().find(|line| line.contains(" requests in "))?;
    Some(Run {
        requests: requests.split_whitespace().next()?.parse().ok()?,
        per_second: word_after("Requests/sec:")?.parse().ok()?,
        p50_ms: milliseconds(percentile("50%")?)?,
        p99_ms: milliseconds(percentile("99%")?)?,
    })
}

fn milliseconds(text: &str) -> Option<f64> {
    let start = text.find(|c: char| c.is_ascii_alphabetic())?;
    let number: f64 = text[..start].parse().ok()?;
    match &text[start..] {
        "us" => Some(number / 1e3),
        "ms" => Some(number),
        "s" => Some(number * 1e3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_of_the_summary_are_not_taken_for_percentiles() {
        let text = "\
            Thread Stats   Avg      Stdev     Max   +/- Stdev\n\
            Latency     1.00ms  480.27us  16.95ms   98.50%\n\
            Req/Sec    64.13k     2.54k   66.64k    92.50%\n\
            Latency Distribution\n     50%    960.00us\n     99%    1.66ms\n\
            510328 requests in 8.00s, 559.69MB read\nRequests/sec:  63783.09\n";

        let run = parse(text).unwrap();

        assert_eq!((run.p50_ms, run.p99_ms), (0.96, 1.66));
        assert_eq!((run.requests, run.per_second), (510_328.0, 63_783.09));
    }
}
