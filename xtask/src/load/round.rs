//! One turn for everybody.

use std::collections::BTreeMap;
use std::time::Duration;

use super::contender::Contender;
use super::wrk::Run;
use super::{cpu, wrk};
use crate::Error;

/// What one contender did in one round.
pub(super) struct Sample {
    pub(super) run: Run,
    /// Seconds that the contender computed for 100,000 requests.
    pub(super) cpu_per_100k: f64,
}

/// Measures all.
///
/// # Errors
/// When an answer is not 200.
pub(super) fn take(number: usize, contenders: &[Contender]) -> Result<Vec<Sample>, Error> {
    in_turn(number, contenders, measure)
}

/// What everybody did, in the order of the contenders. Each round begins with another one: who comes late in one round
/// comes early in the next, so that a machine that becomes slower is nobody's misfortune.
///
/// # Errors
/// Those of `measure`.
pub(super) fn in_turn<T>(
    number: usize,
    contenders: &[Contender],
    measure: impl Fn(&Contender) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut turns: Vec<usize> = (0..contenders.len()).collect();
    turns.rotate_left(number % contenders.len());
    let measured = turns
        .into_iter()
        .map(|turn| Ok((turn, measure(&contenders[turn])?)));
    let measured: BTreeMap<usize, T> = measured.collect::<Result<_, Error>>()?;
    Ok(measured.into_values().collect())
}

/// How long a round takes.
pub(super) fn duration(contenders: &[Contender]) -> Duration {
    MEASURED * u32::try_from(contenders.len()).unwrap_or(u32::MAX)
}

fn measure(contender: &Contender) -> Result<Sample, Error> {
    let before = cpu::seconds(contender.process())?;
    let run = wrk::run(contender, MEASURED)?;
    let spent = cpu::seconds(contender.process())? - before;
    let cpu_per_100k = spent / run.requests * 100_000.0;
    eprintln!(
        "{:>8.0} req/s, {cpu_per_100k:.2} CPU s / 100k: {}",
        run.per_second,
        contender.name()
    );
    Ok(Sample { run, cpu_per_100k })
}

// The shortest that `wrk` knows: the speed of a machine changes from one second to the next, and what is compared should be
// close together. Of a fast one some 60,000 requests; the 99th percentile is that of the 600 slowest.
const MEASURED: Duration = Duration::from_secs(1);
