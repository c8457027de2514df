//! So many places, of which no origin takes all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::origin::Origin;

/// So many places for who needs one for a while.
///
/// No origin takes more than it leaves free: one alone gets half of them, the next one half of
/// the rest, and whoever comes after a flood still finds a place.
/// It is shared with threads, for a response is dropped wherever hyper likes.
#[derive(Clone, Debug)]
pub(super) struct Places {
    most: usize,
    taken: Arc<Mutex<Vec<Origin>>>,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// Takes a place, as long as it is kept; `None` where an origin has its share.
    pub(super) fn take(&self, origin: Origin) -> Option<Place> {
        let mut taken = lock(&self.taken);
        let own = taken.iter().filter(|&&other| other == origin).count();
        if own >= self.most.saturating_sub(taken.len()) {
            return None;
        }
        taken.push(origin);
        Some(Place { origin, taken: Arc::clone(&self.taken) })
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        lock(&self.taken).len()
    }
}

/// A place among so many, as long as it is kept.
#[derive(Debug)]
pub(super) struct Place {
    origin: Origin,
    taken: Arc<Mutex<Vec<Origin>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(at) = taken.iter().position(|&other| other == self.origin) {
            taken.swap_remove(at);
        }
    }
}

fn lock(taken: &Mutex<Vec<Origin>>) -> MutexGuard<'_, Vec<Origin>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn origin(number: u8) -> Origin {
        Origin::from(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, number)))
    }

    fn take_all(places: &Places, number: u8) -> Vec<Place> {
        std::iter::from_fn(|| places.take(origin(number))).collect()
    }

    #[test]
    fn each_leaves_as_many_free_as_it_has() {
        let places = Places::new(40);
        let taken: Vec<_> = (0..7).map(|number| take_all(&places, number)).collect();
        let counts: Vec<_> = taken.iter().map(Vec::len).collect();
        assert_eq!(counts, [20, 10, 5, 3, 1, 1, 0]);
        assert_eq!(places.taken(), 40);
    }

    #[test]
    fn a_place_that_is_given_up_is_free_again() {
        let places = Places::new(4);
        let mut one = take_all(&places, 1);
        let other = take_all(&places, 2);
        assert_eq!((one.len(), other.len()), (2, 1));
        one.pop();
        assert_eq!(places.taken(), 2);
        assert!(places.take(origin(1)).is_some());
    }
}
