//! Prometheus' text format 0.0.4 and OpenMetrics 1.0: families, samples, escaping.
//!
//! There is no registry: each scrape writes its families afresh, one after the
//! other. A family that gets no sample leaves no trace.
//!
//! ```
//! use exposition::{Exposition, Family, Format, Kind};
//!
//! const LEVEL: Family =
//!     Family { name: "tank_level_metres", kind: Kind::Gauge, help: "Height of the water." };
//!
//! let mut exposition = Exposition::new(Format::Text);
//! exposition.family(&LEVEL).push(&[("tank", "north")], 1.5);
//! let text = exposition.into_text();
//! assert_eq!(text.lines().last(), Some("tank_level_metres{tank=\"north\"} 1.5"));
//! ```

pub use crate::{
    family::{Family, Kind},
    format::Format,
    labels::Labels,
    text::{Exposition, Samples},
    value::Value,
};

mod family;
mod format;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod labels;
mod text;
mod value;
