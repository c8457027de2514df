//! The vCPUs of a domain: `virDomainGetVcpus`.

use std::time::Duration;

use super::Call;
use crate::{
    domain::{Domain, Uuid},
    error::DecodeError,
    procedure::Procedure,
    xdr::{Decode, Reader, Writer},
};

/// Asks what each vCPU of a running domain does, without the host CPUs that it may run on.
///
/// Takes neither the domain's job nor its monitor. Refused with
/// `VIR_ERR_OPERATION_INVALID` where the domain does not run.
#[derive(Clone, Copy, Debug)]
pub struct DomainGetVcpus<'d> {
    /// Whose vCPUs are asked for.
    pub domain: &'d Domain,
    /// How many at most: those that are online, from the lowest number on. 0 is refused.
    pub maximum: u32,
}

impl Call for DomainGetVcpus<'_> {
    const PROCEDURE: Procedure = Procedure::DOMAIN_GET_VCPUS;
    type Reply<'a> = Vcpus;

    fn domains(&self) -> Vec<Uuid> {
        vec![self.domain.uuid]
    }

    fn encode(&self, arguments: &mut Writer) {
        self.domain.encode(arguments);
        arguments.u32(self.maximum);
        // The bytes of a CPU map: none.
        arguments.u32(0);
    }
}

/// The vCPUs that are online, by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vcpus(pub Vec<Vcpu>);

impl Decode<'_> for Vcpus {
    const MIN_LEN: usize = 8;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let vcpus = reader.list("vcpus", VCPUINFO_MAX)?;
        // A CPU map for each vCPU, which a call that asks for none leaves empty.
        reader.opaque("cpu maps", CPUMAPS_MAX)?;
        Ok(Self(vcpus))
    }
}

/// `REMOTE_VCPUINFO_MAX`
const VCPUINFO_MAX: usize = 16_384;
/// `REMOTE_CPUMAPS_MAX`, in bytes.
const CPUMAPS_MAX: usize = 8_388_608;

/// `virVcpuInfo`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vcpu {
    /// Its number, which holes may follow.
    pub number: u32,
    /// `virVcpuState`: 0 offline, 1 running, 2 blocked.
    pub state: i32,
    /// Time that it has spent on host CPUs.
    pub cpu_time: Duration,
    /// The host CPU that it ran on last, `None` where libvirt does not know.
    pub cpu: Option<u32>,
}

impl Decode<'_> for Vcpu {
    const MIN_LEN: usize = 20;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            number: reader.u32("vcpu number")?,
            state: reader.i32("vcpu state")?,
            cpu_time: Duration::from_nanos(reader.u64("vcpu time")?),
            // -1 offline, -2 unavailable.
            cpu: u32::try_from(reader.i32("vcpu's cpu")?).ok(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpu_below_zero_is_none() {
        let mut payload = vec![0; 20];
        payload[3] = 7;
        for cpu in [-1_i32, -2, i32::MIN] {
            payload[16..].copy_from_slice(&cpu.to_be_bytes());
            let vcpu = Vcpu::decode(&mut Reader::new(&payload)).unwrap();
            assert_eq!((vcpu.number, vcpu.cpu), (7, None));
        }
    }

    /// Nobody asks for them, but they would stand there.
    #[test]
    fn cpu_maps_are_passed_over() {
        let payload = [0, 0, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0];
        assert_eq!(DomainGetVcpus::decode(&payload), Ok(Vcpus(Vec::new())));
        for len in 0..payload.len() {
            assert!(DomainGetVcpus::decode(&payload[..len]).is_err(), "{len}");
        }
    }
}
