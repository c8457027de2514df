//! Places for probes: each target has its own.

use std::{cell::RefCell, collections::HashMap};

use super::{
    origin::Origin,
    places::{Place, Places},
};

/// Places for probes, as many for each target.
///
/// One scraper probes all targets, so an origin may have a probe of each under way; those of a
/// target that is slow take places from nobody but itself.
#[derive(Debug, Default)]
pub(super) struct Probes {
    /// Of targets whose places are not all free.
    targets: RefCell<HashMap<String, Places>>,
}

impl Probes {
    /// Takes a place for a probe of a target, as long as it is kept; `None` where the origin has its
    /// share of them.
    pub(super) fn take(&self, target: &str, origin: Origin) -> Option<Place> {
        let mut targets = self.targets.borrow_mut();
        targets.retain(|_, places| places.taken() > 0);
        let places = targets.entry(target.to_owned()).or_insert_with(|| Places::new(MAX_PROBES));
        places.take(origin)
    }
}

/// Probes of one target at once: two servers that scrape the same, and one that asks again before
/// the system has told that it hung up. An origin alone has half of them.
pub(super) const MAX_PROBES: usize = 4;

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn origin(number: u8) -> Origin {
        Origin::from(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, number)))
    }

    #[test]
    fn a_target_takes_no_place_of_another() {
        let probes = Probes::default();
        let taken: Vec<_> = std::iter::from_fn(|| probes.take("slow", origin(1))).collect();
        assert_eq!(taken.len(), MAX_PROBES / 2);
        assert!(probes.take("slow", origin(2)).is_some(), "another scraper");
        let others: Vec<_> =
            (0..200).map(|number| probes.take(&number.to_string(), origin(1))).collect();
        assert!(others.iter().all(Option::is_some));
        drop(taken);
        assert!(probes.take("slow", origin(1)).is_some());
    }

    #[test]
    fn names_that_are_not_probed_any_more_are_forgotten() {
        let probes = Probes::default();
        for number in 0..100 {
            assert!(probes.take(&number.to_string(), origin(1)).is_some());
        }
        assert_eq!(probes.targets.borrow().len(), 1);
    }
}
