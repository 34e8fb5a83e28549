//! Figures, side by side.

use super::round::Sample;

/// A table in Markdown: medians over the rounds. Ratios are taken inside each round, to the first contender, which is
/// nginx, and to the second, which is the gateway without sessions.
pub(super) fn render(names: &[&str], rounds: &[Vec<Sample>]) -> String {
    let mut text = HEAD.to_owned();
    for (contender, name) in names.iter().enumerate() {
        let row = Row { rounds, contender };
        text.push_str(&format!(
            "| {name} | {:.0} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |\n",
            row.median(per_second),
            row.ratio(per_second, NGINX),
            row.ratio(per_second, NO_SESSION),
            row.median(|sample| sample.run.p50_ms),
            row.median(p99),
            row.ratio(p99, NGINX),
            row.median(cpu),
            row.ratio(cpu, NGINX),
        ));
    }
    text
}

/// What stands above the figures.
pub(super) const HEAD: &str = "\
| gateway | req/s | of nginx | of no session | p50 ms | p99 ms | of nginx | CPU s / 100k | of nginx |\n\
|---|---|---|---|---|---|---|---|---|\n";

/// What one contender did in all rounds.
#[derive(Clone, Copy)]
struct Row<'a> {
    rounds: &'a [Vec<Sample>],
    contender: usize,
}

impl Row<'_> {
    fn median(self, figure: fn(&Sample) -> f64) -> f64 {
        median(
            self.rounds
                .iter()
                .map(|round| figure(&round[self.contender])),
        )
    }

    fn ratio(self, figure: fn(&Sample) -> f64, to: usize) -> f64 {
        let ratios = self
            .rounds
            .iter()
            .map(|round| figure(&round[self.contender]) / figure(&round[to]));
        median(ratios)
    }
}

fn per_second(sample: &Sample) -> f64 {
    sample.run.per_second
}

fn p99(sample: &Sample) -> f64 {
    sample.run.p99_ms
}

fn cpu(sample: &Sample) -> f64 {
    sample.cpu_per_100k
}

pub(super) fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

const NGINX: usize = 0;
const NO_SESSION: usize = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::wrk::Run;

    #[test]
    fn ratios_are_those_of_a_round_and_not_of_medians() {
        // Something disturbed the second round, when nginx was through.
        let rounds = [(100.0, 100.0), (200.0, 50.0), (400.0, 400.0)]
            .map(|(nginx, second)| vec![sample(nginx), sample(second), sample(second / 2.0)]);

        let table = render(&["nginx", "second", "third"], &rounds);

        let row = table.lines().last().unwrap();
        assert_eq!(
            row,
            "| third | 50 | 0.50 | 0.50 | 1.00 | 8.00 | 2.00 | 2.00 | 2.00 |"
        );
    }

    fn sample(per_second: f64) -> Sample {
        Sample {
            run: Run {
                requests: per_second,
                per_second,
                p50_ms: 1.0,
                p99_ms: 400.0 / per_second,
            },
            cpu_per_100k: 100.0 / per_second,
        }
    }
}
