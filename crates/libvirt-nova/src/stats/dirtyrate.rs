//! How fast a guest writes its memory: the group `dirtyrate`.
//!
//! Somebody has to start the measurement (`virsh domdirtyrate-calc`); the exporter does not.

use std::time::Duration;

use libvirt_wire::Value;

use super::MIB;

/// The last measurement of how fast a guest writes its memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DirtyRate {
    /// `virDomainDirtyRateStatus`: 0 never measured, 1 measuring, 2 measured.
    pub(crate) status: Option<u64>,
    /// When it began, by the host's monotonic clock: QEMU has no other for it.
    pub(crate) began: Option<Duration>,
    /// How long was measured.
    pub(crate) period: Option<Duration>,
    /// How it was measured: `page-sampling`, `dirty-bitmap`, `dirty-ring`.
    pub(crate) mode: Option<String>,
    /// Bytes written a second.
    pub(crate) rate: Option<u64>,
    /// Bytes written a second by each vCPU.
    pub(crate) vcpu_rates: Vec<(u32, u64)>,
}

impl DirtyRate {
    /// Takes a field; returns whether it is known.
    pub(super) fn take(&mut self, field: &str, value: &Value<'_>) -> bool {
        let number = value.unsigned();
        let bytes = number.and_then(|megabytes| megabytes.checked_mul(MIB));
        match field {
            "calc_status" => self.status = number,
            "calc_start_time" => {
                self.began = number.filter(|seconds| *seconds > 0).map(Duration::from_secs);
            }
            "calc_period" => self.period = number.map(Duration::from_secs),
            "calc_mode" => self.mode = value.text().map(str::to_owned),
            "megabytes_per_second" => self.rate = bytes,
            _ => {
                let vcpu = field.strip_prefix("vcpu.").and_then(super::indexed);
                let Some((vcpu, "megabytes_per_second")) = vcpu else { return false };
                let is_new = self.vcpu_rates.iter().all(|(other, _)| *other != vcpu);
                self.vcpu_rates.extend(bytes.filter(|_| is_new).map(|bytes| (vcpu, bytes)));
            }
        }
        true
    }
}
