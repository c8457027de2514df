//! From an address to an open connection.

use std::time::Duration;

use libvirt_wire::call::{ConnectOpen, ConnectSupportsFeature, Feature};
use tokio::time;

use crate::{
    Access, Ending, authentication,
    client::Client,
    connection::Connection,
    error::{ConnectError, ConnectKind},
    events::{self, Events},
    ledger::Ledger,
    transport,
};

/// Connects and opens the driver, all within `deadline`.
///
/// A daemon that is frozen still accepts connections (its backlog does), so the
/// deadline covers every step. Of more than `abandoned_max` calls that nobody waits
/// for any more the connection is worn out.
pub(crate) async fn connect(
    access: &Access,
    deadline: Duration,
    ledger: &Ledger,
    abandoned_max: usize,
) -> Result<(Client, Events), ConnectError> {
    let peer = access.address.peer();
    match time::timeout(deadline, steps(access, deadline, ledger, abandoned_max)).await {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(ConnectKind::Handshake(error))) if error.is_timeout() => {
            Err(ConnectError::new(peer, ConnectKind::TimedOut(deadline)))
        }
        Ok(Err(kind)) => Err(ConnectError::new(peer, kind)),
        Err(_) => Err(ConnectError::new(peer, ConnectKind::TimedOut(deadline))),
    }
}

async fn steps(
    access: &Access,
    deadline: Duration,
    ledger: &Ledger,
    abandoned_max: usize,
) -> Result<(Client, Events), ConnectKind> {
    let stream = transport::connect(&access.address, ledger.observer()).await?;
    let (client, handles) = Client::new(ledger.clone());
    let (sender, events) = events::channel();
    tokio::spawn(Connection::new(stream, handles, sender, abandoned_max).run());
    match open(&client, access, deadline).await {
        Ok(()) => Ok((client, events)),
        // That it is over is less than why.
        Err(ConnectKind::Handshake(error)) if error.is_disconnected() => {
            Err(match client.ending() {
                None | Some(Ending::HungUp) => ConnectKind::Handshake(error),
                Some(ending) => ConnectKind::Ended(ending.clone()),
            })
        }
        Err(kind) => Err(kind),
    }
}

/// Is let in, and opens the driver.
async fn open(client: &Client, access: &Access, deadline: Duration) -> Result<(), ConnectKind> {
    authentication::authenticate(client, access, deadline).await?;
    // Without this the daemon never pings, and never notices that we are gone.
    let feature = ConnectSupportsFeature { feature: Feature::ProgramKeepalive };
    match client.call(&feature, deadline).await {
        Err(error) if error.refusal().is_none() => return Err(ConnectKind::Handshake(error)),
        Ok(_) | Err(_) => {}
    }
    let open = ConnectOpen { name: access.address.name(), read_only: true };
    client.call(&open, deadline).await.map_err(ConnectKind::Handshake)?;
    Ok(())
}
