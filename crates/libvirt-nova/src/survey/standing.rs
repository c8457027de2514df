//! What is remembered of the domains from one survey to the next.

use std::collections::HashMap;

use libvirt_wire::{Domain, Uuid};
use tokio::time::Instant;

/// What is remembered of the domains from one survey to the next.
#[derive(Debug, Default)]
pub(super) struct Standings {
    domains: HashMap<Uuid, Standing>,
}

#[derive(Debug)]
struct Standing {
    /// libvirt's number of the run that this is about.
    run: Option<u32>,
    /// When the last survey began that asked it.
    asked: Instant,
    /// Whether it gave less than all then.
    is_lacking: bool,
    /// Whether it ever gave anything.
    is_read: bool,
}

/// How much of its statistics a domain gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    All,
    /// What needs no monitor.
    Part,
    Nothing,
}

impl Standings {
    /// Sorts domains into turns: first who has not been asked for longest, so that all
    /// have theirs where the time is too short for all. Those that were never asked are before
    /// them, or behind them where we have to be `careful`.
    pub(super) fn sort(&self, domains: &mut [&Domain], careful: bool) {
        domains.sort_by_key(|domain| {
            let asked = self.of(domain).map(|standing| standing.asked);
            (asked.is_none() == careful, asked)
        });
    }

    /// Whether a domain gave less than all the last time it was asked.
    pub(super) fn is_lacking(&self, domain: &Domain) -> bool {
        self.of(domain).is_some_and(|standing| standing.is_lacking)
    }

    /// Whether a domain ever gave anything.
    pub(super) fn is_read(&self, domain: &Domain) -> bool {
        self.of(domain).is_some_and(|standing| standing.is_read)
    }

    /// Takes note of what a domain gave to the survey that began at `began`.
    pub(super) fn note(&mut self, domain: &Domain, given: Given, began: Instant) {
        let is_read = given != Given::Nothing || self.is_read(domain);
        let is_lacking = given != Given::All;
        let standing = Standing { run: domain.id, asked: began, is_lacking, is_read };
        self.domains.insert(domain.uuid, standing);
    }

    /// Forgets the domains that are not among `domains`.
    pub(super) fn keep<'d>(&mut self, domains: impl Iterator<Item = &'d Domain>) {
        let runs: HashMap<_, _> = domains.map(|domain| (domain.uuid, domain.id)).collect();
        self.domains.retain(|uuid, standing| runs.get(uuid) == Some(&standing.run));
    }

    fn of(&self, domain: &Domain) -> Option<&Standing> {
        self.domains.get(&domain.uuid).filter(|standing| standing.run == domain.id)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn domain(number: u8, run: u32) -> Domain {
        Domain { name: format!("instance-{number:08x}"), uuid: Uuid([number; 16]), id: Some(run) }
    }

    #[test]
    fn who_was_not_asked_for_longest_comes_first_whatever_he_gave() {
        let domains = [1, 2, 3, 4].map(|number| domain(number, 1));
        let [late, busy, unknown, early] = &domains;
        let began = Instant::now();
        let after = |seconds| began.checked_add(Duration::from_secs(seconds)).unwrap();
        let mut standings = Standings::default();
        standings.note(early, Given::All, began);
        standings.note(busy, Given::All, began);
        standings.note(busy, Given::Part, after(1));
        standings.note(late, Given::All, after(2));
        let sorted = |careful| {
            let mut domains = [late, unknown, busy, early];
            standings.sort(&mut domains, careful);
            domains
        };
        assert_eq!(sorted(true), [early, busy, late, unknown]);
        assert_eq!(sorted(false), [unknown, early, busy, late]);
        assert!(standings.is_lacking(busy) && !standings.is_lacking(early));
    }

    #[test]
    fn who_gave_something_once_is_known_to_have_begun() {
        let mut standings = Standings::default();
        for (given, is_read) in
            [(Given::Nothing, false), (Given::Part, true), (Given::Nothing, true)]
        {
            standings.note(&domain(1, 1), given, Instant::now());
            assert_eq!(standings.is_read(&domain(1, 1)), is_read);
        }
    }

    #[test]
    fn nothing_is_known_of_another_run() {
        let mut standings = Standings::default();
        standings.note(&domain(1, 1), Given::Part, Instant::now());
        assert!(standings.is_lacking(&domain(1, 1)) && standings.is_read(&domain(1, 1)));
        assert!(!standings.is_lacking(&domain(1, 2)) && !standings.is_read(&domain(1, 2)));
        standings.keep([domain(1, 2)].iter());
        assert!(!standings.is_lacking(&domain(1, 1)));
    }
}
