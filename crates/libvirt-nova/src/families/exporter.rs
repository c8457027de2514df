//! A libvirtd's state, and our own work with it.

use std::time::UNIX_EPOCH;

use exposition::{Family, Kind, Labels, Samples};
use libvirt_wire::Procedure;

use super::{Row, Write};
use crate::{survey::Skipped, telemetry::Durations};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_up",
            kind: Kind::Gauge,
            help: "Whether libvirtd answered this scrape.",
        },
        labels: &[],
        origin: "virConnectListAllDomains, else virConnectGetHostname",
        since: "0.9.13",
        write: Write::Host(|snapshot, samples| {
            if let Some(up) = snapshot.up {
                samples.push(&[], up);
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_connected",
            kind: Kind::Gauge,
            help: "Whether there is a session with libvirtd.",
        },
        labels: &[],
        origin: "the session",
        since: "",
        write: Write::Exporter(|report, samples| {
            samples.push(&[], report.connected);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_reconnects_total",
            kind: Kind::Counter,
            help: "Connections to libvirtd that were made anew, because one was lost or too many calls hung on it.",
        },
        labels: &[],
        origin: "the session",
        since: "",
        write: Write::Exporter(|report, samples| {
            samples.push(&[], report.reconnects);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_rpc_duration_seconds",
            kind: Kind::Histogram,
            help: "How long libvirtd took to answer, answers that nobody waited for any more included.",
        },
        labels: &["procedure"],
        origin: "the session",
        since: "",
        write: Write::Exporter(|report, samples| {
            for (procedure, durations) in &report.durations {
                let labels = Labels::new(&[("procedure", procedure)]);
                let (sum, count) = (durations.sum(), durations.count());
                samples.push_histogram(&labels, &durations.buckets(), Some(sum), count);
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_rpc_errors_total",
            kind: Kind::Counter,
            help: "Calls that failed: code is libvirt's error number, or abandoned, disconnected, malformed.",
        },
        labels: &["code", "procedure"],
        origin: "the session",
        since: "",
        write: Write::Exporter(|report, samples| {
            for ((procedure, code), count) in &report.failures {
                samples.push(&[("code", code), ("procedure", procedure)], *count);
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_rpc_in_flight",
            kind: Kind::Gauge,
            help: "Calls that libvirtd has not answered yet.",
        },
        labels: &[],
        origin: "the session",
        since: "",
        write: Write::Exporter(|report, samples| {
            push_count(report.in_flight, samples);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_rpc_abandoned",
            kind: Kind::Gauge,
            help: "Calls that libvirtd has not answered yet and nobody waits for: each holds one of its workers.",
        },
        labels: &[],
        origin: "the session",
        since: "",
        write: Write::Exporter(|report, samples| {
            push_count(report.abandoned, samples);
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_last_collection_timestamp_seconds",
            kind: Kind::Gauge,
            help: "When the last collection from libvirtd ended, in seconds since the unix epoch.",
        },
        labels: &[],
        origin: "the clock",
        since: "",
        write: Write::Exporter(|report, samples| {
            let ended = report.collection.map(|collection| collection.ended);
            if let Some(since) = ended.and_then(|ended| ended.duration_since(UNIX_EPOCH).ok()) {
                samples.push(&[], since);
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_last_poll_timestamp_seconds",
            kind: Kind::Gauge,
            help: "When libvirtd last answered a poll for CPU times, in seconds since the unix epoch.",
        },
        labels: &[],
        origin: "the clock",
        since: "",
        write: Write::Exporter(|report, samples| {
            let since = report.polled.and_then(|polled| polled.duration_since(UNIX_EPOCH).ok());
            if let Some(since) = since {
                samples.push(&[], since);
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_collection_duration_seconds",
            kind: Kind::Gauge,
            help: "How long the last collection from libvirtd took.",
        },
        labels: &[],
        origin: "the clock",
        since: "",
        write: Write::Exporter(|report, samples| {
            if let Some(collection) = report.collection {
                samples.push(&[], collection.took);
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_domains_skipped",
            kind: Kind::Gauge,
            help: "Domains that the last collection did not ask for all they have: every call to them hangs (held), too many calls hang (abandoned), or its time was over (deadline).",
        },
        labels: &["reason"],
        origin: "the collection",
        since: "",
        write: Write::Exporter(|report, samples| {
            let Some(collection) = report.collection else { return };
            let Skipped { abandoned, deadline, held } = collection.skipped;
            for (reason, count) in
                [("abandoned", abandoned), ("deadline", deadline), ("held", held)]
            {
                samples.push(&[("reason", reason)], u64::try_from(count).unwrap_or(u64::MAX));
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_xml_fetches_total",
            kind: Kind::Counter,
            help: "Answers of libvirtd to requests for a domain's XML.",
        },
        labels: &[],
        origin: "virDomainGetXMLDesc",
        since: "0.3.0",
        write: Write::Exporter(|report, samples| {
            let xml = report.durations.get(Procedure::DOMAIN_GET_XML_DESC.name);
            samples.push(&[], xml.map_or(0, Durations::count));
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_unknown_fields_total",
            kind: Kind::Counter,
            help: "Fields of a libvirt that is newer than the exporter, which it does not know. Indexes are N.",
        },
        labels: &["field"],
        origin: "what virConnectGetAllDomainStats gives beyond what is known",
        since: "",
        write: Write::Exporter(|report, samples| {
            for (field, count) in &report.unknown_fields {
                samples.push(&[("field", field)], *count);
            }
        }),
    },
];

fn push_count(count: usize, samples: &mut Samples<'_>) {
    samples.push(&[], u64::try_from(count).unwrap_or(u64::MAX));
}
