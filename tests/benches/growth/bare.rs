//! What any table in memory costs that is as large: a hash table behind the same number of locks, and nothing else.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, PoisonError, RwLock};

use engine::session::{Keyring, SessionId};

use crate::sample::Sample;

/// Entries of the same length under keys of the same kind, found and counted as a row is. A session that belongs to a
/// user has two, and the first one names the second.
pub(crate) struct Bare {
    shards: Vec<RwLock<Table>>,
    keyring: Keyring,
    has_rosters: bool,
    pub(crate) sample: Sample,
}

type Key = [u8; 32];
type Table = HashMap<Key, Arc<[u8]>, BuildHasherDefault<FirstBytes>>;

impl Bare {
    /// As many sessions as are asked for, of this many bytes; with a roster each, of as many bytes as are given.
    pub(crate) fn of(sessions: usize, bytes: usize, roster: Option<usize>) -> Self {
        let mut bare = Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            keyring: Keyring::plain(),
            has_rosters: roster.is_some(),
            sample: Sample::of(sessions),
        };
        for number in 0..sessions {
            let id = random();
            let second = roster.map(|bytes| {
                let key = bare.key(&random());
                bare.insert(key, vec![0; bytes]);
                key
            });
            let mut value = vec![0; bytes];
            value[..32].copy_from_slice(&second.unwrap_or_default());
            bare.insert(bare.key(&id), value);
            bare.sample.see(number, &id);
        }
        bare.sample.shuffle();
        bare
    }

    /// The bytes of a session, and of its roster if it has one.
    pub(crate) fn load(&self, id: &SessionId) -> (Arc<[u8]>, Option<Arc<[u8]>>) {
        let first = self.get(&self.key(id)).expect("it is there");
        let second = first.first_chunk().filter(|_| self.has_rosters);
        let second = second.and_then(|key| self.get(key));
        (first, second)
    }

    fn get(&self, key: &Key) -> Option<Arc<[u8]>> {
        let shard = self.shard(key).read();
        let shard = shard.unwrap_or_else(PoisonError::into_inner);
        shard.get(key).cloned()
    }

    fn insert(&self, key: Key, value: Vec<u8>) {
        let shard = self.shard(&key).write();
        let mut shard = shard.unwrap_or_else(PoisonError::into_inner);
        shard.insert(key, value.into());
    }

    fn key(&self, id: &SessionId) -> Key {
        *self.keyring.address(id).key().as_bytes()
    }

    fn shard(&self, key: &Key) -> &RwLock<Table> {
        let [.., last] = *key;
        &self.shards[usize::from(last)]
    }
}

/// Keys are hashes already.
#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    /// Not what is asked for: how long they are.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

fn random() -> SessionId {
    SessionId::generate().expect("the system has random bytes")
}

const SHARDS: usize = 256;
