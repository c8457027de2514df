//! What libvirt knows besides domains: the host, its storage pools, versions.
//!
//! Nothing here may cost a domain anything: each part is absent alone.
//!
//! * [`node`]: CPUs and memory
//! * [`pools`]: storage pools

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use libvirt_client::{Calls, Ledger};
use libvirt_wire::{
    Call, Procedure,
    call::{ConnectGetLibVersion, ConnectGetVersion},
};
use tokio::time::Instant;

use self::pools::Pools;
pub(crate) use self::{node::Node, pools::Pool};
use crate::{collectors::Collector, families::Selection, fault::Faults};

mod node;
mod pools;

/// Who asks for it.
#[derive(Debug)]
pub(crate) struct Host {
    line: Line,
    pools: Pools,
    versions: Mutex<Versions>,
}

/// The versions of the hypervisor and of libvirtd.
pub(crate) type Versions = [Option<String>; 2];

/// What was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostFacts {
    pub(crate) node: Node,
    pub(crate) pools: Vec<Pool>,
    pub(crate) versions: Versions,
}

/// A connection for calls that concern no domain.
///
/// A procedure of which a call hangs is called no more until that comes back: each holds one of
/// libvirtd's workers.
#[derive(Clone, Debug)]
struct Line {
    calls: Calls,
    ledger: Ledger,
}

impl Host {
    pub(crate) fn new(calls: Calls, ledger: Ledger, faults: Arc<Faults>) -> Self {
        let line = Line { calls, ledger };
        Self { pools: Pools::new(line.clone(), faults), line, versions: Mutex::default() }
    }

    /// Asks for what is selected; at `until` it ends with what it has.
    pub(crate) async fn facts(&self, selection: Selection, until: Instant) -> HostFacts {
        let has = |collector| selection.collectors.has(collector);
        let mut facts = HostFacts::default();
        if has(Collector::Node) || has(Collector::NodeDetail) {
            facts.node.ask(&self.line, until).await;
        }
        if has(Collector::NodeDetail) {
            facts.node.ask_detail(&self.line, until).await;
        }
        if has(Collector::Pool) {
            facts.pools = self.pools.round(until).await;
        }
        facts.versions = self.versions(until).await;
        facts
    }

    /// The versions, where somebody has asked for them.
    pub(crate) fn known_versions(&self) -> Versions {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// They do not change as long as a session lasts: one that was told is not asked for again.
    pub(crate) async fn versions(&self, until: Instant) -> Versions {
        let [mut hypervisor, mut libvirtd] = self.known_versions();
        if hypervisor.is_none() {
            hypervisor = self.line.ask(&ConnectGetVersion, until, |it| it.to_string()).await;
        }
        if libvirtd.is_none() {
            libvirtd = self.line.ask(&ConnectGetLibVersion, until, |it| it.to_string()).await;
        }
        let versions = [hypervisor, libvirtd];
        // Nothing panics while it holds the lock.
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&versions);
        versions
    }
}

impl Line {
    /// Makes a call, and returns what `read` makes of its reply. `None` where there is none.
    async fn ask<C: Call, T>(
        &self,
        call: &C,
        until: Instant,
        read: impl FnOnce(C::Reply<'_>) -> T,
    ) -> Option<T> {
        if self.hanging(C::PROCEDURE) > 0 {
            return None;
        }
        let reply = self.calls.call(call, left(until)).await.ok()?;
        reply.decode().ok().map(read)
    }

    /// How many calls of a procedure hang.
    fn hanging(&self, procedure: Procedure) -> usize {
        self.ledger.abandoned_of(procedure)
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now()).min(CALL_DEADLINE)
}

/// How long a call may take; it takes some tenths of a millisecond.
const CALL_DEADLINE: Duration = Duration::from_millis(500);
