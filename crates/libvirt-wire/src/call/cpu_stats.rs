//! CPU time by cgroup: `virDomainGetCPUStats`.

use std::time::Duration;

use super::Call;
use crate::{
    domain::{Domain, Uuid},
    error::DecodeError,
    procedure::Procedure,
    typed_param::TypedParam,
    xdr::{Decode, Reader, Writer},
};

/// Asks for the CPU time of a running domain, all host CPUs together.
///
/// Takes neither the domain's job nor its monitor, so a stuck QEMU cannot hold
/// it up. Refused with `VIR_ERR_OPERATION_INVALID` where the domain runs
/// without a CPU accounting cgroup, as where it does not run.
#[derive(Clone, Copy, Debug)]
pub struct DomainGetCpuStats<'d> {
    /// Whose time is asked for.
    pub domain: &'d Domain,
}

impl Call for DomainGetCpuStats<'_> {
    const PROCEDURE: Procedure = Procedure::DOMAIN_GET_CPU_STATS;
    type Reply<'a> = CpuStats;

    fn domains(&self) -> Vec<Uuid> {
        vec![self.domain.uuid]
    }

    fn encode(&self, arguments: &mut Writer) {
        self.domain.encode(arguments);
        arguments.u32(TOTAL_PARAMS);
        arguments.i32(TOTAL);
        arguments.u32(1);
        arguments.u32(0);
    }
}

/// `start_cpu` that asks for the sum over all CPUs.
const TOTAL: i32 = -1;
/// `cpu_time`, `user_time` and `system_time`.
const TOTAL_PARAMS: u32 = 3;

/// The CPU time of a domain since its QEMU started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuStats {
    /// `VIR_DOMAIN_CPU_STATS_CPUTIME`: of the domain's cgroup, so of its vCPUs,
    /// its emulator and its I/O threads.
    pub cpu_time: Option<Duration>,
    /// `VIR_DOMAIN_CPU_STATS_USERTIME`
    pub user_time: Option<Duration>,
    /// `VIR_DOMAIN_CPU_STATS_SYSTEMTIME`
    pub system_time: Option<Duration>,
}

impl Decode<'_> for CpuStats {
    const MIN_LEN: usize = 8;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let params = reader.list::<TypedParam<'_>>("cpu stats", CPU_STATS_MAX)?;
        // The number of parameters that exist, which only an empty request needs.
        reader.i32("cpu stats count")?;
        let mut stats = Self::default();
        for TypedParam { field, value } in &params {
            let time = value.unsigned().map(Duration::from_nanos);
            match field.as_ref() {
                "cpu_time" => stats.cpu_time = time,
                "user_time" => stats.user_time = time,
                "system_time" => stats.system_time = time,
                _ => {}
            }
        }
        Ok(stats)
    }
}

/// `REMOTE_DOMAIN_GET_CPU_STATS_MAX`
const CPU_STATS_MAX: usize = 2048;
