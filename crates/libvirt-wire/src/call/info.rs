//! A domain in five numbers: `virDomainGetInfo`.

use std::time::Duration;

use super::Call;
use crate::{
    domain::{Domain, Uuid},
    error::DecodeError,
    procedure::Procedure,
    xdr::{Decode, Reader, Writer},
};

/// Asks for a domain's state and the CPU time of its QEMU process.
///
/// Takes neither the domain's job nor its monitor.
#[derive(Clone, Copy, Debug)]
pub struct DomainGetInfo<'d> {
    /// Who is asked about.
    pub domain: &'d Domain,
}

impl Call for DomainGetInfo<'_> {
    const PROCEDURE: Procedure = Procedure::DOMAIN_GET_INFO;
    type Reply<'a> = DomainInfo;

    fn domains(&self) -> Vec<Uuid> {
        vec![self.domain.uuid]
    }

    fn encode(&self, arguments: &mut Writer) {
        self.domain.encode(arguments);
    }
}

/// `virDomainInfo`, as far as it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DomainInfo {
    /// `virDomainState`
    pub state: u32,
    /// Time that the QEMU process has spent on host CPUs, in ticks of 10 ms.
    /// 0 where the domain does not run.
    pub cpu_time: Duration,
}

impl DomainInfo {
    /// Whether a QEMU runs the domain: every state but "no state", "shut off"
    /// and "crashed".
    pub fn is_active(&self) -> bool {
        !matches!(self.state, NOSTATE | SHUTOFF | CRASHED)
    }
}

/// `VIR_DOMAIN_NOSTATE`
const NOSTATE: u32 = 0;
/// `VIR_DOMAIN_SHUTOFF`
const SHUTOFF: u32 = 5;
/// `VIR_DOMAIN_CRASHED`
const CRASHED: u32 = 6;

impl Decode<'_> for DomainInfo {
    const MIN_LEN: usize = 32;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let state = reader.u32("domain state")?;
        reader.u64("maximum memory")?;
        reader.u64("memory")?;
        // An `unsigned short`, which takes a whole unit.
        reader.u32("vcpus")?;
        let cpu_time = Duration::from_nanos(reader.u64("cpu time")?);
        Ok(Self { state, cpu_time })
    }
}
