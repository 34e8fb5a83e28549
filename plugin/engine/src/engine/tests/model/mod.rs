//! Random histories of gateways, held against a model that knows what must be true.
//!
//! Each seed is a world: rules, a start in time, clocks of three gateways that agree or do not, a storage that sweeps or
//! does not; and up to a hundred steps in it. A seed that fails is shrunk and printed.
//!
//! ```text
//! SESSION_MODEL_STEPS=1000000 cargo test -p engine model   # more than a test run has time for
//! SESSION_MODEL_SEED=4711 cargo test -p engine model       # that world alone, once more
//! ```

mod cast;
mod chance;
mod life;
mod play;
mod script;
mod tale;
mod truth;

use std::cell::Cell;
use std::env;

use abi::config::Secret;
use abi::testing::TestGateway;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use self::cast::House;
use self::chance::scripts;
use self::play::play;
use self::script::{Broom, Script};
use super::*;
use crate::session::{Keyring, Secrets};
use crate::storage::conformance::{Subject, block_on};
use crate::storage::redis::tests::RedisSubject;
use crate::storage::{ByteStorage, Encoded, MemoryConfig, MemoryStorage};

#[test]
fn random_histories_come_true_in_memory() {
    run(&Memory, brooms(), 300_000);
}

#[test]
fn random_histories_come_true_in_sealed_bytes() {
    run(&Sealed, brooms(), 20_000);
}

#[test]
fn random_histories_come_true_on_redis() {
    run(&RedisSubject::open(), Just(Broom::Remote), 5_000);
}

fn brooms() -> impl Strategy<Value = Broom> {
    prop_oneof![3 => Just(Broom::Punctual), 1 => Just(Broom::Asleep)]
}

/// Plays a world for each seed, until there were so many steps.
fn run(house: &impl House, brooms: impl Strategy<Value = Broom>, steps: usize) {
    let scripts = scripts(brooms, 100);
    if let Some(seed) = number("SESSION_MODEL_SEED") {
        play_seed(house, &scripts, seed);
        return;
    }
    let steps = number("SESSION_MODEL_STEPS").map_or(steps, |steps| steps as usize);
    let mut played = 0;
    for seed in 0.. {
        played += play_seed(house, &scripts, seed);
        if played >= steps {
            return;
        }
    }
}

/// Plays the world of a seed and says how many steps it had.
#[track_caller]
fn play_seed(house: &impl House, scripts: &impl Strategy<Value = Script>, seed: u64) -> usize {
    let bytes = u128::from(seed).wrapping_add(1).to_le_bytes();
    let random = TestRng::from_seed(RngAlgorithm::XorShift, &bytes);
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: 10_000,
        ..Config::default()
    };
    let steps = Cell::new(0);
    let played = TestRunner::new_with_rng(config, random).run(scripts, |script| {
        steps.set(script.steps.len());
        play(house, &script)
    });
    match played {
        Ok(()) => steps.get(),
        Err(TestError::Fail(reason, script)) => {
            panic!("with SESSION_MODEL_SEED={seed}: {reason}\n{script}")
        }
        Err(TestError::Abort(reason)) => panic!("with SESSION_MODEL_SEED={seed}: {reason}"),
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().expect("a number"))
}

struct Memory;

impl House for Memory {
    fn rows(&self, _: &Keyring, clock: &Arc<ManualClock>) -> Arc<dyn Rows> {
        Arc::new(MemoryStorage::open(&MemoryConfig::default(), clock.clone()).unwrap())
    }

    fn keyring(&self) -> Keyring {
        Keyring::plain()
    }
}

struct Sealed;

impl House for Sealed {
    fn rows(&self, keyring: &Keyring, clock: &Arc<ManualClock>) -> Arc<dyn Rows> {
        let (bytes, services) = (
            ByteStorage::new(clock.clone()),
            TestGateway::new().services(),
        );
        Arc::new(Encoded::new(bytes, "Bytes", keyring.clone(), &services))
    }

    fn keyring(&self) -> Keyring {
        let secret = Secret::new("a secret of the tests, long enough to be allowed");
        Keyring::sealed(Secrets::parse(&[secret]).unwrap().unwrap())
    }
}

impl House for RedisSubject {
    fn rows(&self, _: &Keyring, _: &Arc<ManualClock>) -> Arc<dyn Rows> {
        let rows = Subject::rows(self);
        block_on(rows.reset().wait()).unwrap();
        rows
    }

    fn keyring(&self) -> Keyring {
        Keyring::plain()
    }
}
