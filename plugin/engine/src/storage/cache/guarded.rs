//! The lock around a part of the cache.

use std::sync::{PoisonError, RwLock};

/// A lock whose critical sections are closures. The cache is written against this and not against a lock, so that the
/// code that is checked in every order of steps is the code that ships.
pub(crate) trait Guarded<T>: Send + Sync + 'static {
    fn new(value: T) -> Self;

    fn look<A>(&self, look: impl FnOnce(&T) -> A) -> A;

    fn change<A>(&self, change: impl FnOnce(&mut T) -> A) -> A;
}

impl<T: Send + Sync + 'static> Guarded<T> for RwLock<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }

    fn look<A>(&self, look: impl FnOnce(&T) -> A) -> A {
        look(&self.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<A>(&self, change: impl FnOnce(&mut T) -> A) -> A {
        change(&mut self.write().unwrap_or_else(PoisonError::into_inner))
    }
}
