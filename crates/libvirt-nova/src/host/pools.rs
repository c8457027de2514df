//! Storage pools.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use libvirt_wire::{
    Call, RemoteError, Uuid,
    call::{ConnectListAllStoragePools, StoragePool, StoragePoolGetInfo, StoragePoolInfo},
};
use tokio::time::Instant;

use super::{Line, left};
use crate::fault::{Faults, chain};

/// A storage pool.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) name: String,
    /// `None` where libvirt did not tell.
    pub(crate) info: Option<StoragePoolInfo>,
    /// Whether it did not tell in time, rather than refuse.
    pub(crate) is_silent: bool,
}

/// Who asks for storage pools.
///
/// One whose storage does not answer holds a worker of libvirtd for as long; it is left
/// alone until that call comes back, and so are all where two hang.
#[derive(Debug)]
pub(super) struct Pools {
    line: Line,
    hung: Mutex<HashSet<Uuid>>,
    faults: Arc<Faults>,
}

impl Pools {
    pub(super) fn new(line: Line, faults: Arc<Faults>) -> Self {
        Self { line, hung: Mutex::default(), faults }
    }

    /// Asks for every pool; at `until` it ends with what it has.
    pub(super) async fn round(&self, until: Instant) -> Vec<Pool> {
        if self.line.hanging(ConnectListAllStoragePools::PROCEDURE) > 0 {
            return Vec::new();
        }
        let called = self.line.calls.call(&ConnectListAllStoragePools, left(until)).await;
        let pools = match called.and_then(|reply| reply.decode()) {
            Ok(pools) => pools.0,
            Err(error) => {
                // A host without storage pools has perhaps no daemon for them.
                let is_absent = error.refusal().is_some_and(RemoteError::is_no_support);
                if !is_absent && !error.is_disconnected() && self.faults.pools.begin() {
                    tracing::info!(error = %chain(&error), "no storage pools");
                }
                return Vec::new();
            }
        };
        self.faults.pools.end();
        let mut found = HashMap::new();
        for pool in pools {
            let (info, is_silent) = match self.info(&pool, until).await {
                Ok(info) => (info, false),
                Err(Silent) => (None, true),
            };
            let name = pool.name.clone();
            found.entry(pool.name).or_insert(Pool { name, info, is_silent });
        }
        let mut found: Vec<_> = found.into_values().collect();
        found.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        found
    }

    async fn info(
        &self,
        pool: &StoragePool,
        until: Instant,
    ) -> Result<Option<StoragePoolInfo>, Silent> {
        let hanging = self.line.hanging(<StoragePoolGetInfo<'_> as Call>::PROCEDURE);
        if hanging == 0 {
            self.hung().clear();
        }
        if hanging >= HANGING_MAX || self.hung().contains(&pool.uuid) {
            return Err(Silent);
        }
        match self.line.calls.call(&StoragePoolGetInfo { pool }, left(until)).await {
            Ok(reply) => Ok(reply.decode().ok()),
            Err(error) if error.is_timeout() => {
                self.hung().insert(pool.uuid);
                Err(Silent)
            }
            Err(_) => Ok(None),
        }
    }

    fn hung(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        // Nothing panics while it holds the lock.
        self.hung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// libvirt does not tell of a pool, for its storage does not answer.
struct Silent;

/// Pools that may hang before none is asked.
const HANGING_MAX: usize = 2;
