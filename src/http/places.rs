//! Places, of which everybody may have so many at a time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many places each may have, and how many they have.
pub struct Places<K> {
    most: usize,
    /// Of those who have any.
    taken: Mutex<HashMap<K, usize>>,
}

/// A place that somebody has, which is free again with this value.
pub struct Place<K: Copy + Eq + Hash> {
    places: Arc<Places<K>>,
    of: K,
}

impl<K: Copy + Eq + Hash> Places<K> {
    /// So many for each, none of them taken.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            taken: Mutex::default(),
        })
    }

    /// One more place of theirs, if there is one left.
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
        // Nothing panics while it holds the lock.
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
