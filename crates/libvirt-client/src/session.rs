//! Two connections to one libvirtd: one for calls, one for events.

use std::{sync::Arc, time::Duration};

use libvirt_wire::call::{ConnectDomainEventRegisterAny, ConnectGetHostname, EventId};
use tokio::time;

use crate::{
    Address, Calls, Client, ConnectError, Events, Ledger, Observer, Tender, WINDOW, calls::calls,
    error::ConnectKind, handshake,
};

/// What it takes to watch a libvirtd.
///
/// Events have a connection of their own, because the daemon stops reading one
/// that has five calls under way.
#[derive(Debug)]
pub struct Session {
    /// For calls that may take their time.
    pub calls: Calls,
    /// Who replaces the connection of `calls`.
    pub tender: Tender,
    /// The connection that events come on. It lasts as long as libvirtd does.
    ///
    /// A quick call over it is a barrier: once it is answered, every event that
    /// libvirtd raised before it is in `events`.
    pub feed: Client,
    /// Lifecycle, device and metadata events of every domain, from the moment
    /// the session is open.
    pub events: Events,
    /// What libvirtd has not answered yet, on whichever connection.
    pub ledger: Ledger,
    /// The host's name as libvirtd knows it, `None` where the driver knows none.
    pub hostname: Option<String>,
}

impl Session {
    /// Opens both connections and asks for events, all within `deadline`.
    ///
    /// Events that the daemon is too old for are done without. `observer` is told of
    /// every call.
    ///
    /// # Errors
    ///
    /// When nobody listens, libvirtd does not let us in, or says nothing.
    pub async fn open(
        address: &Address,
        deadline: Duration,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, ConnectError> {
        let ledger = Ledger::new(observer);
        let opened = time::timeout(deadline, Self::steps(address, deadline, ledger)).await;
        opened.unwrap_or_else(|_| {
            Err(ConnectError::new(address.socket(), ConnectKind::TimedOut(deadline)))
        })
    }

    async fn steps(
        address: &Address,
        deadline: Duration,
        ledger: Ledger,
    ) -> Result<Self, ConnectError> {
        let (calls, tender) = calls(address, deadline, ledger.clone()).await?;
        let (feed, events) = handshake::connect(address, deadline, &ledger, WINDOW).await?;
        for event_id in EventId::ALL {
            let registered = feed.call(&ConnectDomainEventRegisterAny { event_id }, deadline).await;
            match registered {
                Err(error) if error.refusal().is_none() => {
                    let kind = ConnectKind::Handshake(error);
                    return Err(ConnectError::new(address.socket(), kind));
                }
                Ok(_) | Err(_) => {}
            }
        }
        let hostname = match calls.call(&ConnectGetHostname, deadline).await {
            Ok(reply) => reply.decode().ok(),
            Err(error) if error.refusal().is_some() => None,
            Err(error) => {
                let kind = ConnectKind::Handshake(error);
                return Err(ConnectError::new(address.socket(), kind));
            }
        };
        Ok(Self { calls, tender, feed, events, ledger, hostname })
    }
}
