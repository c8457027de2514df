//! The family table: every family the exporter can serve.
//!
//! A row is all there is to know of a family. The scrape, the tests, `--list-metrics` and
//! the reference read the same table.
//!
//! * [`exporter`], [`process`]: libvirtd's state, our own work, and our use of the host
//! * [`instance`]: the mission's families, in Nova's words
//! * [`domain`], [`cpu`], [`memory`], [`vcpu`], [`block`], [`interface`], [`hostdev`], [`job`],
//!   [`event`], [`pool`], [`node`]: the families of the libvirt exporters, in libvirt's words
//! * [`latency`], [`perf`], [`iothread`], [`dirtyrate`], [`kvm`]: what only some ask for
//! * [`tinkoff`]: names that only Tinkoff's exporter had
//! * [`subject`]: a domain with its labels; [`reference`]: the table as text

use exposition::{Exposition, Family, Format, Samples, Value};

pub(crate) use self::reference::reference;
use self::subject::{Subject, subjects};
use crate::{
    collectors::{Collector, Collectors},
    snapshot::{Measured, Snapshot},
    stats::{Block, Iothread, Net, Vcpu},
    telemetry::Report,
};

mod block;
mod cpu;
mod dirtyrate;
mod domain;
mod event;
mod exporter;
mod hostdev;
mod instance;
mod interface;
mod iothread;
mod job;
mod kvm;
mod latency;
mod memory;
mod node;
mod perf;
mod pool;
mod process;
mod reference;
mod subject;
mod tinkoff;
mod vcpu;

/// One family: its name, its origin, and how to read it off a snapshot.
#[derive(Debug)]
pub(crate) struct Row {
    /// What is exposed.
    pub(crate) family: Family,
    /// Labels beyond those that [`Write`] says.
    pub(crate) labels: &'static [&'static str],
    /// Where libvirt or the kernel has it from.
    pub(crate) origin: &'static str,
    /// The libvirt that has it first. Empty where any does that the exporter works with.
    pub(crate) since: &'static str,
    pub(crate) write: Write,
}

