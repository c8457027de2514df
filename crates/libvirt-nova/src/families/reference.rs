//! The table as text: `--list-metrics`, docs/metrics.md and the README.

use std::fmt::Write as _;

use exposition::Kind;

use super::{Row, Section, TABLE, Write, subject::WIDE};
use crate::collectors::Collector;

/// Returns every collector and every family, a line each, as Markdown: what
/// `--list-metrics` prints.
pub(crate) fn reference() -> String {
    let mut text = String::new();
    collectors(&mut text);
    text.push('\n');
    families(&mut text, all());
    text
}

/// Every family with its section.
pub(super) fn all() -> impl Iterator<Item = (&'static Section, &'static Row)> {
    TABLE.iter().flat_map(|section| section.rows.iter().map(move |row| (section, row)))
}

/// Writes what each collector costs.
pub(super) fn collectors(text: &mut String) {
    // Writing to a string cannot fail.
    text.push_str("| collector | default | what it serves | cost |\n|---|---|---|---|\n");
    for collector in Collector::ALL {
        let default = if collector.is_default() { "on" } else { "off" };
        let (name, about, cost) = (collector.name(), collector.about(), collector.cost());
        let _ = writeln!(text, "| `{name}` | {default} | {about} | {cost} |");
    }
}

/// Writes a line for each family.
pub(super) fn families<'r>(text: &mut String, rows: impl Iterator<Item = (&'r Section, &'r Row)>) {
    text.push_str("| name | type | unit | labels | from | since | collector | cost | |\n");
    text.push_str("|---|---|---|---|---|---|---|---|---|\n");
    for (section, row) in rows {
        let Row { family, origin, since, .. } = row;
        let (name, kind, help) = (family.name, family.kind.word(), family.help);
        let (unit, labels, cost) = (unit(name, family.kind), labels(row).join(", "), cost(origin));
        let collector = match (section.collector, section.compat) {
            (Some(collector), Some(exporter)) => {
                format!("{}, --compat={}", collector.name(), exporter.name())
            }
            (Some(collector), None) => collector.name().to_owned(),
            (None, _) => String::new(),
        };
        let _ = writeln!(
            text,
            "| `{name}` | {kind} | {unit} | {labels} | {origin} | {since} | {collector} | {cost} | {help} |"
        );
    }
}

/// Returns the labels of a family, in the order of the alphabet, without those of
/// `--labels=wide`.
pub(super) fn labels(row: &Row) -> Vec<&'static str> {
    let of_whom: &[_] = match row.write {
        Write::Host(_) | Write::Node(_) | Write::Exporter(_) => &[],
        Write::Pool(_) => &["storage_pool"],
        Write::Instance(_) => &["libvirtname", "novaname", "novaproject"],
        Write::InstanceBlock(_) => {
            &["cindervolume", "disktype", "libvirtname", "novaname", "novaproject", "targetdev"]
        }
        Write::InstanceInterface(_) => {
            &["iface", "libvirtname", "macaddr", "novaname", "novaproject"]
        }
        Write::Running(_) if row.family.name.starts_with("libvirt_nova_instance_") => {
            &["libvirtname", "novaname", "novaproject"]
        }
        Write::Domain(_)
        | Write::Defined(_)
        | Write::Vcpu(_)
        | Write::Block(_)
        | Write::Limit(_)
        | Write::Interface(_)
        | Write::Iothread(_)
        | Write::Last(_)
        | Write::Running(_)
        | Write::Any(_) => &["domain", "uuid"],
    };
    let of_device = match row.write {
        Write::Block(_) | Write::Limit(_) | Write::Interface(_) => Some("target_device"),
        Write::Vcpu(_) => Some("vcpu"),
        Write::Iothread(_) => Some("iothread"),
        Write::Host(_)
        | Write::Node(_)
        | Write::Pool(_)
        | Write::Exporter(_)
        | Write::Instance(_)
        | Write::InstanceBlock(_)
        | Write::InstanceInterface(_)
        | Write::Domain(_)
        | Write::Defined(_)
        | Write::Last(_)
        | Write::Running(_)
        | Write::Any(_) => None,
    };
    let mut labels: Vec<_> = of_whom.iter().chain(row.labels).copied().chain(of_device).collect();
    labels.sort_unstable();
    labels
}

/// Whether any sample has a label of this name, by whatever flag.
pub(crate) fn has_label(name: &str) -> bool {
    WIDE.contains(&name)
        // Of histograms and, though there is none, of summaries.
        || matches!(name, "le" | "quantile")
        || all().any(|(_, row)| labels(row).contains(&name))
}

/// Returns what libvirtd does for a family, by where it comes from.
fn cost(origin: &str) -> &'static str {
    let begins = |beginnings: &[&str]| beginnings.iter().any(|begin| origin.starts_with(begin));
    if begins(&["balloon.", "block.N.", "vcpu.", "iothread.", "dirtyrate.", "vm.", "cpu.haltpoll."])
        || origin.contains("balloon.")
    {
        "monitor"
    } else if begins(&["net.N.", "perf."]) {
        "no monitor"
    } else if begins(&["state.", "virDomainGetState"]) {
        "no monitor; a call for each that does not run"
    } else if begins(&["virDomainGetXMLDesc"]) {
        ""
    } else if begins(&["virDomainGetJobStats"]) {
        "monitor where a job runs; a call a domain"
    } else if begins(&["virDomain"]) {
        "no monitor; a call a domain"
    } else if begins(&["virStoragePool", "virNodeGetCPUStats"]) {
        "a call each"
    } else if begins(&["virNode", "virConnect"]) {
        "a call"
    } else {
        ""
    }
}

/// Returns the unit of a family, which but for inherited names its name says.
fn unit(name: &str, kind: Kind) -> &'static str {
    let name = name.strip_suffix("_total").unwrap_or(name);
    match name {
        "libvirt_nova_instance_cpu_time" => "nanoseconds",
        _ if kind == Kind::Info => "",
        _ if name.ends_with("_kb") => "KiB",
        _ if name.ends_with("bytes_per_second") => "bytes a second",
        _ if name.ends_with("bytes") || name.ends_with("_stats_allocation") => "bytes",
        _ if name.ends_with("seconds") => "seconds",
        _ if name.ends_with("_percent") => "percent",
        _ if name.ends_with("_hertz") => "hertz",
        _ => "",
    }
}
