//! Replies that come after their deadline, and before the survey's end.
//!
//! A guest that is stuck sends none. But where libvirtd as a whole stood still for a
//! moment, or the host gave it no CPU, everybody's are here soon after, and are as
//! fresh as any.

use std::collections::HashSet;

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use libvirt_client::Late;
use libvirt_wire::{Domain, Uuid, call::ConnectGetAllDomainStats};

use super::ask::{Readings, readings};

/// Replies that come after their deadline, and before the survey's end.
#[derive(Debug, Default)]
pub(super) struct LateReadings {
    awaited: FuturesUnordered<BoxFuture<'static, Readings>>,
    domains: HashSet<Uuid>,
}

impl LateReadings {
    /// Takes a call for some domains that passed its deadline.
    pub(super) fn push(&mut self, domains: &[&Domain], late: Late) {
        self.domains.extend(domains.iter().map(|domain| domain.uuid));
        let domains: Vec<Domain> = domains.iter().copied().cloned().collect();
        let reading = async move {
            let asked: Vec<_> = domains.iter().collect();
            let reply = late.reply::<ConnectGetAllDomainStats<'_>>().await;
            reply.and_then(|reply| readings(&asked, &reply).ok()).unwrap_or_default()
        };
        self.awaited.push(reading.boxed());
    }

    /// The domains whose statistics may yet come.
    pub(super) fn domains(&self) -> &HashSet<Uuid> {
        &self.domains
    }

    /// Waits for the next one; empty where it gave nothing. `None` where none is awaited.
    pub(super) async fn next(&mut self) -> Option<Readings> {
        let readings = self.awaited.next().await;
        if self.awaited.is_empty() {
            self.domains.clear();
        }
        readings
    }
}
