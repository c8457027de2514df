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
    /// Says something by its labels, and is always 1. Its name ends in `_info`.
    Info,
    /// How many observations were at most as large as each of several bounds.
    Histogram,
}

impl Kind {
    /// Returns the text format's word for it, that of the TYPE line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            // The text format knows no other word for what stands at 1.
            Self::Gauge | Self::Info => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Family {
    /// Returns what OpenMetrics calls the family, and its word for the kind.
    ///
    /// There, a counter's samples are called like the family and `_total`, and those of an
    /// info like the family and `_info`. A counter whose inherited name is another must
    /// keep it, so it is `unknown`.
    pub(crate) fn in_openmetrics(&self) -> (&'static str, &'static str) {
        let suffix = match self.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => return (self.name, self.kind.word()),
        };
        let word = if self.kind == Kind::Info { "info" } else { "counter" };
        self.name.strip_suffix(suffix).map_or((self.name, "unknown"), |name| (name, word))
    }

    /// Returns the unit that ends a name, which OpenMetrics wants to be told.
    pub(crate) fn unit(name: &str) -> Option<&str> {
        let (_, last) = name.rsplit_once('_')?;
        ["seconds", "bytes", "percent", "hertz"].contains(&last).then_some(last)
    }
}
