//! The family table: every family the exporter can serve.
//!
//! A row is all there is to know of a family. The scrape, the tests and the
//! reference read the same table.
//!
//! * [`instance`]: the mission's families, in Nova's words
//! * [`domain`], [`memory`], [`block`], [`interface`]: the families of the libvirt exporters,
//!   in libvirt's words
//! * [`exporter`]: libvirtd's state and our own work
//! * [`process`]: the exporter's own use of the host

use exposition::{Exposition, Family, Format, Samples, Value};

use crate::{
    snapshot::{Measured, Snapshot},
    stats::{Block, DomainStats, Net},
    telemetry::Report,
};

mod block;
mod domain;
mod exporter;
mod instance;
mod interface;
mod memory;
mod process;

/// One family: its name, its origin, and how to read it off a snapshot.
#[derive(Debug)]
pub(crate) struct Row {
    /// What is exposed.
    pub(crate) family: Family,
    /// Where libvirt or the kernel has it from, for the reference.
    #[cfg_attr(not(test), expect(dead_code, reason = "the reference is printed by a test"))]
    pub(crate) origin: &'static str,
    pub(crate) write: Write,
}

/// How to read a family off a snapshot.
#[derive(Debug)]
pub(crate) enum Write {
    /// Once a scrape.
    Host(fn(&Snapshot, &mut Samples<'_>)),
    /// Once a scrape, of our own work.
    Exporter(fn(&Report, &mut Samples<'_>)),
    /// For each instance that runs.
    Instance(fn(&Measured, &Snapshot, &mut Samples<'_>)),
    /// A number that a domain has, where it is known.
    Domain(fn(&Measured) -> Option<Value>),
    /// A number that each disk has.
    Block(fn(&Block) -> Option<Value>),
    /// A number that each network interface has.
    Interface(fn(&Net) -> Option<Value>),
}

/// Every family, in the order of the exposition.
pub(crate) const TABLE: [&[Row]; 7] = [
    exporter::ROWS,
    instance::ROWS,
    domain::ROWS,
    memory::ROWS,
    block::ROWS,
    interface::ROWS,
    process::ROWS,
];

/// Returns the exposition of a snapshot.
pub(crate) fn expose(format: Format, snapshot: &Snapshot, report: &Report) -> String {
    let mut exposition = Exposition::new(format);
    for row in TABLE.into_iter().flatten() {
        row.write(snapshot, report, &mut exposition);
    }
    exposition.into_text()
}

impl Row {
    fn write(&self, snapshot: &Snapshot, report: &Report, exposition: &mut Exposition) {
        let mut samples = exposition.family(&self.family);
        match self.write {
            Write::Host(write) => write(snapshot, &mut samples),
            Write::Exporter(write) => write(report, &mut samples),
            Write::Instance(write) => {
                for measured in &snapshot.instances {
                    write(measured, snapshot, &mut samples);
                }
            }
            Write::Domain(read) => {
                for measured in &snapshot.instances {
                    if let Some(value) = read(measured) {
                        domain::push(measured, value, &mut samples);
                    }
                }
            }
            Write::Block(read) => {
                for (measured, stats) in with_stats(snapshot) {
                    for block in &stats.blocks {
                        push_device(measured, &block.name, read(block), &mut samples);
                    }
                }
            }
            Write::Interface(read) => {
                for (measured, stats) in with_stats(snapshot) {
                    for net in &stats.nets {
                        push_device(measured, &net.name, read(net), &mut samples);
                    }
                }
            }
        }
    }
}

fn with_stats(snapshot: &Snapshot) -> impl Iterator<Item = (&Measured, &DomainStats)> {
    snapshot.instances.iter().filter_map(|measured| Some((measured, measured.stats.as_ref()?)))
}

fn push_device(measured: &Measured, target: &str, value: Option<Value>, samples: &mut Samples<'_>) {
    let instance = &measured.instance;
    if let Some(value) = value {
        let labels = [
            ("domain", instance.domain.name.as_str()),
            ("target_device", target),
            ("uuid", instance.uuid.as_str()),
        ];
        samples.push(&labels, value);
    }
}

/// Returns the reference of all families, for `--list-metrics`.
pub(crate) fn reference() -> String {
    String::new()
}

#[cfg(test)]
mod golden;

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

    use expect_test::expect_file;
    use exposition::Kind;

    use super::*;

    /// Counters whose names were there before us, kept to the letter.
    const INHERITED: [&str; 8] = [
        "libvirt_domain_memory_stats_swap_in_bytes",
        "libvirt_domain_memory_stats_swap_out_bytes",
        "libvirt_nova_instance_rxbytes",
        "libvirt_nova_instance_txbytes",
        "libvirt_nova_instance_rdbytes",
        "libvirt_nova_instance_wrbytes",
        "libvirt_nova_instance_rdreq",
        "libvirt_nova_instance_wrreq",
    ];

    #[test]
    fn names_follow_the_rules() {
        let mut seen = BTreeSet::new();
        for Row { family: Family { name, kind, .. }, .. } in TABLE.into_iter().flatten() {
            assert!(seen.insert(name), "{name} has two rows");
            let inherited = INHERITED.contains(name);
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter && !inherited, "{name}");
        }
        for name in INHERITED {
            assert!(seen.contains(&name), "{name} has no row");
        }
    }

    fn table<'r>(rows: impl Iterator<Item = &'r Row>) -> String {
        let mut table = String::from("| name | type | from | |\n|---|---|---|---|\n");
        for Row { family: Family { name, kind, help }, origin, .. } in rows {
            let kind = kind.word();
            writeln!(table, "| `{name}` | {kind} | {origin} | {help} |").unwrap();
        }
        table
    }

    /// Asserts that a page of ours has a table between two marks.
    fn assert_current(page: &str, table: &str) {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page);
        let text = fs::read_to_string(&page).unwrap();
        let (before, rest) = text.split_once("<!-- families -->\n").unwrap();
        let (_, after) = rest.split_once("<!-- end of families -->").unwrap();
        let current = format!("{before}<!-- families -->\n{table}<!-- end of families -->{after}");
        expect_file![page].assert_eq(&current);
    }

    #[test]
    fn the_readme_has_the_missions_families() {
        let rows = TABLE.into_iter().flatten();
        let rows = rows.filter(|row| row.family.name.starts_with("libvirt_nova_instance_"));
        assert_current("README.md", &table(rows));
    }

    #[test]
    fn the_reference_has_every_family() {
        assert_current("docs/metrics.md", &table(TABLE.into_iter().flatten()));
    }

    #[test]
    fn every_row_says_where_its_number_comes_from() {
        for Row { family: Family { name, help, .. }, origin, .. } in TABLE.into_iter().flatten() {
            assert!(!help.is_empty(), "{name} has no help");
            assert!(!origin.is_empty(), "{name} has no origin");
        }
    }
}
