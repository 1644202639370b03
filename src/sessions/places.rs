//! Places of which there are only so many: for each address, for each identity, or for all together.
//!
//! Not here: what becomes of who gets none. Must hold: a place is free again when it is dropped, whatever happened; a key without
//! a taken place is not kept.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use dashmap::mapref::entry::Entry;

use super::Index;

/// So many places for each key.
#[derive(Clone)]
pub struct Places<K: Eq + Hash> {
    taken: Arc<Index<K, usize>>,
    max: usize,
}

/// One place, until it is dropped.
pub struct Place<K: Eq + Hash> {
    taken: Arc<Index<K, usize>>,
    key: K,
}

/// Every place is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are {max} already, no more are allowed")]
pub struct Full {
    /// How many there are.
    pub max: usize,
}

impl<K: Eq + Hash + Clone> Places<K> {
    /// So many for each key, all free.
    pub fn new(max: usize) -> Places<K> {
        Places { taken: Arc::default(), max }
    }

    /// Takes a place.
    pub fn take(&self, key: K) -> Result<Place<K>, Full> {
        self.take_up_to(self.max, key)
    }

    /// Takes a place for one that replaces so many, whose places are about to be free.
    pub fn take_instead_of(&self, replaced: usize, key: K) -> Result<Place<K>, Full> {
        self.take_up_to(self.max.saturating_add(replaced), key).map_err(|_| Full { max: self.max })
    }

    /// Takes a place, of so many.
    pub fn take_up_to(&self, max: usize, key: K) -> Result<Place<K>, Full> {
        match self.taken.entry(key.clone()) {
            Entry::Occupied(taken) if *taken.get() >= max => return Err(Full { max }),
            Entry::Vacant(_) if max == 0 => return Err(Full { max: 0 }),
            Entry::Occupied(mut taken) => *taken.get_mut() += 1,
            Entry::Vacant(free) => drop(free.insert(1)),
        }
        Ok(Place { taken: Arc::clone(&self.taken), key })
    }

    /// Whether none is left.
    pub fn are_taken(&self, key: &K) -> bool {
        self.taken(key) >= self.max
    }

    /// How many are taken.
    pub fn taken(&self, key: &K) -> usize {
        self.taken.get(key).map_or(0, |taken| *taken)
    }

    /// For how many keys a place is taken.
    pub fn keys(&self) -> usize {
        self.taken.len()
    }
}

impl<K: Eq + Hash> Default for Places<K> {
    /// As many as are asked for.
    fn default() -> Places<K> {
        Places { taken: Arc::default(), max: usize::MAX }
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        self.taken.remove_if_mut(&self.key, |_, taken| {
            *taken -= 1;
            *taken == 0
        });
    }
}

impl<K: Eq + Hash> fmt::Debug for Places<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places").field("keys", &self.taken.len()).field("max", &self.max).finish()
    }
}

impl<K: Eq + Hash> fmt::Debug for Place<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_places_and_an_empty_one_is_forgotten() {
        let places = Places::new(2);
        let first = places.take("a").unwrap();
        let second = places.take("a").unwrap();
        assert_eq!(places.take("a").unwrap_err(), Full { max: 2 });
        let other = places.take("b").unwrap();
        drop(first);
        let third = places.take("a").unwrap();
        assert_eq!(places.taken(&"a"), 2);
        drop((second, third, other));
        assert_eq!((places.taken(&"a"), places.keys()), (0, 0));
    }

    #[test]
    fn where_there_are_none_nothing_is_kept() {
        let places = Places::new(0);
        assert!(places.take(1).is_err());
        assert_eq!(places.keys(), 0);
    }
}
