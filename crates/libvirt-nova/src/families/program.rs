//! The program itself: which build it is, its log and tasks, its targets.

use std::time::UNIX_EPOCH;

use exposition::{Family, Kind};

use super::{Row, Write};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_nova_exporter_build_info",
            kind: Kind::Info,
            help: "Which build of the exporter this is.",
        },
        labels: &["revision", "version"],
        origin: "the build",
        since: "",
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
            name: "libvirt_nova_exporter_log_messages_total",
            kind: Kind::Counter,
            help: "Events in the exporter's log.",
        },
        labels: &["level"],
        origin: "the log",
        since: "",
        write: Write::Exporter(|report, samples| {
            for (level, count) in &report.log_messages {
                samples.push(&[("level", level)], *count);
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_tasks",
            kind: Kind::Gauge,
            help: "Tasks of the exporter's runtime that are alive.",
        },
        labels: &[],
        origin: "the runtime",
        since: "",
        write: Write::Exporter(|report, samples| {
            samples.push(&[], u64::try_from(report.tasks).unwrap_or(u64::MAX));
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_target_connected",
            kind: Kind::Gauge,
            help: "Whether there is a session with the libvirtd of a target. One that is not probed has none.",
        },
        labels: &["target"],
        origin: "the targets file, the session",
        since: "",
        write: Write::Exporter(|report, samples| {
            for target in report.targets.iter().flat_map(|targets| &targets.each) {
                samples.push(&[("target", &*target.name)], target.is_connected);
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_target_probes_total",
            kind: Kind::Counter,
            help: "Probes of a target: up and down as libvirt_up said, undecided where there was no time to find out, dropped where the scraper hung up before.",
        },
        labels: &["result", "target"],
        origin: "what came of /probe",
        since: "",
        write: Write::Exporter(|report, samples| {
            for target in report.targets.iter().flat_map(|targets| &targets.each) {
                for (outcome, count) in target.probes.by_outcome() {
                    let labels = [("result", outcome.word()), ("target", &*target.name)];
                    samples.push(&labels, count);
                }
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_targets_last_reload_successful",
            kind: Kind::Gauge,
            help: "Whether the targets file was right when it was read last. Where it was not, the targets before it stay.",
        },
        labels: &[],
        origin: "the targets file",
        since: "",
        write: Write::Exporter(|report, samples| {
            if let Some(targets) = &report.targets {
                samples.push(&[], targets.is_right);
            }
        }),
    },
    Row {
        family: Family {
            name: "libvirt_nova_exporter_targets_last_reload_success_timestamp_seconds",
            kind: Kind::Gauge,
            help: "When a targets file that was right was read last, in seconds since the unix epoch.",
        },
        labels: &[],
        origin: "the clock",
        since: "",
        write: Write::Exporter(|report, samples| {
            let read = report.targets.as_ref().map(|targets| targets.read);
            if let Some(since) = read.and_then(|read| read.duration_since(UNIX_EPOCH).ok()) {
                samples.push(&[], since);
            }
        }),
    },
];
