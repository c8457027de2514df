//! Storage pools.

use exposition::{Family, Kind, Samples, Value};
use libvirt_wire::call::StoragePoolInfo;

use super::{Row, Write};
use crate::snapshot::Snapshot;

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_storage_pool_state",
            kind: Kind::Gauge,
            help: "State of the storage pool: 0 inactive, 1 building, 2 running, 3 degraded, 4 inaccessible.",
        },
        labels: &["storage_pool"],
        origin: "virStoragePoolGetInfo state",
        since: "",
        write: Write::Host(|snapshot, samples| {
            push(snapshot, samples, |info| info.state.into());
        }),
    },
    Row {
        family: Family {
            name: "libvirt_storage_pool_capacity_bytes",
            kind: Kind::Gauge,
            help: "Size of the storage pool.",
        },
        labels: &["storage_pool"],
        origin: "virStoragePoolGetInfo capacity",
        since: "",
        write: Write::Host(|snapshot, samples| {
            push(snapshot, samples, |info| info.capacity.into());
        }),
    },
    Row {
        family: Family {
            name: "libvirt_storage_pool_allocation_bytes",
            kind: Kind::Gauge,
            help: "Bytes of the storage pool that are taken.",
        },
        labels: &["storage_pool"],
        origin: "virStoragePoolGetInfo allocation",
        since: "",
        write: Write::Host(|snapshot, samples| {
            push(snapshot, samples, |info| info.allocation.into());
        }),
    },
    Row {
        family: Family {
            name: "libvirt_storage_pool_available_bytes",
            kind: Kind::Gauge,
            help: "Bytes of the storage pool that are free.",
        },
        labels: &["storage_pool"],
        origin: "virStoragePoolGetInfo available",
        since: "",
        write: Write::Host(|snapshot, samples| {
            push(snapshot, samples, |info| info.available.into());
        }),
    },
    Row {
        family: Family {
            name: "libvirt_storage_pool_timed_out",
            kind: Kind::Gauge,
            help: "Whether libvirt did not tell of the storage pool in time.",
        },
        labels: &["storage_pool"],
        origin: "virStoragePoolGetInfo",
        since: "",
        write: Write::Host(|snapshot, samples| {
            for pool in &snapshot.pools {
                samples.push(&[("storage_pool", &pool.name)], pool.info.is_none());
            }
        }),
    },
];

pub(super) fn push(
    snapshot: &Snapshot,
    samples: &mut Samples<'_>,
    read: fn(&StoragePoolInfo) -> Value,
) {
    for pool in &snapshot.pools {
        if let Some(info) = &pool.info {
            samples.push(&[("storage_pool", &pool.name)], read(info));
        }
    }
}
