//! How long answers take at a rate that everybody keeps up with, nginx and the gateway with each kind of sessions.
//!
//! At full load a client waits for its turn above all, and the slowest wait for the processor that the load generator
//! shares with the upstream. Here every client asks at times of its own, whether the others have been answered or not,
//! and 20,000 times a second all together: a third of what the slowest of these contenders can do. Upstream, processors
//! and sessions are those of the comparison under load.

mod h2load;

use super::backend::Backend;
use super::contender::Contender;
use super::gateway::{self, Sessions};
use super::{Subject, lay_out, nginx, round, table};
use crate::{Error, step, tools};

use self::h2load::Waits;

/// Compares and prints a table in Markdown.
///
/// # Errors
/// When something is missing, does not start, or answers anything but 200.
pub(crate) fn pace(subject: Subject) -> Result<(), Error> {
    tools::require(tools::FOR_LOAD)?;
    tools::require(tools::FOR_SECURE)?;
    let directory = tempfile::tempdir()?;
    lay_out(subject, directory.path())?;
    let backend = Backend::start(directory.path())?;
    let mut contenders = vec![nginx::contender(&backend)?];
    for sessions in Sessions::ALL {
        contenders.push(gateway::contender(sessions, &backend)?);
    }
    let log = directory.path().join("waits");
    // The first round is for what is warm only then.
    let rounds = (0..=ROUNDS).map(|number| {
        step::announce(&format!("round {number} of {ROUNDS}"));
        round::in_turn(number, &contenders, |contender| {
            h2load::run(contender, &log)
        })
    });
    let rounds: Vec<Vec<Waits>> = rounds.collect::<Result<_, Error>>()?;
    println!("{}", render(&contenders, &rounds[1..]));
    Ok(())
}

/// Medians over the rounds; ratios are taken inside each round.
fn render(contenders: &[Contender], rounds: &[Vec<Waits>]) -> String {
    let mut text = HEAD.to_owned();
    for (who, contender) in contenders.iter().enumerate() {
        let median = |figure: fn(&Waits) -> f64| {
            let all = rounds.iter().map(|round| figure(&round[who]));
            let ratios = rounds
                .iter()
                .map(|round| figure(&round[who]) / figure(&round[NGINX]));
            format!("{:.0} | {:.2}", table::median(all), table::median(ratios))
        };
        let row = [
            median(|waits| waits.p50),
            median(|waits| waits.p99),
            median(|waits| waits.p999),
        ];
        text.push_str(&format!("| {} | {} |\n", contender.name(), row.join(" | ")));
    }
    text
}

const NGINX: usize = 0;
const ROUNDS: usize = 11;

const HEAD: &str = "\
| gateway | p50 us | of nginx | p99 us | of nginx | p99.9 us | of nginx |\n\
|---|---|---|---|---|---|---|\n";
