//! Which families are served, and with them what libvirtd is asked for.

use libvirt_wire::call::Groups;

/// A set of families that is switched on or off as one: `--collector.NAME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Collector {
    /// The mission's families, in Nova's words.
    Instance,
    /// How often instances use how much of their vCPUs.
    Utilization,
    /// Names, state and sizes of domains.
    Domain,
    /// CPU time of domains.
    Cpu,
    /// What the balloon knows.
    Memory,
    /// Each vCPU.
    Vcpu,
    /// Each disk.
    Block,
    /// Each network interface.
    Interface,
    /// Devices of the host that guests have for themselves.
    Hostdev,
    /// Jobs that run in a domain, migrations above all.
    Job,
    /// What happened to domains.
    Event,
    /// Storage pools.
    Pool,
    /// The host.
    Node,
    /// How long requests to disks take, where a disk is told to count it.
    BlockLatency,
    /// What the host's devices behind disks can do.
    BlockLimits,
    /// What the host's CPUs count.
    Perf,
    /// Threads that do I/O.
    Iothread,
    /// How fast guests write their memory.
    Dirtyrate,
    /// How long idle vCPUs stayed on their CPU.
    Haltpoll,
    /// What KVM counts of a whole machine.
    Vm,
    /// What KVM counts of each vCPU.
    VcpuKvm,
    /// CPUs and memory of the host, one by one.
    NodeDetail,
}

impl Collector {
    /// Every collector, in the order of the exposition.
    pub(crate) const ALL: [Self; 22] = [
        Self::Instance,
        Self::Utilization,
        Self::Domain,
        Self::Cpu,
        Self::Memory,
        Self::Vcpu,
        Self::Block,
        Self::Interface,
        Self::Hostdev,
        Self::Job,
        Self::Event,
        Self::Pool,
        Self::Node,
        Self::BlockLatency,
        Self::BlockLimits,
        Self::Perf,
        Self::Iothread,
        Self::Dirtyrate,
        Self::Haltpoll,
        Self::Vm,
        Self::VcpuKvm,
        Self::NodeDetail,
    ];

