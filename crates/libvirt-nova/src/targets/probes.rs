//! What came of probes.

/// What came of a probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The target's libvirtd answered.
    Up,
    /// It did not.
    Down,
    /// There was no time to find out.
    Undecided,
    /// Who asked did not wait for it.
    #[default]
    Dropped,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Up, Self::Down, Self::Undecided, Self::Dropped];

    /// What came of a probe that says this of libvirtd.
    pub(super) fn of(up: Option<bool>) -> Self {
        match up {
            Some(true) => Self::Up,
            Some(false) => Self::Down,
            None => Self::Undecided,
        }
    }

    /// Its word in labels.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Undecided => "undecided",
            Self::Dropped => "dropped",
        }
    }
}

/// How many probes came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProbeCounts {
    up: u64,
    down: u64,
    undecided: u64,
    dropped: u64,
}

impl ProbeCounts {
    /// Each outcome with how often it was so.
    pub(crate) fn by_outcome(self) -> [(Outcome, u64); 4] {
        let Self { up, down, undecided, dropped } = self;
        let [of_up, of_down, of_undecided, of_dropped] = Outcome::ALL;
        [(of_up, up), (of_down, down), (of_undecided, undecided), (of_dropped, dropped)]
    }

    /// Counts one.
    pub(super) fn note(&mut self, outcome: Outcome) {
        let count = match outcome {
            Outcome::Up => &mut self.up,
            Outcome::Down => &mut self.down,
            Outcome::Undecided => &mut self.undecided,
            Outcome::Dropped => &mut self.dropped,
        };
        *count = count.saturating_add(1);
    }
}
