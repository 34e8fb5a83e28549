//! What a storage hears of the writes of others, for whoever keeps copies of its rows.
//!
//! A copy is worth something only while every write would be heard of. So each connection that rows are read through
//! has an [`Ear`], and nothing counts as heard unless all of them hear.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::{fmt, ptr};

use abi::storage::Key;

/// What connections hear of writes to rows. Its clones are one and the same.
#[derive(Clone, Default)]
pub struct Changes(Arc<Shared>);

/// Somebody who keeps copies of rows. Called on the thread of a connection: it must not wait.
pub trait Listener: Send + Sync {
    /// The row was written, or is gone.
    fn changed(&self, key: &Key);

    /// Writes may have been missed: nothing copied before counts as fresh.
    fn gap(&self);
}

/// The ear of one connection that rows are read through. Deaf at first, and gone when dropped.
#[derive(Debug)]
pub struct Ear {
    changes: Changes,
    hears: bool,
}

#[derive(Default)]
struct Shared {
    is_heard: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    listeners: Arc<[Weak<dyn Listener>]>,
    ears: usize,
    deaf: usize,
}

// === impl Changes ===

impl Changes {
    /// Tells `listener` of everything from now on, for as long as it lives.
    pub fn subscribe(&self, listener: Weak<dyn Listener>) {
        let mut state = self.state();
        let alive = state.listeners.iter().filter(|one| one.strong_count() > 0);
        state.listeners = alive.cloned().chain([listener]).collect();
    }

    /// Somebody else wrote the row.
    pub fn changed(&self, key: &Key) {
        self.tell(|listener| listener.changed(key));
    }

    /// This process wrote the row, through the copies of `writer`, who knows. Servers tell nobody what they did themselves.
    pub fn written(&self, key: &Key, writer: &impl Listener) {
        let is_writer = |listener: &dyn Listener| ptr::addr_eq(listener, writer);
        self.tell(|listener| {
            if !is_writer(listener) {
                listener.changed(key);
            }
        });
    }

    /// Writes may have been missed.
    pub fn gap(&self) {
        self.tell(|listener| listener.gap());
    }

    /// Whether there are ears and all of them hear: only then may rows be copied.
    pub fn is_heard(&self) -> bool {
        self.0.is_heard.load(Ordering::Acquire)
    }

    /// An ear for one more connection. Nothing is heard until it [hears](Ear::hear).
    pub fn ear(&self) -> Ear {
        self.count(|state| {
            state.ears += 1;
            state.deaf += 1;
        });
        self.gap();
        Ear {
            changes: self.clone(),
            hears: false,
        }
    }

    fn count(&self, count: impl FnOnce(&mut State)) {
        let mut state = self.state();
        count(&mut state);
        let is_heard = state.ears > 0 && state.deaf == 0;
        self.0.is_heard.store(is_heard, Ordering::Release);
    }

    /// Without the lock: listeners have locks of their own.
    fn tell(&self, tell: impl Fn(&dyn Listener)) {
        let listeners = Arc::clone(&self.state().listeners);
        let alive = listeners.iter().filter_map(Weak::upgrade);
        alive.for_each(|listener| tell(&*listener));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes")
            .field("is_heard", &self.is_heard())
            .finish_non_exhaustive()
    }
}

// === impl Ear ===

impl Ear {
    /// The server has confirmed that it will tell of every write; no row was read through this connection yet.
    pub fn hear(&mut self) {
        if !self.hears {
            self.changes.gap();
            self.hears = true;
            self.changes.count(|state| state.deaf -= 1);
        }
    }

    /// The connection is lost, or in doubt. Called before anybody learns it.
    pub fn lose(&mut self) {
        if self.hears {
            self.hears = false;
            self.changes.count(|state| state.deaf += 1);
            self.changes.gap();
        }
    }
}

/// What this connection would have told is never heard.
impl Drop for Ear {
    fn drop(&mut self) {
        self.lose();
        self.changes.count(|state| {
            state.ears -= 1;
            state.deaf -= 1;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_heard_unless_every_ear_hears() {
        let changes = Changes::default();
        assert!(!changes.is_heard(), "without any ear");

        let (mut first, mut second) = (changes.ear(), changes.ear());
        first.hear();
        assert!(!changes.is_heard());
        second.hear();
        assert!(changes.is_heard());

        first.lose();
        assert!(!changes.is_heard());
        drop(first);
        assert!(
            changes.is_heard(),
            "a connection that is gone is not needed"
        );
        drop(second);
        assert!(!changes.is_heard());
    }

    #[test]
    fn every_beginning_and_every_end_of_hearing_is_a_gap() {
        let (changes, witness) = witnessed();
        let gaps = || std::mem::take(&mut *witness.gaps.lock().unwrap());

        let mut ear = changes.ear();
        assert_eq!(gaps(), 1);
        ear.hear();
        ear.hear();
        assert_eq!(gaps(), 1);
        ear.lose();
        ear.lose();
        assert_eq!(gaps(), 1);
        ear.hear();
        drop(ear);
        assert_eq!(gaps(), 2);
    }

    #[test]
    fn changes_are_told_to_those_who_live() {
        let (changes, witness) = witnessed();
        let other = Arc::new(Witness::default());
        changes.subscribe(Arc::downgrade(&other) as Weak<dyn Listener>);

        changes.changed(&KEY);
        drop(other);
        changes.changed(&KEY);

        assert_eq!(*witness.changed.lock().unwrap(), [KEY, KEY]);
    }

    #[test]
    fn a_write_of_this_process_is_told_to_all_but_the_writer() {
        let (changes, writer) = witnessed();
        let other = Arc::new(Witness::default());
        changes.subscribe(Arc::downgrade(&other) as Weak<dyn Listener>);

        changes.written(&KEY, &*writer);

        assert_eq!(*writer.changed.lock().unwrap(), []);
        assert_eq!(*other.changed.lock().unwrap(), [KEY]);
    }

    fn witnessed() -> (Changes, Arc<Witness>) {
        let (changes, witness) = (Changes::default(), Arc::new(Witness::default()));
        changes.subscribe(Arc::downgrade(&witness) as Weak<dyn Listener>);
        (changes, witness)
    }

    #[derive(Default)]
    struct Witness {
        changed: Mutex<Vec<Key>>,
        gaps: Mutex<usize>,
    }

    impl Listener for Witness {
        fn changed(&self, key: &Key) {
            self.changed.lock().unwrap().push(*key);
        }

        fn gap(&self) {
            *self.gaps.lock().unwrap() += 1;
        }
    }

    const KEY: Key = Key::new([1; 32]);
}
