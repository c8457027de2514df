//! An instance in a line.

use tokio::time::Instant;

use super::{
    Row,
    rates::{DiskRates, Rates},
};
use crate::{
    inventory::{Instance, Metadata},
    snapshot::Measured,
    stats::{Balloon, State},
};

impl Row {
    /// `measured` is what the last survey found of this run of the instance, at `surveyed`.
    pub(super) fn new(
        instance: &Instance,
        measured: Option<&Measured>,
        surveyed: Option<Instant>,
        rates: Option<&Rates>,
    ) -> Self {
        let nova = instance.metadata.nova();
        let devices = instance.devices.as_deref();
        let empty = Rates::default();
        let Rates { disks, interfaces, .. } = rates.unwrap_or(&empty);
        let of_disks = |read: fn(&DiskRates) -> Option<f64>| Rates::sum(disks, read).map(rounded);
        let balloon = measured.and_then(|measured| measured.balloon.as_ref());
        Self {
            uuid: instance.uuid.clone(),
            domain: instance.domain.name.clone(),
            is_nova: match instance.metadata {
                Metadata::Unknown => None,
                Metadata::Foreign => Some(false),
                Metadata::Nova(_) => Some(true),
            },
            name: nova.and_then(|nova| nova.name.clone()),
            project: nova.and_then(|nova| nova.project.clone()),
            project_id: nova.and_then(|nova| nova.project_id.clone()),
            flavor: nova.and_then(|nova| nova.flavor.clone()),
            state: state(instance, measured, surveyed).map(str::to_owned),
            vcpus: devices.and_then(|devices| devices.vcpus_maximum).map(u64::from),
            memory: devices.and_then(|devices| devices.memory_current),
            memory_used: balloon.and_then(Balloon::used),
            read_bytes: of_disks(|disk| disk.read_bytes),
            written_bytes: of_disks(|disk| disk.written_bytes),
            read_requests: of_disks(|disk| disk.read_requests),
            write_requests: of_disks(|disk| disk.write_requests),
            received_bytes: Rates::sum(interfaces, |nic| nic.received_bytes).map(rounded),
            transmitted_bytes: Rates::sum(interfaces, |nic| nic.transmitted_bytes).map(rounded),
            steal: rates.and_then(Rates::steal).map(rounded),
        }
    }
}

/// What it does, by whoever spoke last, the survey or an event.
pub(super) fn state(
    instance: &Instance,
    measured: Option<&Measured>,
    surveyed: Option<Instant>,
) -> Option<&'static str> {
    let by_event = instance.told.filter(|(_, at)| surveyed.is_none_or(|surveyed| *at > surveyed));
    let state = by_event.map(|(state, _)| state);
    state.or_else(|| measured?.state()).map(State::word)
}

/// A number with as many digits as anybody looks at.
pub(super) fn rounded(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use libvirt_wire::{Domain, Uuid};

    use super::*;

    #[test]
    fn the_state_is_of_who_spoke_last() {
        let domain = Domain { name: String::new(), uuid: Uuid([1; 16]), id: Some(1) };
        let now = Instant::now();
        let later = now.checked_add(Duration::from_secs(1)).unwrap();
        let told =
            |at| Instance { told: Some((State::Paused, at)), ..Instance::new(domain.clone()) };
        let silent = Instance::new(domain.clone());
        assert_eq!(state(&silent, None, None), None, "nobody has spoken");
        assert_eq!(state(&told(now), None, None), Some("paused"));
        assert_eq!(state(&told(later), None, Some(now)), Some("paused"));
        assert_eq!(state(&told(now), None, Some(later)), None, "the survey did not say");
    }
}
