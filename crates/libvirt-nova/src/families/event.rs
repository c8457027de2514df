//! What happened to domains, counted.

use exposition::{Family, Kind, Samples};

use super::{Row, Subject, Write};

pub(super) const ROWS: &[Row] = &[Row {
    family: Family {
        name: "libvirt_domain_events_total",
        kind: Kind::Counter,
        help: "What libvirt has said of the domain since the exporter listens: a kind of event, and its detail.",
    },
    labels: &["detail", "event"],
    origin: "the events lifecycle, reboot, watchdog, io-error-reason, device-added, device-removed, device-removal-failed, migration-iteration, job-completed, metadata-change",
    since: "1.2.2",
    write: Write::Any(push_events),
}];

fn push_events(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    for ((event, detail), count) in subject.measured.instance.events.iter() {
        subject.tags.push_with(&[("detail", detail), ("event", event)], count, samples);
    }
}
