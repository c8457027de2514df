//! A storage pool.

use libvirt_wire::Uuid;

/// A storage pool; its name is its key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    /// `virStoragePoolState`
    pub(crate) state: u32,
    /// Bytes in all.
    pub(crate) capacity: u64,
    /// Bytes that volumes have.
    pub(crate) allocation: u64,
}

/// `virStoragePoolState`, each at its number.
pub(crate) const POOL_STATES: [&str; 5] =
    ["inactive", "building", "running", "degraded", "inaccessible"];

/// The UUID of the pool with this name.
pub(crate) fn pool_uuid(name: &str) -> Uuid {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in name.bytes() {
        // FNV-1a.
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let number = u128::from(hash) << 64 | u128::from(hash.rotate_left(17));
    Uuid(number.to_be_bytes())
}
