//! The family table: every family the exporter can serve.
//!
//! A row is all there is to know of a family. The scrape, the tests, `--list-metrics` and
//! the reference read the same table.
//!
//! * [`exporter`]: libvirtd's state, and our own work with it
//! * [`program`], [`process`]: the exporter itself, and its use of the host
//! * [`instance`]: the mission's families, in Nova's words
//! * [`domain`], [`cpu`], [`memory`], [`vcpu`], [`block`], [`interface`], [`hostdev`], [`job`],
//!   [`event`], [`pool`], [`node`]: the families of the libvirt exporters, in libvirt's words
//! * [`latency`], [`perf`], [`iothread`], [`dirtyrate`], [`kvm`]: what only some ask for
//! * [`kumina`], [`tinkoff`]: names that only those exporters had
//! * [`subject`]: a domain with its labels; [`pieces`]: a snapshot as text; [`reference`]: the
//!   table as text

use exposition::{Exposition, Family, Samples, Value};
use libvirt_wire::call::StoragePoolInfo;

use self::subject::{Subject, labels_of};
pub(crate) use self::{
    pieces::pieces,
    reference::{has_label, reference},
};
use crate::{
    collectors::{Collector, Collectors},
    flags::Compat,
    host::Node,
    inventory::{LastJob, Limits},
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
mod kumina;
mod kvm;
mod latency;
mod memory;
mod node;
mod perf;
mod pieces;
mod pool;
mod process;
mod program;
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
    /// The release of libvirt that has it first. Empty for what is not libvirt's, or always was.
    pub(crate) since: &'static str,
    pub(crate) write: Write,
}

/// How to read a family off a snapshot, and with it whose labels its samples have.
#[derive(Debug)]
pub(crate) enum Write {
    /// Once a scrape.
    Host(fn(&Snapshot, &mut Samples<'_>)),
    /// A number that the host has.
    Node(fn(&Node) -> Option<Value>),
    /// A number that each storage pool has, where libvirt told of it.
    Pool(fn(&StoragePoolInfo) -> Option<Value>),
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
    /// How much of each disk the guest may use.
    Limit(fn(&Limits) -> Option<Value>),
    /// A number that each network interface has.
    Interface(fn(&Net) -> Option<Value>),
    /// A number that each thread has that does I/O.
    Iothread(fn(&Iothread) -> Option<Value>),
    /// A number that the last migration of a domain away from here has.
    Last(fn(&LastJob) -> Option<Value>),
    /// Whatever is to be said of a domain that runs.
    Running(fn(&Subject<'_>, &mut Samples<'_>)),
    /// Whatever is to be said of a domain whether it runs or not.
    Any(fn(&Subject<'_>, &mut Samples<'_>)),
}

/// Whose a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// A libvirtd's: what it says, and how it is asked.
    Libvirtd,
    /// This program's, whichever libvirtd it asks.
    Program,
}

/// The rows of a collector.
#[derive(Debug)]
pub(crate) struct Section {
    /// `None` for what is always served.
    pub(crate) collector: Option<Collector>,
    /// The exporter that alone has them, where `--compat` has to name it.
    pub(crate) compat: Option<Compat>,
    pub(crate) whose: Whose,
    pub(crate) rows: &'static [Row],
}

impl Section {
    const fn of(collector: Collector, rows: &'static [Row]) -> Self {
        Self { collector: Some(collector), ..Self::libvirtd(rows) }
    }

    const fn tinkoff(collector: Collector, rows: &'static [Row]) -> Self {
        Self { compat: Some(Compat::Tinkoff), ..Self::of(collector, rows) }
    }

    const fn kumina(collector: Collector, rows: &'static [Row]) -> Self {
        Self { compat: Some(Compat::Kumina), ..Self::of(collector, rows) }
    }

    const fn libvirtd(rows: &'static [Row]) -> Self {
        Self { collector: None, compat: None, whose: Whose::Libvirtd, rows }
    }

    const fn program(rows: &'static [Row]) -> Self {
        Self { whose: Whose::Program, ..Self::libvirtd(rows) }
    }
}

/// Every family, in the order of the exposition.
pub(crate) const TABLE: &[Section] = &[
    Section::libvirtd(exporter::ROWS),
    Section::program(program::ROWS),
    Section::of(Collector::Instance, instance::ROWS),
    Section::of(Collector::Utilization, instance::UTILIZATION),
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
    Section::tinkoff(Collector::Block, tinkoff::LIMITS),
    Section::tinkoff(Collector::Interface, tinkoff::INTERFACE),
    Section::tinkoff(Collector::Pool, tinkoff::POOL),
    Section::kumina(Collector::Domain, kumina::DOMAIN),
    Section::program(process::ROWS),
];

/// What is to be served, and how.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Selection {
    /// Whose families; `None` for everybody's.
    pub(crate) whose: Option<Whose>,
    pub(crate) collectors: Collectors,
    /// Whether `libvirt_domain_*` have the labels of Debian's exporter as well.
    pub(crate) is_wide: bool,
    /// Whether the names are served that only Tinkoff's exporter had.
    pub(crate) is_tinkoff: bool,
    /// Whether the names are served that only kumina's exporter had.
    pub(crate) is_kumina: bool,
    /// Whether OpenMetrics says when counters began.
    pub(crate) is_created: bool,
}

