//! The daemon's workers.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many calls the daemon serves at a time, whoever makes them.
#[derive(Debug)]
pub(crate) struct Workers {
    ordinary: Arc<Semaphore>,
    /// These serve only what never waits for a domain's monitor, so that the
    /// daemon can be talked to while all others hang.
    priority: Arc<Semaphore>,
}

impl Workers {
    pub(crate) fn new(ordinary: usize, priority: usize) -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { ordinary: semaphore(ordinary), priority: semaphore(priority) }
    }

    /// Waits for a worker that may serve the procedure; it is free again when
    /// what is returned is dropped.
    pub(crate) async fn take(&self, procedure: u32) -> Option<OwnedSemaphorePermit> {
        let ordinary = Arc::clone(&self.ordinary).acquire_owned();
        if !PRIORITY.contains(&procedure) {
            return ordinary.await.ok();
        }
        tokio::select! {
            biased;
            worker = ordinary => worker.ok(),
            worker = Arc::clone(&self.priority).acquire_owned() => worker.ok(),
        }
    }
}

/// The procedures that libvirt declares `@priority: high`, among those that
/// are answered here.
const PRIORITY: [u32; 20] =
    [1, 2, 3, 4, 6, 22, 23, 24, 59, 60, 66, 70, 110, 157, 212, 273, 316, 317, 360, 361];
