//! Everything libvirt measures: `virConnectGetAllDomainStats`.

use super::{Call, list::DOMAIN_LIST_MAX};
use crate::{
    domain::{Domain, Uuid},
    error::DecodeError,
    procedure::Procedure,
    typed_param::TypedParam,
    xdr::{Decode, Reader, Writer},
};

/// Asks for statistics of several domains.
///
/// Always with `NOWAIT`: where another call holds a domain's job, the daemon
/// gives what needs no monitor instead of waiting up to 30 s for the job. It
/// does not protect the call that gets the job of a QEMU that answers no more:
/// that one hangs, and all domains of it with it, so ask for few at a time.
///
/// A domain that does not exist or run any more is left out of the reply.
#[derive(Clone, Copy, Debug)]
pub struct ConnectGetAllDomainStats<'d> {
    /// Whose statistics are asked for. None means everybody's.
    pub domains: &'d [&'d Domain],
    /// Which statistics. The daemon leaves out those it does not know.
    pub groups: Groups,
}

impl Call for ConnectGetAllDomainStats<'_> {
    const PROCEDURE: Procedure = Procedure::CONNECT_GET_ALL_DOMAIN_STATS;
    type Reply<'a> = AllDomainStats<'a>;

    fn domains(&self) -> Vec<Uuid> {
        self.domains.iter().map(|domain| domain.uuid).collect()
    }

    fn needs_monitor(&self) -> bool {
        !NEED_NO_MONITOR.contains(self.groups)
    }

    fn encode(&self, arguments: &mut Writer) {
        arguments.length(self.domains.len());
        for domain in self.domains {
            domain.encode(arguments);
        }
        arguments.u32(self.groups.0);
        arguments.u32(STATS_ACTIVE | STATS_NOWAIT);
    }
}

/// `VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE`
const STATS_ACTIVE: u32 = 1;
/// `VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT`
const STATS_NOWAIT: u32 = 1 << 29;

/// `virDomainStatsTypes`: what to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups(u32);

impl Groups {
    /// `VIR_DOMAIN_STATS_STATE`: needs no monitor.
    pub const STATE: Self = Self(1);
    /// `VIR_DOMAIN_STATS_CPU_TOTAL`: needs the monitor, from some release between 7.0
    /// and 9.0 on.
    pub const CPU_TOTAL: Self = Self(1 << 1);
    /// `VIR_DOMAIN_STATS_BALLOON`: the guest's own numbers need the monitor.
    pub const BALLOON: Self = Self(1 << 2);
    /// `VIR_DOMAIN_STATS_VCPU`: KVM's counters and whether a vCPU is halted need the
    /// monitor; states and times do not, but wait for it in the same call.
    pub const VCPU: Self = Self(1 << 3);
    /// `VIR_DOMAIN_STATS_INTERFACE`: needs no monitor.
    pub const INTERFACE: Self = Self(1 << 4);
    /// `VIR_DOMAIN_STATS_BLOCK`: all but the names needs the monitor.
    pub const BLOCK: Self = Self(1 << 5);
    /// `VIR_DOMAIN_STATS_PERF`: needs no monitor. Only the events that the domain's
    /// definition switches on.
    pub const PERF: Self = Self(1 << 6);
    /// `VIR_DOMAIN_STATS_IOTHREAD`: needs the monitor.
    pub const IOTHREAD: Self = Self(1 << 7);
    /// `VIR_DOMAIN_STATS_MEMORY`: needs no monitor. Bandwidth, where the host's kernel
    /// counts it.
    pub const MEMORY: Self = Self(1 << 8);
    /// `VIR_DOMAIN_STATS_DIRTYRATE`: needs the monitor. Somebody has to have started
    /// the measurement.
    pub const DIRTYRATE: Self = Self(1 << 9);
    /// `VIR_DOMAIN_STATS_VM`: needs the monitor. KVM's counters, whose names libvirt
    /// does not promise to keep.
    pub const VM: Self = Self(1 << 10);
    /// Those that are asked for where the monitor must not be waited for: they take
    /// neither the domain's job nor its monitor, so a QEMU that does not answer
    /// cannot hold them up.
    ///
    /// `PERF` and `MEMORY` need neither as well; few domains have anything to say there.
    pub const JOB_FREE: Self = Self::STATE.and(Self::INTERFACE);

    /// Returns both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in it.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// All that take neither the domain's job nor its monitor.
const NEED_NO_MONITOR: Groups = Groups::JOB_FREE.and(Groups::PERF).and(Groups::MEMORY);

/// The reply: one record a domain, in the daemon's order.
#[derive(Clone, Debug, PartialEq)]
pub struct AllDomainStats<'a> {
    /// The domains that gave something.
    pub records: Vec<DomainStatsRecord<'a>>,
}

impl<'a> Decode<'a> for AllDomainStats<'a> {
    const MIN_LEN: usize = 4;

    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self { records: reader.list("domain stats records", DOMAIN_LIST_MAX)? })
    }
}

/// `remote_domain_stats_record`: what one domain gave.
#[derive(Clone, Debug, PartialEq)]
pub struct DomainStatsRecord<'a> {
    /// Whose numbers these are.
    pub domain: Domain,
    /// The numbers. Fields may be missing, indexes may have holes.
    pub params: Vec<TypedParam<'a>>,
}

impl<'a> Decode<'a> for DomainStatsRecord<'a> {
    const MIN_LEN: usize = 28;

    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            domain: Domain::decode(reader)?,
            params: reader.list("domain stats", DOMAIN_STATS_MAX)?,
        })
    }
}

/// `REMOTE_CONNECT_GET_ALL_DOMAIN_STATS_MAX`
const DOMAIN_STATS_MAX: usize = 262_144;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_group_that_needs_the_monitor_makes_the_call_need_it() {
        let needs_monitor =
            |groups| ConnectGetAllDomainStats { domains: &[], groups }.needs_monitor();
        let free = [Groups::STATE, Groups::INTERFACE, Groups::PERF, Groups::MEMORY];
        let all_free = free.into_iter().reduce(Groups::and).unwrap();
        for groups in free.into_iter().chain([Groups::JOB_FREE, all_free]) {
            assert!(!needs_monitor(groups), "{groups:?}");
        }
        for group in [
            Groups::CPU_TOTAL,
            Groups::BALLOON,
            Groups::VCPU,
            Groups::BLOCK,
            Groups::IOTHREAD,
            Groups::DIRTYRATE,
            Groups::VM,
        ] {
            assert!(needs_monitor(group), "{group:?}");
            assert!(needs_monitor(all_free.and(group)), "{group:?}");
        }
    }

    #[test]
    fn a_set_contains_what_is_wholly_in_it() {
        let both = Groups::STATE.and(Groups::BLOCK);
        assert!(both.contains(Groups::BLOCK));
        assert!(both.contains(both));
        assert!(!both.contains(Groups::JOB_FREE));
        assert!(!Groups::BLOCK.contains(both));
    }
}
