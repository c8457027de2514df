//! Three connections to one libvirtd: for calls that a guest may hold up, for those that
//! none does, and for events.

use std::{sync::Arc, time::Duration};

use libvirt_wire::call::{ConnectDomainEventRegisterAny, ConnectGetHostname, EventId};
use tokio::time;

use crate::{
    Access, Calls, Client, ConnectError, Events, Ledger, Observer, Tender, WINDOW, calls::calls,
    error::ConnectKind, handshake,
};

/// What it takes to watch a libvirtd.
///
/// The daemon stops reading a connection that has five calls under way, so what may
/// hang is kept apart from what must not wait.
#[derive(Debug)]
pub struct Session {
    /// For calls that wait for QEMU's monitor, and hang with a guest that is stuck.
    pub monitor: Calls,
    /// For calls that wait for nobody.
    pub lookups: Calls,
    /// Who replaces the connections of `monitor` and `lookups`.
    pub tenders: [Tender; 2],
    /// The connection that events come on. It lasts as long as libvirtd does.
    ///
    /// A quick call over it is a barrier: once it is answered, every event that
    /// libvirtd raised before it is in `events`.
    pub feed: Client,
    /// Events of every domain, of each kind that the daemon knows, from the moment
    /// the session is open.
    pub events: Events,
    /// What libvirtd has not answered yet, on whichever connection.
    pub ledger: Ledger,
    /// The host's name as libvirtd knows it, `None` where the driver knows none.
    pub hostname: Option<String>,
}

impl Session {
    /// Opens the connections and asks for events, all within `deadline`.
    ///
    /// Events that the daemon is too old for are done without. `observer` is told of
    /// every call.
    ///
    /// # Errors
    ///
    /// When nobody listens, libvirtd does not let us in, or says nothing.
    pub async fn open(
        access: &Access,
        deadline: Duration,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, ConnectError> {
        let ledger = Ledger::new(observer);
        let opened = time::timeout(deadline, Self::steps(access, deadline, ledger)).await;
        opened.unwrap_or_else(|_| {
            Err(ConnectError::new(access.address.peer(), ConnectKind::TimedOut(deadline)))
        })
    }

    async fn steps(
        access: &Access,
        deadline: Duration,
        ledger: Ledger,
    ) -> Result<Self, ConnectError> {
        let (lookups, lookups_tender) = calls(access, deadline, ledger.clone()).await?;
        // The first one shows whether we are let in at all, so that who does not let us is asked
        // once; the others need not wait for each other.
        let ((monitor, monitor_tender), (feed, events)) = tokio::try_join!(
            calls(access, deadline, ledger.clone()),
            handshake::connect(access, deadline, &ledger, WINDOW),
        )?;
        for event_id in EventId::ALL {
            let registered = feed.call(&ConnectDomainEventRegisterAny { event_id }, deadline).await;
            match registered {
                Err(error) if error.refusal().is_none() => {
                    let kind = ConnectKind::Handshake(error);
                    return Err(ConnectError::new(access.address.peer(), kind));
                }
                Ok(_) | Err(_) => {}
            }
        }
        let asked = lookups.call(&ConnectGetHostname, deadline).await;
        let hostname = match asked.and_then(|reply| reply.decode()) {
            Ok(hostname) => Some(hostname),
            Err(error) if error.refusal().is_some() => None,
            Err(error) => {
                let kind = ConnectKind::Handshake(error);
                return Err(ConnectError::new(access.address.peer(), kind));
            }
        };
        let tenders = [monitor_tender, lookups_tender];
        Ok(Self { monitor, lookups, tenders, feed, events, ledger, hostname })
    }
}
