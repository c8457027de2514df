//! An instance in full, for who opens its row.

use serde::Serialize;
use tokio::time::Instant;

use super::{rates::Rates, row, row::rounded};
use crate::{inventory::Instance, snapshot::Measured};

/// An instance in full: ids, and each of its devices, by its XML and the last survey.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Details {
    uuid: String,
    domain: String,
    /// libvirt's number of this run.
    id: Option<u32>,
    name: Option<String>,
    project: Option<String>,
    project_id: Option<String>,
    user: Option<String>,
    user_id: Option<String>,
    flavor: Option<String>,
    flavor_id: Option<String>,
    image_id: Option<String>,
    machine: Option<String>,
    state: Option<&'static str>,
    /// Why it is in that state, by the last survey.
    reason: Option<String>,
    vcpus: Vec<VcpuLine>,
    disks: Vec<DiskLine>,
    interfaces: Vec<InterfaceLine>,
}

/// A vCPU.
#[derive(Clone, Debug, Serialize)]
struct VcpuLine {
    number: u32,
    /// `offline`, `running` or `blocked`.
    state: Option<&'static str>,
    /// Parts of the time between the last two surveys, 0 to 1.
    in_use: Option<f64>,
    steal: Option<f64>,
}

/// A disk.
#[derive(Clone, Debug, Serialize)]
struct DiskLine {
    /// The name inside the guest.
    target: String,
    /// `disk`, `cdrom`, …
    device: Option<String>,
    bus: Option<String>,
    /// The path of the image, or its name in rbd.
    source: Option<String>,
    /// The Cinder volume.
    volume_uuid: Option<String>,
    /// Bytes.
    capacity: Option<u64>,
    /// Bytes or requests a second between the last two surveys.
    read_bytes: Option<f64>,
    written_bytes: Option<f64>,
    read_requests: Option<f64>,
    write_requests: Option<f64>,
}

/// A network interface.
#[derive(Clone, Debug, Serialize)]
struct InterfaceLine {
    /// The name on the host; none where the guest has the device for itself.
    target: Option<String>,
    kind: String,
    mac: Option<String>,
    bridge: Option<String>,
    /// The Neutron port.
    port_uuid: Option<String>,
    /// Bytes a second between the last two surveys.
    received_bytes: Option<f64>,
    transmitted_bytes: Option<f64>,
    /// Packets a second.
    drops: Option<f64>,
}

impl Details {
    /// `measured` is what the last survey found of this run of the instance, at `surveyed`.
    pub(super) fn new(
        instance: &Instance,
        measured: Option<&Measured>,
        surveyed: Option<Instant>,
        rates: Option<&Rates>,
    ) -> Self {
        let nova = instance.metadata.nova().cloned().unwrap_or_default();
        let devices = instance.devices.as_deref().cloned().unwrap_or_default();
        let stats = measured.and_then(|measured| measured.stats.as_ref());
        let reason = stats.and_then(|stats| stats.reason);
        let empty = Rates::default();
        let rates = rates.unwrap_or(&empty);
        let vcpu = |vcpu: &crate::stats::Vcpu| {
            let rates = rates.vcpus.iter().find(|rates| rates.number == vcpu.number);
            VcpuLine {
                number: vcpu.number,
                state: match vcpu.state {
                    Some(0) => Some("offline"),
                    Some(1) => Some("running"),
                    Some(2) => Some("blocked"),
                    Some(_) | None => None,
                },
                in_use: rates.and_then(|rates| rates.in_use).map(rounded),
                steal: rates.and_then(|rates| rates.steal).map(rounded),
            }
        };
        let disk = |disk: crate::inventory::Disk| {
            let rates = rates.disks.iter().find(|rates| rates.name == disk.target);
            let block = stats.and_then(|it| it.blocks.iter().find(|it| it.name == disk.target));
            let rate = |read: fn(&super::rates::DiskRates) -> Option<f64>| {
                rates.and_then(read).map(rounded)
            };
            DiskLine {
                source: disk.source().map(str::to_owned),
                target: disk.target,
                device: disk.device,
                bus: disk.bus,
                volume_uuid: disk.volume_uuid,
                capacity: block.and_then(|block| block.capacity),
                read_bytes: rate(|it| it.read_bytes),
                written_bytes: rate(|it| it.written_bytes),
                read_requests: rate(|it| it.read_requests),
                write_requests: rate(|it| it.write_requests),
            }
        };
        let interface = |nic: crate::inventory::Interface| {
            let target = nic.target.as_deref();
            let rates = rates.interfaces.iter().find(|rates| Some(&*rates.name) == target);
            let rate = |read: fn(&super::rates::InterfaceRates) -> Option<f64>| {
                rates.and_then(read).map(rounded)
            };
            InterfaceLine {
                port_uuid: nic.port(&nova.ports).map(str::to_owned),
                received_bytes: rate(|it| it.received_bytes),
                transmitted_bytes: rate(|it| it.transmitted_bytes),
                drops: rate(|it| it.drops),
                target: nic.target,
                kind: nic.kind,
                mac: nic.mac,
                bridge: nic.bridge,
            }
        };
        Self {
            uuid: instance.uuid.clone(),
            domain: instance.domain.name.clone(),
            id: instance.domain.id,
            state: row::state(instance, measured, surveyed),
            reason: reason.map(|reason| reason.word().to_owned()),
            vcpus: stats.into_iter().flat_map(|stats| &stats.vcpus).map(vcpu).collect(),
            disks: devices.disks.into_iter().map(disk).collect(),
            interfaces: devices.interfaces.into_iter().map(interface).collect(),
            machine: devices.machine,
            name: nova.name,
            project: nova.project,
            project_id: nova.project_id,
            user: nova.user,
            user_id: nova.user_id,
            flavor: nova.flavor,
            flavor_id: nova.flavor_id,
            image_id: nova.image_id,
        }
    }
}
