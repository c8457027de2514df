//! Names that only kumina's exporter had, which is Debian's package.

use exposition::{Family, Kind};

use super::{Row, Write};

pub(super) const DOMAIN: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domains_number",
            kind: Kind::Gauge,
            help: "Domains that run.",
        },
        labels: &[],
        origin: "virConnectListAllDomains",
        since: "0.9.13",
        write: Write::Host(|snapshot, samples| {
            if snapshot.domain_count.is_some() {
                let count = snapshot.instances.len();
                samples.push(&[], u64::try_from(count).unwrap_or(u64::MAX));
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_domain_state_code",
            kind: Kind::Gauge,
            help: "libvirt's number of the domain's state. Only of domains that run.",
        },
        labels: &[],
        origin: "state.state",
        since: "1.2.8",
        write: Write::Domain(|measured| measured.state().map(|state| state.number().into())),
    },
];
