//! Storage pools: `virConnectListAllStoragePools` and `virStoragePoolGetInfo`.

use super::Call;
use crate::{
    domain::Uuid,
    error::DecodeError,
    procedure::Procedure,
    xdr::{Decode, Reader, Writer},
};

/// Asks for the storage pools, active or not.
///
/// Concerns no domain. Where the storage driver is a daemon of its own and absent,
/// this is refused while all else works.
#[derive(Clone, Copy, Debug)]
pub struct ConnectListAllStoragePools;

impl Call for ConnectListAllStoragePools {
    const PROCEDURE: Procedure = Procedure::CONNECT_LIST_ALL_STORAGE_POOLS;
    type Reply<'a> = StoragePools;

    fn encode(&self, arguments: &mut Writer) {
        arguments.i32(NEED_RESULTS);
        // Flags: every pool.
        arguments.u32(0);
    }
}

/// `need_results`: the pools, not only how many.
const NEED_RESULTS: i32 = 1;

/// The storage pools, in the daemon's order, which is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoragePools(pub Vec<StoragePool>);

impl Decode<'_> for StoragePools {
    const MIN_LEN: usize = 8;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let pools = reader.list("storage pools", STORAGE_POOL_LIST_MAX)?;
        reader.u32("storage pool count")?;
        Ok(Self(pools))
    }
}

/// `REMOTE_STORAGE_POOL_LIST_MAX`
const STORAGE_POOL_LIST_MAX: usize = 16_384;

/// A `remote_nonnull_storage_pool`.
///
/// libvirtd finds a pool by its UUID alone; the name is for the reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoragePool {
    /// What the operator called it.
    pub name: String,
    /// The identity.
    pub uuid: Uuid,
}

impl StoragePool {
    /// Writes the pool, in the order of the protocol's fields.
    pub fn encode(&self, writer: &mut Writer) {
        writer.string(&self.name);
        writer.array(&self.uuid.0);
    }
}

impl Decode<'_> for StoragePool {
    const MIN_LEN: usize = 20;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            name: reader.string("storage pool name")?.into_owned(),
            uuid: Uuid(reader.array("storage pool uuid")?),
        })
    }
}

/// Asks how full a storage pool is, as of its last refresh.
///
/// libvirt measures it when the pool is started or refreshed and when it makes or
/// deletes a volume; what others write into it meanwhile is not seen. A pool that was
/// stopped keeps the numbers that it had.
#[derive(Clone, Copy, Debug)]
pub struct StoragePoolGetInfo<'p> {
    /// Which pool is asked about.
    pub pool: &'p StoragePool,
}

impl Call for StoragePoolGetInfo<'_> {
    const PROCEDURE: Procedure = Procedure::STORAGE_POOL_GET_INFO;
    type Reply<'a> = StoragePoolInfo;

    fn encode(&self, arguments: &mut Writer) {
        self.pool.encode(arguments);
    }
}

/// `virStoragePoolInfo`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoragePoolInfo {
    /// `virStoragePoolState`: 0 inactive, 1 building, 2 running, 3 degraded,
    /// 4 inaccessible.
    pub state: u32,
    /// What it can hold, in bytes.
    pub capacity: u64,
    /// What it holds, in bytes.
    pub allocation: u64,
    /// What it can still take, in bytes.
    pub available: u64,
}

impl Decode<'_> for StoragePoolInfo {
    const MIN_LEN: usize = 28;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            // An `unsigned char`, which takes a whole unit.
            state: reader.u32("storage pool state")?,
            capacity: reader.u64("storage pool capacity")?,
            allocation: reader.u64("storage pool allocation")?,
            available: reader.u64("storage pool available")?,
        })
    }
}