/// How to read a family off a snapshot, and with it whose labels its samples have.
#[derive(Debug)]
pub(crate) enum Write {
    /// Once a scrape.
    Host(fn(&Snapshot, &mut Samples<'_>)),
    /// Once a scrape, of our own work.
    Exporter(fn(&Report, &mut Samples<'_>)),
    /// A number that an instance has, where it is known.
    Instance(fn(&Measured) -> Option<Value>),
    /// A number that each disk of an instance has.
    InstanceBlock(fn(&Block) -> Option<Value>),
    /// A number that each network interface of an instance has.
    InstanceInterface(fn(&Net) -> Option<Value>),
    /// A number that a domain has that runs.
    Domain(fn(&Measured) -> Option<Value>),
    /// A number that a domain has whether it runs or not.
    Defined(fn(&Measured) -> Option<Value>),
    /// A number that each vCPU has.
    Vcpu(fn(&Vcpu) -> Option<Value>),
    /// A number that each disk has.
    Block(fn(&Block) -> Option<Value>),
    /// A number that each network interface has.
    Interface(fn(&Net) -> Option<Value>),
    /// A number that each thread has that does I/O.
    Iothread(fn(&Iothread) -> Option<Value>),
    /// Whatever is to be said of a domain that runs.
    Running(fn(&Subject<'_>, &mut Samples<'_>)),
    /// Whatever is to be said of a domain whether it runs or not.
    Any(fn(&Subject<'_>, &mut Samples<'_>)),
}

/// The rows of a collector.
#[derive(Debug)]
pub(crate) struct Section {
    /// `None` for what is always served.
    pub(crate) collector: Option<Collector>,
    /// Whether only `--compat=tinkoff` serves them.
    pub(crate) is_tinkoff: bool,
    pub(crate) rows: &'static [Row],
}

impl Section {
    const fn of(collector: Collector, rows: &'static [Row]) -> Self {
        Self { collector: Some(collector), is_tinkoff: false, rows }
    }

    const fn tinkoff(collector: Collector, rows: &'static [Row]) -> Self {
        Self { collector: Some(collector), is_tinkoff: true, rows }
    }

    const fn always(rows: &'static [Row]) -> Self {
        Self { collector: None, is_tinkoff: false, rows }
    }
}

/// Every family, in the order of the exposition.
pub(crate) const TABLE: &[Section] = &[
    Section::always(exporter::ROWS),
    Section::of(Collector::Instance, instance::ROWS),
    Section::of(Collector::Domain, domain::ROWS),
    Section::of(Collector::Cpu, cpu::ROWS),
    Section::of(Collector::Memory, memory::ROWS),
    Section::of(Collector::Vcpu, vcpu::ROWS),
    Section::of(Collector::Block, block::ROWS),
    Section::of(Collector::Interface, interface::ROWS),
    Section::of(Collector::Hostdev, hostdev::ROWS),
    Section::of(Collector::Job, job::ROWS),
    Section::of(Collector::Event, event::ROWS),
    Section::of(Collector::Pool, pool::ROWS),
    Section::of(Collector::Node, node::ROWS),
    Section::of(Collector::BlockLatency, latency::ROWS),
    Section::of(Collector::BlockLimits, latency::LIMITS),
    Section::of(Collector::Perf, perf::ROWS),
    Section::of(Collector::Iothread, iothread::ROWS),
    Section::of(Collector::Dirtyrate, dirtyrate::ROWS),
    Section::of(Collector::Haltpoll, cpu::HALTPOLL),
    Section::of(Collector::Vm, kvm::MACHINE),
    Section::of(Collector::VcpuKvm, kvm::VCPU),
    Section::of(Collector::NodeDetail, node::DETAIL),
    Section::tinkoff(Collector::Domain, tinkoff::DOMAIN),
    Section::tinkoff(Collector::Memory, tinkoff::MEMORY),
    Section::tinkoff(Collector::Vcpu, tinkoff::VCPU),
    Section::tinkoff(Collector::Block, tinkoff::BLOCK),
    Section::tinkoff(Collector::Interface, tinkoff::INTERFACE),
    Section::tinkoff(Collector::Pool, tinkoff::POOL),
    Section::always(process::ROWS),
];

/// What is to be served, and how.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Selection {
    pub(crate) collectors: Collectors,
    /// Whether `libvirt_domain_*` have the labels of Debian's exporter as well.
    pub(crate) is_wide: bool,
    /// Whether the names are served that only Tinkoff's exporter had.
    pub(crate) is_tinkoff: bool,
    /// Whether OpenMetrics says when counters began.
    pub(crate) is_created: bool,
}

impl Selection {
    fn has(self, section: &Section) -> bool {
        section.collector.is_none_or(|collector| self.collectors.has(collector))
            && (self.is_tinkoff || !section.is_tinkoff)
    }
}

/// Returns the exposition of a snapshot.
pub(crate) fn expose(
    format: Format,
    selection: Selection,
    snapshot: &Snapshot,
    report: &Report,
    size: usize,
) -> String {
    let mut exposition = Exposition::new(format);
    exposition.reserve(size);
    let subjects = subjects(snapshot, selection);
    for section in TABLE.iter().filter(|section| selection.has(section)) {
        for row in section.rows {
            row.write(snapshot, &subjects, report, &mut exposition);
        }
    }
    exposition.into_text()
}

impl Row {
    fn write(
        &self,
        snapshot: &Snapshot,
        subjects: &[Subject<'_>],
        report: &Report,
        exposition: &mut Exposition,
    ) {
        let mut samples = exposition.family(&self.family);
        let running = || subjects.iter().filter(|subject| subject.measured.runs);
        match self.write {
            Write::Host(write) => write(snapshot, &mut samples),
            Write::Exporter(write) => write(report, &mut samples),
            Write::Instance(read) => {
                for subject in running() {
                    subject.push_instance(read(subject.measured), &mut samples);
                }
            }
            Write::InstanceBlock(read) => {
                for block in running().flat_map(|subject| &subject.blocks) {
                    block.push_instance(read(block.stats), &mut samples);
                }
            }
            Write::InstanceInterface(read) => {
                for net in running().flat_map(|subject| &subject.nets) {
                    net.push_instance(read(net.stats), &mut samples);
                }
            }
            Write::Domain(read) => {
                for subject in running() {
                    subject.push(read(subject.measured), &mut samples);
                }
            }
            Write::Defined(read) => {
                for subject in subjects {
                    subject.push(read(subject.measured), &mut samples);
                }
            }
            Write::Vcpu(read) => {
                for vcpu in running().flat_map(|subject| &subject.vcpus) {
                    vcpu.push(read(vcpu.stats), &mut samples);
                }
            }
            Write::Block(read) => {
                for block in running().flat_map(|subject| &subject.blocks) {
                    block.push(read(block.stats), &mut samples);
                }
            }
            Write::Interface(read) => {
                for net in running().flat_map(|subject| &subject.nets) {
                    net.push(read(net.stats), &mut samples);
                }
            }
            Write::Iothread(read) => {
                for iothread in running().flat_map(|subject| &subject.iothreads) {
                    iothread.push(read(iothread.stats), &mut samples);
                }
            }
            Write::Running(write) => running().for_each(|subject| write(subject, &mut samples)),
            Write::Any(write) => subjects.iter().for_each(|subject| write(subject, &mut samples)),
        }
    }
}

#[cfg(test)]
mod golden;

#[cfg(test)]
mod tests;
