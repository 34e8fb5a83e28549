//! Who stays with whom: a key goes to the endpoint that ranks highest for it (rendezvous hashing). Nothing is stored:
//! every worker and every gateway finds the same one, and when an endpoint goes, only its keys move, and come back with
//! it.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use abi::exchange::{ExchangeObject, Fact};
use http::HeaderValue;
use http::header::{COOKIE, HeaderName};

use crate::exchange::Exchange;

/// By what a client is known again.
#[derive(Clone, Debug)]
pub(crate) enum Sticky {
    /// The session that a middleware has found.
    Session,
    /// A cookie that the gateway gives to whoever has none.
    Cookie(String),
    /// A header.
    Header(HeaderName),
}

/// What decides where a request goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Key(u64);

/// What is found in a request.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// `None` lets the policy choose.
    pub(crate) key: Option<Key>,
    /// What the answer has to tell the client.
    pub(crate) cookie: Option<HeaderValue>,
}

/// An endpoint as keys see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat {
    id: u64,
    weight: f64,
}

impl Sticky {
    /// Looks for the key of a request.
    pub(crate) fn find(&self, exchange: &Exchange) -> Found {
        let key = match self {
            Self::Session => exchange
                .session()
                .and_then(abi::Session::handle)
                .map(|handle| Key::of(handle.as_bytes())),
            Self::Header(name) => {
                let value = exchange.request.headers.get(name);
                value.map(|value| Key::of(value.as_bytes()))
            }
            Self::Cookie(name) => return cookie_or_new(name, exchange),
        };
        Found { key, cookie: None }
    }
}

fn cookie_or_new(name: &str, exchange: &Exchange) -> Found {
    let values = exchange.request.headers.get_all(COOKIE).iter();
    let pairs = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    let known = pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, value)| *found == name && is_ours(value));
    if let Some((_, value)) = known {
        return Found {
            key: Some(Key::of(value.as_bytes())),
            cookie: None,
        };
    }
    let value = format!("{:016x}", random());
    let secure = if exchange.fact(Fact::Scheme) == Some("https") {
        "; Secure"
    } else {
        ""
    };
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}");
    Found {
        key: Some(Key::of(value.as_bytes())),
        cookie: HeaderValue::try_from(cookie).ok(),
    }
}

/// Whether a value is one that the gateway has given: a client that makes up others gains nothing, but they may be long.
fn is_ours(value: &str) -> bool {
    value.len() == 16 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Not a secret: it says which endpoint, and nothing else.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

impl Key {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(hash(bytes))
    }
}

impl Seat {
    /// `name` is what the endpoint is called in every gateway.
    pub(super) fn new(name: &str, weight: u32) -> Self {
        Self {
            id: hash(name.as_bytes()),
            weight: f64::from(weight),
        }
    }

    /// How high this endpoint ranks for a key. Weights hold: twice the weight ranks highest for twice as many keys.
    fn rank(self, key: Key) -> f64 {
        let mixed = mix(key.0 ^ self.id);
        // Above 0 and up to 1; the low bits would be lost in the fraction anyway.
        let fraction = ((mixed >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        self.weight / -fraction.ln()
    }
}

/// The highest of those who may be chosen.
pub(super) fn highest(
    seats: &[Seat],
    key: Key,
    may_be_chosen: impl Fn(usize) -> bool,
) -> Option<usize> {
    let all = seats
        .iter()
        .enumerate()
        .filter(|(number, _)| may_be_chosen(*number));
    let ranked = all.map(|(number, seat)| (number, seat.rank(key)));
    let highest = ranked.max_by(|(_, one), (_, other)| one.total_cmp(other));
    highest.map(|(number, _)| number)
}

/// FNV-1a, finished: the same in every process and on every machine.
fn hash(bytes: &[u8]) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    mix(bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold))
}

/// The end of SplitMix64: every bit depends on all others.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn only_the_keys_of_what_went_move(keys in prop::collection::vec(any::<u64>(), 1..200), gone in 0_usize..5) {
            let seats = seats(&[1, 1, 2, 3, 1]);
            for key in keys.into_iter().map(Key) {
                let before = highest(&seats, key, |_| true).unwrap();
                let meanwhile = highest(&seats, key, |number| number != gone).unwrap();

                prop_assert!(meanwhile != gone);
                prop_assert!(before == gone || meanwhile == before);
            }
        }
    }

    #[test]
    fn weights_hold_over_many_keys() {
        let seats = seats(&[1, 2, 5]);
        let mut counts = [0_u32; 3];

        for number in 0..80_000_u32 {
            let key = Key::of(&number.to_le_bytes());
            counts[highest(&seats, key, |_| true).unwrap()] += 1;
        }

        for (count, expected) in counts.iter().zip([10_000, 20_000, 50_000]) {
            assert!(count.abs_diff(expected) < expected / 20, "{counts:?}");
        }
    }

    #[test]
    fn every_gateway_finds_the_same_one() {
        // Were these to change, all clients would move with an update, and back and forth while it is rolled out.
        let seats = seats(&[1, 1, 1]);

        let found = ["anna", "ben", "cleo", "dora"]
            .map(|key| highest(&seats, Key::of(key.as_bytes()), |_| true).unwrap());

        assert_eq!(found, FOUND);
    }

    fn seats(weights: &[u32]) -> Vec<Seat> {
        let weights = weights.iter().enumerate();
        weights
            .map(|(number, weight)| Seat::new(&format!("http://10.0.0.{number}:80"), *weight))
            .collect()
    }

    const FOUND: [usize; 4] = [2, 1, 2, 0];
}
