//! Figures, side by side.

use super::wrk::Run;

/// One contender in one round.
pub(super) struct Sample {
    pub(super) run: Run,
    pub(super) cpu_per_100k: f64,
}

/// A table in Markdown: medians over the rounds; ratios are taken inside each round, against the first contender.
pub(super) fn render(names: &[&str], rounds: &[Vec<Sample>]) -> String {
    let mut text = "\
| gateway | req/s | of nginx | p50 ms | p99 ms | CPU s / 100k | of nginx |\n\
|---|---|---|---|---|---|---|\n"
        .to_owned();
    for (peer, name) in names.iter().enumerate() {
        let over =
            |figure: fn(&Sample) -> f64| median(rounds.iter().map(|round| figure(&round[peer])));
        let ratio = |figure: fn(&Sample) -> f64| {
            median(
                rounds
                    .iter()
                    .map(|round| figure(&round[peer]) / figure(&round[0])),
            )
        };
        text.push_str(&format!(
            "| {name} | {:.0} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |\n",
            over(|sample| sample.run.per_second),
            ratio(|sample| sample.run.per_second),
            over(|sample| sample.run.p50_ms),
            over(|sample| sample.run.p99_ms),
            over(|sample| sample.cpu_per_100k),
            ratio(|sample| sample.cpu_per_100k),
        ));
    }
    text
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
