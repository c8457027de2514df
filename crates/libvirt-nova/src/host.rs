//! What libvirt knows besides domains: the host, its storage pools, versions.
//!
//! Nothing here may cost a domain anything: each part is absent alone.
//!
//! * [`node`]: CPUs and memory
//! * [`pools`]: storage pools

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use libvirt_client::{Calls, Ledger};
use libvirt_wire::{
    Call,
    call::{ConnectGetLibVersion, ConnectGetVersion},
};
use tokio::time::Instant;

use self::pools::Pools;
pub(crate) use self::{node::Node, pools::Pool};
use crate::{collectors::Collector, families::Selection};

mod node;
mod pools;

/// Who asks for it.
#[derive(Debug)]
pub(crate) struct Host {
    calls: Calls,
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

impl Host {
    pub(crate) fn new(calls: Calls, ledger: Ledger) -> Self {
        let pools = Pools::new(calls.clone(), ledger);
        Self { calls, pools, versions: Mutex::default() }
    }

    /// Asks for what is selected; at `until` it ends with what it has.
    pub(crate) async fn facts(&self, selection: Selection, until: Instant) -> HostFacts {
        let has = |collector| selection.collectors.has(collector);
        let mut facts = HostFacts::default();
        if has(Collector::Node) {
            facts.node.ask(&self.calls, until).await;
        }
        if has(Collector::NodeDetail) {
            facts.node.ask_detail(&self.calls, until).await;
        }
        if has(Collector::Pool) {
            facts.pools = self.pools.round(until).await;
        }
        if selection.is_tinkoff {
            facts.versions = self.versions(until).await;
        }
        facts
    }

    /// They do not change as long as a session lasts, so they are asked for once.
    async fn versions(&self, until: Instant) -> Versions {
        let known = self.versions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if known.iter().all(Option::is_some) {
            return known;
        }
        let hypervisor =
            call(&self.calls, &ConnectGetVersion, until, |version| version.to_string());
        let libvirtd =
            call(&self.calls, &ConnectGetLibVersion, until, |version| version.to_string());
        let versions = [hypervisor.await, libvirtd.await];
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&versions);
        versions
    }
}

/// Makes a call, and returns what `read` makes of its reply. `None` where there is none.
async fn call<C: Call, T>(
    calls: &Calls,
    call: &C,
    until: Instant,
    read: impl FnOnce(C::Reply<'_>) -> T,
) -> Option<T> {
    let left = until.saturating_duration_since(Instant::now());
    let reply = calls.call(call, left.min(CALL_DEADLINE)).await.ok()?;
    reply.decode().ok().map(read)
}

/// How long a call may take; it takes some tenths of a millisecond.
const CALL_DEADLINE: Duration = Duration::from_millis(500);
