//! What a family is called and what its samples mean.

/// One family of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// The name of the family and of its samples.
    pub name: &'static str,
    /// How its numbers behave.
    pub kind: Kind,
    /// What it tells, for the people who read it.
    pub help: &'static str,
}

/// How the numbers of a family behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, but for beginning again at 0.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How many observations were at most as large as each of several bounds.
    Histogram,
}

impl Kind {
    /// Returns the format's word for it, that of the TYPE line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}
