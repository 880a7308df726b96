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

/// A place that was taken, or several. Dropping it frees them.
pub struct Place<K: Copy + Eq + Hash> {
    places: Arc<Places<K>>,
    of: K,
    count: usize,
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
        self.take_many(of, 1)
    }

    /// Takes `count` more places for `of`, which must be at least 1, if there are as many left.
    pub fn take_many(self: &Arc<Self>, of: K, count: usize) -> Option<Place<K>> {
        let mut taken = self.taken();
        let own = taken.get(&of).copied().unwrap_or_default();
        if count > self.most - own {
            return None;
        }
        taken.insert(of, own + count);
        Some(Place {
            places: self.clone(),
            of,
            count,
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
            *own -= self.count;
            if *own == 0 {
                taken.remove(&self.of);
            }
        }
    }
}
