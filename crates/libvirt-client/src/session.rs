//! Two connections to one libvirtd: one for calls, one for events.

use std::time::Duration;

use libvirt_wire::call::{ConnectDomainEventRegisterAny, EventId};
use tokio::{join, select, time};

use crate::{Address, Client, ConnectError, Events, error::ConnectKind, handshake};

/// What it takes to watch a libvirtd.
///
/// Events have a connection of their own, because the daemon stops reading one
/// that has five calls under way.
#[derive(Debug)]
pub struct Session {
    /// For calls that may take their time.
    pub client: Client,
    /// The connection that events come on.
    ///
    /// A quick call over it is a barrier: once it is answered, every event that
    /// libvirtd raised before it is in `events`.
    pub feed: Client,
    /// Lifecycle, device and metadata events of every domain, from the moment
    /// the session is open.
    pub events: Events,
}

impl Session {
    /// Opens both connections and asks for events, all within `deadline`.
    ///
    /// Events that the daemon is too old for are done without.
    ///
    /// # Errors
    ///
    /// When nobody listens, libvirtd does not let us in, or says nothing.
    pub async fn open(address: &Address, deadline: Duration) -> Result<Self, ConnectError> {
        let opened = time::timeout(deadline, Self::steps(address, deadline)).await;
        opened.unwrap_or_else(|_| {
            Err(ConnectError::new(address.socket(), ConnectKind::TimedOut(deadline)))
        })
    }

    async fn steps(address: &Address, deadline: Duration) -> Result<Self, ConnectError> {
        let (client, _) = handshake::connect(address, deadline).await?;
        let (feed, events) = handshake::connect(address, deadline).await?;
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
        Ok(Self { client, feed, events })
    }

    /// Waits until one of the two connections is over.
    pub async fn closed(&self) {
        select! {
            () = self.client.closed() => {}
            () = self.feed.closed() => {}
        }
    }

    /// Says goodbye on both connections.
    pub async fn close(&self) {
        join!(self.client.close(), self.feed.close());
    }
}
