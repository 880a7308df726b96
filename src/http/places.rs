//! Limits on how many of something each key may have at a time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many places each key may take, and how many each has taken.
pub struct Places<K> {
    most: usize,
    /// Holds only keys with at least one place.
    taken: Mutex<HashMap<K, usize>>,
}

/// A place that was taken. Dropping it frees the place.
pub struct Place<K: Copy + Eq + Hash> {
    places: Arc<Places<K>>,
    of: K,
}

impl<K: Copy + Eq + Hash> Places<K> {
    /// Up to `most` places for each key, none of them taken.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            taken: Mutex::default(),
        })
    }

    /// Takes another place for `of`, if there is one left.
    pub fn take(self: &Arc<Self>, of: K) -> Option<Place<K>> {
        let mut taken = self.taken();
        let own = taken.entry(of).or_default();
        if *own >= self.most {
            return None;
        }
        *own += 1;
        Some(Place {
            places: self.clone(),
            of,
        })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        // No code panics while holding the lock.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if let Some(own) = taken.get_mut(&self.of) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.of);
            }
        }
    }
}
