//! libvirtd's state and our own work.

use std::time::UNIX_EPOCH;

use exposition::{Family, Kind, Samples};
use libvirt_wire::Procedure;

use super::{Row, Write};
use crate::survey::Skipped;

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
            kind: Kind::Info,
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
    Row {
        family: Family {
            name: "libvirt_nova_exporter_connected",
            kind: Kind::Gauge,
            help: "Whether there is a session with libvirtd.",
        },
        origin: "the session",
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
        origin: "the session",
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
        origin: "the session",
        write: Write::Exporter(|report, samples| {
            for (procedure, durations) in &report.durations {
                let labels = [("procedure", *procedure)];
                let (sum, count) = (durations.sum.as_secs_f64(), durations.count);
                samples.push_histogram(&labels, &durations.buckets(), sum, count);
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_rpc_errors_total",
            kind: Kind::Counter,
            help: "Calls that failed: code is libvirt's error number, or abandoned, disconnected, malformed.",
        },
        origin: "the session",
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
        origin: "the session",
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
        origin: "the session",
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
        origin: "the clock",
        write: Write::Exporter(|report, samples| {
            let ended = report.collection.map(|collection| collection.ended);
            if let Some(since) = ended.and_then(|ended| ended.duration_since(UNIX_EPOCH).ok()) {
                samples.push(&[], since.as_secs_f64());
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_collection_duration_seconds",
            kind: Kind::Gauge,
            help: "How long the last collection from libvirtd took.",
        },
        origin: "the clock",
        write: Write::Exporter(|report, samples| {
            if let Some(collection) = report.collection {
                samples.push(&[], collection.took.as_secs_f64());
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_domains_skipped",
            kind: Kind::Gauge,
            help: "Domains that the last collection did not ask for all they have: every call to them hangs (held), too many calls hang (abandoned), or its time was over (deadline).",
        },
        origin: "the collection",
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
        origin: "virDomainGetXMLDesc",
        write: Write::Exporter(|report, samples| {
            let xml = report.durations.get(Procedure::DOMAIN_GET_XML_DESC.name);
            samples.push(&[], xml.map_or(0, |durations| durations.count));
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_log_messages_total",
            kind: Kind::Counter,
            help: "Events in the exporter's log.",
        },
        origin: "the log",
        write: Write::Exporter(|report, samples| {
            for (level, count) in report.log_messages {
                samples.push(&[("level", level)], count);
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_tasks",
            kind: Kind::Gauge,
            help: "Tasks of the exporter's runtime that are alive.",
        },
        origin: "the runtime",
        write: Write::Exporter(|report, samples| {
            push_count(report.tasks, samples);
        }),
    },
];

fn push_count(count: usize, samples: &mut Samples<'_>) {
    samples.push(&[], u64::try_from(count).unwrap_or(u64::MAX));
}