impl Selection {
    fn has(self, section: &Section) -> bool {
        section.collector.is_none_or(|collector| self.collectors.has(collector))
            && section.compat.is_none_or(|compat| self.speaks(compat))
            && self.whose.is_none_or(|whose| section.whose == whose)
    }

    /// Whether the names are served that this exporter alone had.
    pub(crate) fn speaks(self, compat: Compat) -> bool {
        match compat {
            Compat::Tinkoff => self.is_tinkoff,
            Compat::Kumina => self.is_kumina,
        }
    }
}

impl Row {
    /// Whether it is written a domain at a time, rather than once.
    fn is_by_domain(&self) -> bool {
        !matches!(
            self.write,
            Write::Host(_) | Write::Node(_) | Write::Pool(_) | Write::Exporter(_) | Write::Last(_)
        )
    }

    /// Writes what is not any domain's, or what these domains have.
    fn write(
        &self,
        selection: Selection,
        snapshot: &Snapshot,
        subjects: &[Subject<'_>],
        report: &Report,
        exposition: &mut Exposition,
    ) {
        let mut samples = exposition.family(&self.family);
        match self.write {
            Write::Host(write) => write(snapshot, &mut samples),
            Write::Node(read) => {
                if let Some(value) = read(&snapshot.node) {
                    samples.push(&[], value);
                }
            }
            Write::Pool(read) => pool::push("storage_pool", snapshot, &mut samples, read),
            Write::Exporter(write) => write(report, &mut samples),
            Write::Last(read) => {
                for last in &*snapshot.last_migrations {
                    let labels = labels_of(&last.instance, selection.is_wide);
                    if let (Some(labels), Some(value)) = (labels, read(last)) {
                        samples.push_with(&labels, &[], value);
                    }
                }
            }
            Write::Defined(_) | Write::Any(_) => {
                subjects.iter().for_each(|subject| self.write_of(subject, &mut samples));
            }
            Write::Instance(_)
            | Write::InstanceBlock(_)
            | Write::InstanceInterface(_)
            | Write::Domain(_)
            | Write::Vcpu(_)
            | Write::Block(_)
            | Write::Limit(_)
            | Write::Interface(_)
            | Write::Iothread(_)
            | Write::Running(_) => {
                let running = subjects.iter().filter(|subject| subject.measured.runs);
                running.for_each(|subject| self.write_of(subject, &mut samples));
            }
        }
    }

    /// Writes the samples of one domain.
    fn write_of(&self, subject: &Subject<'_>, samples: &mut Samples<'_>) {
        // A device may have been plugged in since, and what is counted of a domain whether it
        // runs or not (events) does not begin with its run.
        let is_of_the_run = matches!(
            self.write,
            Write::Instance(_)
                | Write::Domain(_)
                | Write::Vcpu(_)
                | Write::Iothread(_)
                | Write::Running(_)
        );
        samples.set_created(subject.created.filter(|_| is_of_the_run));
        let measured = subject.measured;
        match self.write {
            Write::Host(_)
            | Write::Node(_)
            | Write::Pool(_)
            | Write::Exporter(_)
            | Write::Last(_) => {}
            Write::Instance(read) => subject.tags.push_instance(read(measured), samples),
            Write::InstanceBlock(read) => {
                subject.blocks.iter().for_each(|it| it.tags.push_instance(read(it.stats), samples));
            }
            Write::InstanceInterface(read) => {
                subject.nets.iter().for_each(|it| it.tags.push_instance(read(it.stats), samples));
            }
            Write::Domain(read) | Write::Defined(read) => {
                subject.tags.push(read(measured), samples)
            }
            Write::Vcpu(read) => {
                subject.vcpus.iter().for_each(|it| it.tags.push(read(it.stats), samples));
            }
            Write::Block(read) => {
                subject.blocks.iter().for_each(|it| it.tags.push(read(it.stats), samples));
            }
            Write::Limit(read) => {
                for block in &subject.blocks {
                    let devices = subject.devices();
                    let disk = devices.and_then(|devices| devices.disk(&block.stats.name));
                    block.tags.push(disk.and_then(|disk| read(&disk.limits)), samples);
                }
            }
            Write::Interface(read) => {
                subject.nets.iter().for_each(|it| it.tags.push(read(it.stats), samples));
            }
            Write::Iothread(read) => {
                subject.iothreads.iter().for_each(|it| it.tags.push(read(it.stats), samples));
            }
            Write::Running(write) | Write::Any(write) => write(subject, samples),
        }
    }
}

#[cfg(test)]
mod golden;

#[cfg(test)]
mod tests;
