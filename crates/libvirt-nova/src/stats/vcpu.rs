//! A vCPU: the group `vcpu`; and what all of a domain's do while they have nothing to do.

use std::time::Duration;

use libvirt_wire::Value;

use super::KvmStats;

/// A vCPU of a domain that runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Vcpu {
    pub(crate) number: u32,
    /// `virVcpuState`: 0 offline, 1 running, 2 blocked.
    pub(crate) state: Option<u64>,
    /// Time that it has spent on host CPUs, in ticks of 10 ms.
    pub(crate) time: Option<Duration>,
    /// Time that its thread has waited for a host CPU.
    pub(crate) wait: Option<Duration>,
    /// The same, as the guest sees it: steal.
    pub(crate) delay: Option<Duration>,
    /// Whether it has nothing to do. Not told of every kind of CPU.
    pub(crate) halted: Option<bool>,
    /// What KVM counts of it.
    pub(crate) kvm: KvmStats,
}

impl Vcpu {
    /// Takes a field; returns whether it is known.
    pub(super) fn take(&mut self, field: &str, value: &Value<'_>) -> bool {
        let number = value.unsigned();
        let nanoseconds = number.map(Duration::from_nanos);
        match field {
            "state" => self.state = number,
            "time" => self.time = nanoseconds,
            "wait" => self.wait = nanoseconds,
            "delay" => self.delay = nanoseconds,
            "halted" => self.halted = value.flag(),
            _ => return self.kvm.take(field, value),
        }
        true
    }
}

/// How long vCPUs without work were kept on their host CPU in case some came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Haltpoll {
    /// Time after which some came.
    pub(crate) success: Option<Duration>,
    /// Time after which none had come.
    pub(crate) fail: Option<Duration>,
}

impl Haltpoll {
    /// Takes a field of the group `cpu`; returns whether it is known.
    pub(super) fn take(&mut self, field: &str, number: Option<u64>) -> bool {
        let nanoseconds = number.map(Duration::from_nanos);
        match field {
            "haltpoll.success.time" => self.success = nanoseconds,
            "haltpoll.fail.time" => self.fail = nanoseconds,
            // The poll has these from a call that needs no monitor.
            "time" | "user" | "system" => {}
            // How many monitors of resctrl there are: mostly none, and theirs is not served.
            _ => return field.ends_with(".monitor.count"),
        }
        true
    }
}
