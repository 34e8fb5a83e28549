//! Hearing from a server that somebody else wrote a row.
//!
//! `CLIENT TRACKING` in broadcasting mode: the server keeps no table of who read what, and tells each connection of
//! every write under our prefix but its own. Rows may be read through another connection (a lane): whoever keeps copies
//! notes before it reads how much was heard so far, and keeps nothing if more was heard meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use abi::storage::Key;
use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, PushInfo, PushKind, Value};
use tracing::warn;

use super::Share;
use crate::storage::changes::{Changes, Ear};
use crate::storage::redis::connect::Hearer;
use crate::storage::redis::fault::Fault;
use crate::storage::redis::name::Names;

/// Where to tell what the servers of a storage tell. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Hearing {
    names: Names,
    changes: Changes,
    share: Share,
    is_refusal_told: Arc<AtomicBool>,
}

impl Hearing {
    pub(crate) fn new(names: Names, changes: Changes) -> Self {
        Self {
            names,
            changes,
            share: Share::ALL,
            is_refusal_told: Arc::default(),
        }
    }

    /// Writes may have been missed.
    pub(crate) fn gap(&self) {
        self.changes.gap();
    }

    /// The same for a link that only serves `share` of the keys: of the others, those links tell that serve them.
    pub(super) fn of(&self, share: Share) -> Self {
        Self {
            share,
            ..self.clone()
        }
    }

    pub(super) fn hearer(&self) -> Hearer {
        let hearing = self.clone();
        Box::new(move |push| hearing.heard(&push))
    }

    /// Asks the server to tell. The ear hears if it agreed; a server that does not is used without copies of its rows.
    pub(super) async fn ask(&self, mut commands: MultiplexedConnection) -> Result<Ear, Fault> {
        let mut ear = self.changes.ear();
        let mut track = redis::cmd("CLIENT");
        track.arg("TRACKING").arg("ON").arg("BCAST");
        track.arg("PREFIX").arg(self.names.prefix()).arg("NOLOOP");
        match track.query_async::<()>(&mut commands).await {
            Ok(()) => ear.hear(),
            Err(error) if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) => {
                self.refused(&Fault::of_command(&error).to_string());
            }
            Err(error) => return Err(Fault::of_command(&error)),
        }
        Ok(ear)
    }

    /// A server that cannot tell.
    pub(super) fn deaf(&self) -> Ear {
        self.refused("the server is older than 6.0");
        self.changes.ear()
    }

    fn refused(&self, cause: &str) {
        if !self.is_refusal_told.swap(true, Ordering::Relaxed) {
            warn!(
                cause,
                "the local cache is not used: the server does not tell of changes (CLIENT TRACKING)"
            );
        }
    }

    fn heard(&self, push: &PushInfo) {
        match (&push.kind, push.data.first()) {
            (PushKind::Invalidate, Some(Value::Array(names))) => {
                let keys = names.iter().filter_map(|name| self.key(name));
                keys.for_each(|key| self.changes.changed(&key));
            }
            // Without names: the whole database was emptied.
            (PushKind::Invalidate, _) => self.changes.gap(),
            _ => {}
        }
    }

    fn key(&self, name: &Value) -> Option<Key> {
        let Value::BulkString(name) = name else {
            return None;
        };
        let key = self.names.key(name)?;
        self.share.holds(&key).then_some(key)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, Weak};

    use super::*;
    use crate::storage::changes::Listener;

    #[test]
    fn names_of_rows_are_heard_as_keys_and_other_names_are_not() {
        let (hearing, witness) = hearing(Share::ALL);
        let others = ["session:probe:0123456789abcdef", "other", "session:"];

        hearing.heard(&invalidate(
            &[others.map(str::to_owned).as_slice(), &[name(1)]].concat(),
        ));

        assert_eq!(witness.take(), [Heard::Changed(key(1))]);
    }

    #[test]
    fn an_emptied_database_is_a_gap() {
        let (hearing, witness) = hearing(Share::ALL);

        hearing.heard(&PushInfo {
            kind: PushKind::Invalidate,
            data: vec![Value::Nil],
        });

        assert_eq!(witness.take(), [Heard::Gap]);
    }

    #[test]
    fn each_change_is_told_by_the_link_that_serves_the_key() {
        let changed = invalidate(&(0..100).map(name).collect::<Vec<_>>());
        let mut told = Vec::new();

        for share in Share::split(3) {
            let (hearing, witness) = hearing(share);
            hearing.heard(&changed);
            told.extend(witness.take());
        }

        assert_eq!(told.len(), 100);
        assert!((0..100).all(|seed| told.contains(&Heard::Changed(key(seed)))));
    }

    fn hearing(share: Share) -> (Hearing, Arc<Witness>) {
        let (changes, witness) = (Changes::default(), Arc::new(Witness::default()));
        changes.subscribe(Arc::downgrade(&witness) as Weak<dyn Listener>);
        (
            Hearing::new(Names::new("session:"), changes).of(share),
            witness,
        )
    }

    fn invalidate(names: &[String]) -> PushInfo {
        let names = names
            .iter()
            .map(|name| Value::BulkString(name.clone().into_bytes()));
        PushInfo {
            kind: PushKind::Invalidate,
            data: vec![Value::Array(names.collect())],
        }
    }

    fn name(seed: u8) -> String {
        Names::new("session:").of(&key(seed))
    }

    fn key(seed: u8) -> Key {
        Key::new([seed; 32])
    }

    #[derive(Debug, Eq, PartialEq)]
    enum Heard {
        Changed(Key),
        Gap,
    }

    #[derive(Default)]
    struct Witness(Mutex<Vec<Heard>>);

    impl Witness {
        fn take(&self) -> Vec<Heard> {
            std::mem::take(&mut self.0.lock().unwrap())
        }
    }

    impl Listener for Witness {
        fn changed(&self, key: &Key) {
            self.0.lock().unwrap().push(Heard::Changed(*key));
        }

        fn gap(&self) {
            self.0.lock().unwrap().push(Heard::Gap);
        }
    }
}
