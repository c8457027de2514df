//! What a domain does, and why: the group `state`.

/// `virDomainState`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Nostate,
    Running,
    Blocked,
    Paused,
    Shutdown,
    Shutoff,
    Crashed,
    Pmsuspended,
}

impl State {
    /// Every state, in libvirt's order.
    pub(crate) const ALL: [Self; 8] = [
        Self::Nostate,
        Self::Running,
        Self::Blocked,
        Self::Paused,
        Self::Shutdown,
        Self::Shutoff,
        Self::Crashed,
        Self::Pmsuspended,
    ];

    /// Returns libvirt's state of a number; `None` for one that came after libvirt 12.
    pub(super) fn new(number: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// libvirt's number.
    pub(crate) fn number(self) -> u64 {
        Self::ALL.iter().take_while(|other| **other != self).map(|_| 1).sum()
    }

    /// libvirt's constant in lower case, without its prefix.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Nostate => "nostate",
            Self::Running => "running",
            Self::Blocked => "blocked",
            Self::Paused => "paused",
            Self::Shutdown => "shutdown",
            Self::Shutoff => "shutoff",
            Self::Crashed => "crashed",
            Self::Pmsuspended => "pmsuspended",
        }
    }

    /// What the libvirt exporters say for it.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Nostate => "no state",
            Self::Running => "the domain is running",
            Self::Blocked => "the domain is blocked on resource",
            Self::Paused => "the domain is paused by user",
            Self::Shutdown => "the domain is being shut down",
            Self::Shutoff => "the domain is shut off",
            Self::Crashed => "the domain is crashed",
            Self::Pmsuspended => "the domain is suspended by guest power management",
        }
    }
}

/// Why a domain is in its state: `virDomainRunningReason` and its siblings, one list a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reason(&'static str);

impl Reason {
    /// `VIR_DOMAIN_PAUSED_STARTING_UP`
    pub(crate) const STARTING_UP: Self = Self("starting_up");

    /// Returns the reason of a number in a state; `None` for one that came after libvirt 12.
    pub(super) fn new(state: State, number: u64) -> Option<Self> {
        let words: &[&'static str] = match state {
            State::Nostate | State::Blocked => &["unknown"],
            State::Running => &[
                "unknown",
                "booted",
                "migrated",
                "restored",
                "from_snapshot",
                "unpaused",
                "migration_canceled",
                "save_canceled",
                "wakeup",
                "crashed",
                "postcopy",
                "postcopy_failed",
            ],
            State::Paused => &[
                "unknown",
                "user",
                "migration",
                "save",
                "dump",
                "ioerror",
                "watchdog",
                "from_snapshot",
                "shutting_down",
                "snapshot",
                "crashed",
                Self::STARTING_UP.0,
                "postcopy",
                "postcopy_failed",
                "api_error",
            ],
            State::Shutdown => &["unknown", "user"],
            State::Shutoff => &[
                "unknown",
                "shutdown",
                "destroyed",
                "crashed",
                "migrated",
                "saved",
                "failed",
                "from_snapshot",
                "daemon",
            ],
            State::Crashed => &["unknown", "panicked"],
            State::Pmsuspended => &["unknown"],
        };
        words.get(usize::try_from(number).ok()?).copied().map(Self)
    }

    /// libvirt's constant in lower case, without its prefix.
    pub(crate) fn word(self) -> &'static str {
        self.0
    }
}
