//! What the simulator has been asked, for a test to count.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::fault::{Concern, Target};

/// How often each procedure has been called, and about what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    procedures: BTreeMap<u32, usize>,
    about: BTreeMap<(u32, Target), usize>,
    groups: u32,
}

impl Asked {
    /// Counts a call; one about everybody is about nobody in particular.
    pub(crate) fn note(&self, procedure: u32, concern: &Concern) {
        let mut counts = self.counts();
        increase(counts.procedures.entry(procedure).or_default());
        let about = match concern {
            Concern::Nobody | Concern::Everybody => Vec::new(),
            Concern::Domains(numbers) => numbers.iter().copied().map(Target::Domain).collect(),
            Concern::Pool(name) => vec![Target::Pool(name.clone())],
        };
        for target in about {
            increase(counts.about.entry((procedure, target)).or_default());
        }
    }

    /// Takes note of the groups of statistics that were wanted.
    pub(crate) fn note_groups(&self, groups: u32) {
        self.counts().groups |= groups;
    }

    pub(crate) fn of_procedure(&self, procedure: u32) -> usize {
        self.counts().procedures.get(&procedure).copied().unwrap_or_default()
    }

    /// How often each procedure has been called about this.
    pub(crate) fn about(&self, target: &Target) -> BTreeMap<u32, usize> {
        let counts = self.counts();
        let about = counts.about.iter().filter(|((_, about), _)| about == target);
        about.map(|((procedure, _), count)| (*procedure, *count)).collect()
    }

    pub(crate) fn groups(&self) -> u32 {
        self.counts().groups
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn increase(count: &mut usize) {
    *count = count.saturating_add(1);
}
