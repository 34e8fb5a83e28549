//! The load generator for TLS and HTTP/2.

use std::fmt;
use std::time::Duration;

use super::super::contender::Contender;
use super::super::process::Processor;
use crate::Error;

#[derive(Clone, Copy)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// What a client saw, and what it cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Run {
    pub(super) requests: f64,
    pub(super) seconds: f64,
    /// Seconds that the contender computed for 100,000 requests.
    pub(super) cpu_per_100k: f64,
}

impl Run {
    pub(super) fn per_second(&self) -> f64 {
        self.requests / self.seconds
    }
}

/// Loads a contender, over TLS.
///
/// # Errors
/// When an answer is not 200, or `h2load` cannot be understood.
pub(super) fn run(
    contender: &Contender,
    protocol: Protocol,
    duration: Duration,
) -> Result<Run, Error> {
    let mut h2load = Processor::Others.command("h2load");
    h2load.args(match protocol {
        Protocol::Http1 => ["--h1", "-c64", "-m1"],
        Protocol::Http2 => ["-t1", "-c16", "-m8"],
    });
    h2load.arg(format!("--duration={}", duration.as_secs()));
    for header in contender.headers() {
        h2load.arg("-H").arg(header);
    }
    let output = h2load
        .arg(format!("https://{}/page", contender.address()))
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    parse(&text, duration).ok_or_else(|| {
        let name = contender.name();
        format!("wrong answers of {name} under load, or h2load cannot be understood:\n{text}")
            .into()
    })
}

/// None when there is an answer that is not of the 200s, or no answer to a request.
fn parse(text: &str, duration: Duration) -> Option<Run> {
    let (done, rest) = text.split_once("status codes: ")?.1.split_once(" 2xx, ")?;
    if !rest.starts_with("0 3xx, 0 4xx, 0 5xx") || !text.contains(" 0 failed, 0 errored, 0 timeout")
    {
        return None;
    }
    Some(Run {
        requests: done.parse().ok()?,
        seconds: duration.as_secs_f64(),
        cpu_per_100k: 0.0,
    })
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_answers_are_counted_and_others_refused() {
        let text = |codes: &str, failed: u32| {
            format!(
                "finished in 4.00s, 500.00 req/s, 1MB/s\n\
                 requests: 2000 total, 2000 started, 2000 done, 2000 succeeded, {failed} failed, 0 errored, 0 timeout\n\
                 status codes: {codes}\n"
            )
        };
        let parse = |text: String| parse(&text, Duration::from_secs(4));

        let run = parse(text("2000 2xx, 0 3xx, 0 4xx, 0 5xx", 0)).unwrap();

        assert_eq!(run.per_second(), 500.0);
        assert_eq!(parse(text("1999 2xx, 0 3xx, 1 4xx, 0 5xx", 0)), None);
        assert_eq!(parse(text("1999 2xx, 0 3xx, 0 4xx, 0 5xx", 1)), None);
    }
}
