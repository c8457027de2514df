//! The families of the libvirt exporters, in libvirt's words.

use exposition::{Family, Kind};

use super::{Row, Write};
use crate::stats::State;

pub(super) const ROWS: &[Row] = &[Row {
    family: Family {
        name: "libvirt_domain_state",
        kind: Kind::Gauge,
        help: "Whether the domain is in the state named.",
    },
    origin: "state.state",
    write: Write::Instance(|measured, _, samples| {
        let Some(state) = measured.stats.as_ref().and_then(|stats| stats.state) else { return };
        let instance = &measured.instance;
        for other in State::ALL {
            let labels = [
                ("domain", instance.domain.name.as_str()),
                ("state", other.word()),
                ("uuid", instance.uuid.as_str()),
            ];
            samples.push(&labels, other == state);
        }
    }),
}];
