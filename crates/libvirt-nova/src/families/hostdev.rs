//! Devices of the host that guests have for themselves.

use exposition::{Family, Kind, Samples};

use super::{Row, Subject, Write};

pub(super) const ROWS: &[Row] = &[Row {
    family: Family {
        name: "libvirt_domain_hostdev_info",
        kind: Kind::Info,
        help: "A device of the host that the guest has for itself: to join what measures GPUs and SR-IOV functions.",
    },
    labels: &["address", "kind", "mdev_uuid"],
    origin: "the domain's XML: hostdev, interface type hostdev",
    since: "",
    write: Write::Any(push_info),
}];

fn push_info(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    let hostdevs = subject.devices().map(|devices| &*devices.hostdevs).unwrap_or_default();
    let mut seen = Vec::new();
    for hostdev in hostdevs {
        let more = [
            ("address", hostdev.address.as_deref().unwrap_or_default()),
            ("kind", hostdev.kind.as_str()),
            ("mdev_uuid", hostdev.mdev_uuid.as_deref().unwrap_or_default()),
        ];
        // What has neither address is told apart by nothing.
        if !seen.contains(&more) {
            subject.tags.push_with(&more, true, samples);
            seen.push(more);
        }
    }
}