    /// Its name in `--collector.NAME`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Utilization => "utilization",
            Self::Domain => "domain",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Vcpu => "vcpu",
            Self::Block => "block",
            Self::Interface => "interface",
            Self::Hostdev => "hostdev",
            Self::Job => "job",
            Self::Event => "event",
            Self::Pool => "pool",
            Self::Node => "node",
            Self::BlockLatency => "block-latency",
            Self::BlockLimits => "block-limits",
            Self::Perf => "perf",
            Self::Iothread => "iothread",
            Self::Dirtyrate => "dirtyrate",
            Self::Haltpoll => "haltpoll",
            Self::Vm => "vm",
            Self::VcpuKvm => "vcpu-kvm",
            Self::NodeDetail => "node-detail",
        }
    }

    /// What it serves, for `--help`.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Instance => "The mission's families, libvirt_nova_instance_*",
            Self::Utilization => "How much of its vCPUs each instance uses, second by second",
            Self::Domain => "Names, state and sizes of domains",
            Self::Cpu => "CPU time of domains",
            Self::Memory => "Memory of domains, as the balloon tells it",
            Self::Vcpu => "Each vCPU: state, time, wait, steal",
            Self::Block => "Each disk",
            Self::Interface => "Each network interface",
            Self::Hostdev => "Devices of the host that guests have for themselves",
            Self::Job => "Migrations and other jobs that run in domains",
            Self::Event => "What happened to domains, counted",
            Self::Pool => "Storage pools",
            Self::Node => "CPUs and memory of the host",
            Self::BlockLatency => "How long requests to disks take (libvirt 11.10, 12.1)",
            Self::BlockLimits => "What the devices behind disks can do (libvirt 11.10)",
            Self::Perf => "What the host's CPUs count, by Nova's enabled_perf_events",
            Self::Iothread => "Threads that do the guests' I/O",
            Self::Dirtyrate => "How fast guests write their memory, once measured",
            Self::Haltpoll => "How long idle vCPUs stayed on their CPU (libvirt 7.6)",
            Self::Vm => "What KVM counts of a machine (libvirt 8.9)",
            Self::VcpuKvm => "What KVM counts of each vCPU (libvirt 8.9)",
            Self::NodeDetail => "Each CPU and each NUMA cell of the host",
        }
    }

    /// What libvirt is asked for beyond what it is always asked for.
    fn groups(self) -> Option<Groups> {
        match self {
            Self::Instance | Self::Block | Self::BlockLatency | Self::BlockLimits => {
                Some(Groups::BLOCK)
            }
            Self::Domain | Self::Vcpu | Self::VcpuKvm => Some(Groups::VCPU),
            Self::Perf => Some(Groups::PERF),
            Self::Iothread => Some(Groups::IOTHREAD),
            Self::Dirtyrate => Some(Groups::DIRTYRATE),
            Self::Haltpoll => Some(Groups::CPU_TOTAL),
            Self::Vm => Some(Groups::VM),
            Self::Utilization
            | Self::Cpu
            | Self::Memory
            | Self::Interface
            | Self::Hostdev
            | Self::Job
            | Self::Event
            | Self::Pool
            | Self::Node
            | Self::NodeDetail => None,
        }
    }

    /// What it costs libvirtd alone, for the reference: measured with 50 idle guests
    /// (`scripts/measure`), in milliseconds of CPU a scrape. Those of one group share its cost.
    pub(crate) fn cost(self) -> &'static str {
        match self {
            Self::Instance => "22 ms: the group block",
            Self::Utilization => "nothing: it is made of what is polled",
            Self::Domain => "9 ms: the group vcpu; a call for each domain that does not run",
            Self::Cpu | Self::Memory | Self::Interface => {
                "nothing: what it serves is always asked for"
            }
            Self::Vcpu => "9 ms: the group vcpu; with --compat=tinkoff a call a domain",
            Self::Block | Self::BlockLatency | Self::BlockLimits => "17 ms: the group block",
            Self::Hostdev | Self::Event => "nothing: libvirt says it unasked",
            Self::Job => "3 ms: a call a domain",
            Self::Pool => "1 ms: a call, and one a pool",
            Self::Node => "1 to 2 ms: two calls",
            Self::Perf => "nothing that was to be measured: the group perf, without a monitor",
            Self::Iothread => "2 to 4 ms: the group iothread",
            Self::Dirtyrate => "4 ms: the group dirtyrate",
            Self::Haltpoll => "5 to 7 ms: the group cpu",
            Self::Vm => "5 to 9 ms: the group vm",
            Self::VcpuKvm => "9 ms: the group vcpu; with KVM some fifty series a vCPU",
            Self::NodeDetail => "2 ms with 2 CPUs: four calls, and one a CPU of the host",
        }
    }

    /// Whether it is on unless the command line says otherwise.
    pub(crate) fn is_default(self) -> bool {
        match self {
            Self::Instance
            | Self::Utilization
            | Self::Domain
            | Self::Cpu
            | Self::Memory
            | Self::Vcpu
            | Self::Block
            | Self::Interface
            | Self::Hostdev
            | Self::Job
            | Self::Event
            | Self::Pool
            | Self::Node
            | Self::BlockLatency => true,
            Self::BlockLimits
            | Self::Perf
            | Self::Iothread
            | Self::Dirtyrate
            | Self::Haltpoll
            | Self::Vm
            | Self::VcpuKvm
            | Self::NodeDetail => false,
        }
    }
}

/// The collectors that are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Collectors(u32);

impl Collectors {
    /// Those of a predicate.
    pub(crate) fn of(is_on: impl Fn(Collector) -> bool) -> Self {
        let bits = Collector::ALL.into_iter().filter(|collector| is_on(*collector));
        Self(bits.fold(0, |bits, collector| bits | Self::bit(collector)))
    }

    /// Whether a collector is on.
    pub(crate) fn has(self, collector: Collector) -> bool {
        self.0 & Self::bit(collector) != 0
    }

    /// What libvirt is asked for, for their sake.
    ///
    /// The balloon's is always in it: whether the memory of the QEMU process is there says
    /// whether libvirt asked QEMU at all.
    pub(crate) fn groups(self) -> Groups {
        let begin = Groups::JOB_FREE.and(Groups::BALLOON);
        let on = Collector::ALL.into_iter().filter(|collector| self.has(*collector));
        on.filter_map(Collector::groups).fold(begin, Groups::and)
    }

    fn bit(collector: Collector) -> u32 {
        1_u32.checked_shl(u32::from(collector as u8)).unwrap_or_default()
    }
}

impl Default for Collectors {
    fn default() -> Self {
        Self::of(Collector::is_default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_collectors_ask_for_the_groups_that_the_raw_loop_asks_for() {
        let raw_loops = Groups::JOB_FREE.and(Groups::BALLOON).and(Groups::VCPU).and(Groups::BLOCK);
        assert_eq!(Collectors::default().groups(), raw_loops);
    }
}
