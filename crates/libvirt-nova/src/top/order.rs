//! What the table is sorted by.

use std::cmp::Ordering;

use clap::ValueEnum;

use super::scene::Guest;

/// What the table is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SortKey {
    /// vCPUs in use.
    #[default]
    Vcpu,
    /// The most of the last minute.
    Peak,
    /// Memory in use, as the guest tells it.
    Memory,
    /// Bytes read and written.
    Disk,
    /// Bytes received and transmitted.
    Network,
    /// Time that vCPUs wait for a CPU.
    Steal,
    /// Nova's name, or libvirt's.
    Name,
    /// The project's name.
    Project,
    /// The flavor's name.
    Flavor,
    /// What it does; stuck ones first.
    State,
}

impl SortKey {
    /// Its key on the keyboard, where it has one.
    pub(super) fn of_key(key: char) -> Option<Self> {
        Some(match key {
            'c' => Self::Vcpu,
            'k' => Self::Peak,
            'm' => Self::Memory,
            'd' => Self::Disk,
            'n' => Self::Network,
            's' => Self::Steal,
            'N' => Self::Name,
            'P' => Self::Project,
            'F' => Self::Flavor,
            'S' => Self::State,
            _ => return None,
        })
    }

    /// Returns the one after it, or before it, and round in the end.
    pub(super) fn neighbour(self, is_after: bool) -> Self {
        let all = Self::value_variants().iter().copied();
        let pair = |all: Vec<Self>| {
            let mut round = all.into_iter().cycle().skip_while(move |key| *key != self);
            round.nth(1).unwrap_or(self)
        };
        if is_after { pair(all.collect()) } else { pair(all.rev().collect()) }
    }

    /// Compares two guests: the largest number first, texts from A to Z, `reversed` the other way
    /// round. What is not known comes last in any case, and the name decides between equals.
    pub(super) fn compare(self, is_reversed: bool, one: &Guest<'_>, other: &Guest<'_>) -> Ordering {
        let numbers = |read: &dyn Fn(&Guest<'_>) -> Option<f64>| {
            let compare = |one: &f64, other: &f64| other.total_cmp(one);
            known(read(one), read(other), is_reversed, compare)
        };
        let texts = |read: fn(&Guest<'_>) -> Option<String>| {
            known(read(one), read(other), is_reversed, Ord::cmp)
        };
        let ordering = match self {
            Self::Vcpu => numbers(&|guest| guest.in_use),
            Self::Peak => numbers(&|guest| guest.peak),
            #[expect(clippy::cast_precision_loss, reason = "it is compared")]
            Self::Memory => {
                numbers(&|guest| guest.surveyed(guest.row.memory_used).map(|used| used as f64))
            }
            Self::Disk => numbers(&|guest| guest.disk()),
            Self::Network => numbers(&|guest| guest.network()),
            Self::Steal => numbers(&|guest| guest.surveyed(guest.row.steal)),
            Self::Name => texts(|guest| Some(guest.name().to_lowercase())),
            Self::Project => texts(|guest| guest.row.project.as_ref().map(|it| it.to_lowercase())),
            Self::Flavor => texts(|guest| guest.row.flavor.as_ref().map(|it| it.to_lowercase())),
            Self::State => {
                let stuck = numbers(&|guest| Some(f64::from(u8::from(guest.stuck.is_some()))));
                stuck.then_with(|| texts(|guest| guest.state().map(str::to_owned)))
            }
        };
        ordering
            .then_with(|| one.name().cmp(other.name()))
            .then_with(|| one.row.uuid.cmp(&other.row.uuid))
    }
}

fn known<T>(
    one: Option<T>,
    other: Option<T>,
    is_reversed: bool,
    compare: impl FnOnce(&T, &T) -> Ordering,
) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => {
            let ordering = compare(&one, &other);
            if is_reversed { ordering.reverse() } else { ordering }
        }
        (one, other) => other.is_some().cmp(&one.is_some()),
    }
}
