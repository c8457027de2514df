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
        labels: &[],
        origin: "virStoragePoolGetInfo state",
        since: "0.4.1",
        write: Write::Pool(|info| Some(info.state.into())),
    },
    Row {
        family: Family {
            name: "libvirt_storage_pool_capacity_bytes",
            kind: Kind::Gauge,
            help: "Size of the storage pool, as of its last refresh.",
        },
        labels: &[],
        origin: "virStoragePoolGetInfo capacity",
        since: "0.4.1",
        write: Write::Pool(|info| Some(sizes(info)?.capacity.into())),
    },
    Row {
        family: Family {
            name: "libvirt_storage_pool_allocation_bytes",
            kind: Kind::Gauge,
            help: "Bytes of the storage pool that are taken, as of its last refresh.",
        },
        labels: &[],
        origin: "virStoragePoolGetInfo allocation",
        since: "0.4.1",
        write: Write::Pool(|info| Some(sizes(info)?.allocation.into())),
    },
    Row {
        family: Family {
            name: "libvirt_storage_pool_available_bytes",
            kind: Kind::Gauge,
            help: "Bytes of the storage pool that are free, as of its last refresh.",
        },
        labels: &[],
        origin: "virStoragePoolGetInfo available",
        since: "0.4.1",
        write: Write::Pool(|info| Some(sizes(info)?.available.into())),
    },
    Row {
        family: Family {
            name: "libvirt_storage_pool_timed_out",
            kind: Kind::Gauge,
            help: "Whether libvirt did not tell of the storage pool in time.",
        },
        labels: &["storage_pool"],
        origin: "virStoragePoolGetInfo",
        since: "0.4.1",
        write: Write::Host(|snapshot, samples| {
            for pool in &snapshot.pools {
                samples.push(&[("storage_pool", &pool.name)], pool.is_silent);
            }
        }),
    },
];

/// Writes a sample for each pool; `label` is what the vocabulary calls it.
pub(super) fn push(
    label: &str,
    snapshot: &Snapshot,
    samples: &mut Samples<'_>,
    read: fn(&StoragePoolInfo) -> Option<Value>,
) {
    for pool in &snapshot.pools {
        if let Some(value) = pool.info.as_ref().and_then(read) {
            samples.push(&[(label, &pool.name)], value);
        }
    }
}

/// The sizes where somebody looks at them: one that is stopped keeps those of before.
pub(super) fn sizes(info: &StoragePoolInfo) -> Option<&StoragePoolInfo> {
    matches!(info.state, RUNNING | DEGRADED).then_some(info)
}

/// `VIR_STORAGE_POOL_RUNNING`
const RUNNING: u32 = 2;
/// `VIR_STORAGE_POOL_DEGRADED`
const DEGRADED: u32 = 3;
