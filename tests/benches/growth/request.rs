//! Whether a request is slower among many sessions.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use abi::Entry;
use abi::handle::MiddlewareHandle;
use abi::storage::Loaded;
use abi::testing::wait;
use engine::middlewares::{LoadSessionMiddleware, MapSessionToHeaderMiddleware};
use engine::session::SessionId;

use crate::bare::Bare;
use crate::desk::Desk;
use crate::exchange::{InFlight, cookie_header};
use crate::kind::Kind;
use crate::population::Population;
use crate::visit::{load_config, map_config, pass};

/// Prints a table: medians over rounds in which the sizes take turns, and how they compare within a round. Beside each
/// load is that of a bare table with entries of as many bytes, for rosters of so many.
pub(crate) fn report(kind: &Kind, roster: Option<usize>, sizes: [usize; 3]) -> [Subject; 3] {
    let mut subjects = sizes.map(|sessions| Subject::of(sessions, kind, roster));
    let rounds: Vec<[Figures; 3]> = (0..ROUNDS)
        .map(|round| subjects.each_mut().map(|subject| subject.measure(round)))
        .collect();
    println!(
        "| {} | grown by, each | load, 1,000 hot | | bare table | | load, any | | bare table | | both middlewares, 1,000 hot | |",
        kind.name
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (size, subject) in subjects.iter().enumerate() {
        let cells = (0..FIGURES).map(|figure| {
            let nanos = median(rounds.iter().map(|round| round[size][figure]));
            let ratio = median(
                rounds
                    .iter()
                    .map(|round| round[size][figure] / round[0][figure]),
            );
            format!("{nanos:.0} ns | {ratio:.2}")
        });
        let cells: Vec<String> = cells.collect();
        let Population {
            sessions, bytes, ..
        } = subject.population;
        println!("| {sessions} | {bytes} B | {} |", cells.join(" | "));
    }
    println!();
    subjects
}

/// Nanoseconds: a load of a hot session, here and in a bare table; of any session, in both; a request.
type Figures = [f64; FIGURES];

/// Sessions, and requests to them.
pub(crate) struct Subject {
    population: Population,
    bare: Bare,
    chain: [MiddlewareHandle; 2],
    /// One for each hot session.
    requests: Vec<InFlight>,
}

impl Subject {
    fn of(sessions: usize, kind: &Kind, roster: Option<usize>) -> Self {
        let population = Population::of(sessions, kind);
        let bytes = CLOCKS + (kind.attributes)(0).to_string().len();
        let desk = Desk::default();
        let chain = chain(&population, &desk);
        let request = |id: &SessionId| {
            InFlight::new(
                &desk,
                Some(&cookie_header(&format!("session_id={}", id.encode()))),
            )
        };
        let requests = population.sample.hot.iter().map(request).collect();
        Self {
            population,
            bare: Bare::of(sessions, bytes, roster),
            chain,
            requests,
        }
    }

    fn measure(&mut self, round: usize) -> Figures {
        let (ours, bare) = (&self.population.sample, &self.bare.sample);
        let from = |ids: &[SessionId]| round * STEPS % ids.len();
        let any = |ids| cycle(ids).skip(from(ids));
        [
            self.load(cycle(&ours.hot)),
            self.load_bare(cycle(&bare.hot)),
            self.load(any(&ours.any)),
            self.load_bare(any(&bare.any)),
            self.request(),
        ]
    }

    fn load<'a>(&self, ids: impl Iterator<Item = &'a SessionId>) -> f64 {
        per_step(|| {
            for id in ids.take(STEPS) {
                let loaded = wait(self.population.engine.load(id));
                assert!(matches!(black_box(loaded), Loaded::Found(_)));
            }
        })
    }

    fn load_bare<'a>(&self, ids: impl Iterator<Item = &'a SessionId>) -> f64 {
        per_step(|| {
            for id in ids.take(STEPS) {
                black_box(self.bare.load(id));
            }
        })
    }

    fn request(&mut self) -> f64 {
        per_step(|| {
            for step in 0..STEPS {
                let at = step % self.requests.len();
                self.requests[at].arrive();
                pass(&self.chain, &mut self.requests[at]);
            }
        })
    }
}

fn chain(population: &Population, desk: &Desk) -> [MiddlewareHandle; 2] {
    let services = desk.services();
    let (entry, rows) = (Entry { name: "Load" }, population.rows.clone());
    let config = serde_json::from_value(load_config()).expect("the keys exist");
    let clock = Arc::clone(&population.clock) as _;
    let load = LoadSessionMiddleware::new(entry, &config, |_| Ok(rows.into()), clock, &services);
    let config = serde_json::from_value(map_config()).expect("a mapping");
    let map = MapSessionToHeaderMiddleware::new(config, &services);
    [
        MiddlewareHandle::new(load.expect("sound")),
        MiddlewareHandle::new(map.expect("sound")),
    ]
}

fn cycle(ids: &[SessionId]) -> impl Iterator<Item = &SessionId> {
    ids.iter().cycle()
}

fn per_step(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_nanos() as f64 / STEPS as f64
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

const ROUNDS: usize = 9;
const STEPS: usize = 200_000;
const FIGURES: usize = 5;
/// Of a record: its clocks, its family and the key of its roster, about.
const CLOCKS: usize = 58;
