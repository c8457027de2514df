//! libvirtd's state and the build.

use exposition::{Family, Kind};

use super::{Row, Write};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_up",
            kind: Kind::Gauge,
            help: "Whether libvirtd answered this scrape.",
        },
        origin: "virConnectListAllDomains, else virConnectGetHostname",
        write: Write::Host(|snapshot, samples| {
            if let Some(up) = snapshot.up {
                samples.push(&[], up);
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_build_info",
            kind: Kind::Gauge,
            help: "Which build of the exporter this is.",
        },
        origin: "the build",
        write: Write::Host(|_, samples| {
            let labels = [
                ("revision", option_env!("LIBVIRT_NOVA_REVISION").unwrap_or_default()),
                ("version", env!("CARGO_PKG_VERSION")),
            ];
            samples.push(&labels, true);
        }),
    },
];
