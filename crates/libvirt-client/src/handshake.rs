//! From a socket's path to an open connection.

use std::{path::PathBuf, time::Duration};

use libvirt_wire::call::{
    AuthList, AuthPolkit, AuthType, ConnectOpen, ConnectSupportsFeature, Feature,
};
use tokio::{net::UnixStream, time};

use crate::{
    Address,
    client::Client,
    connection::Connection,
    error::{ConnectError, ConnectKind},
    events::{self, Events},
    ledger::Ledger,
};

/// Connects and opens the driver, all within `deadline`.
///
/// A daemon that is frozen still accepts connections (its backlog does), so the
/// deadline covers every step. Of more than `abandoned_max` calls that nobody waits
/// for any more the connection is worn out.
pub(crate) async fn connect(
    address: &Address,
    deadline: Duration,
    ledger: &Ledger,
    abandoned_max: usize,
) -> Result<(Client, Events), ConnectError> {
    let socket = address.socket();
    match time::timeout(deadline, steps(address, &socket, deadline, ledger, abandoned_max)).await {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(ConnectKind::Handshake(error))) if error.is_timeout() => {
            Err(ConnectError::new(socket, ConnectKind::TimedOut(deadline)))
        }
        Ok(Err(kind)) => Err(ConnectError::new(socket, kind)),
        Err(_) => Err(ConnectError::new(socket, ConnectKind::TimedOut(deadline))),
    }
}

async fn steps(
    address: &Address,
    socket: &PathBuf,
    deadline: Duration,
    ledger: &Ledger,
    abandoned_max: usize,
) -> Result<(Client, Events), ConnectKind> {
    let stream = UnixStream::connect(socket).await.map_err(ConnectKind::Socket)?;
    let (client, handles) = Client::new(ledger.clone());
    let (sender, events) = events::channel();
    tokio::spawn(Connection::new(stream, handles, sender, abandoned_max).run());

    authenticate(&client, deadline).await?;
    // Without this the daemon never pings, and never notices that we are gone.
    let feature = ConnectSupportsFeature { feature: Feature::ProgramKeepalive };
    match client.call(&feature, deadline).await {
        Err(error) if error.refusal().is_none() => return Err(ConnectKind::Handshake(error)),
        Ok(_) | Err(_) => {}
    }
    let open = ConnectOpen { name: address.name(), read_only: true };
    client.call(&open, deadline).await.map_err(ConnectKind::Handshake)?;
    Ok((client, events))
}

async fn authenticate(client: &Client, deadline: Duration) -> Result<(), ConnectKind> {
    // Never left out: where polkit is configured, root is let in by this very question.
    let list = client.call(&AuthList, deadline).await.map_err(ConnectKind::Handshake)?;
    let types = list.decode().map_err(ConnectKind::Handshake)?;
    if types.is_empty() || types.contains(&AuthType::None) {
        return Ok(());
    }
    if !types.contains(&AuthType::Polkit) {
        return Err(ConnectKind::Authentication(types));
    }
    match client.call(&AuthPolkit, deadline).await {
        Ok(_) => Ok(()),
        // A daemon that hangs up has been stopped; polkit has said nothing.
        Err(error) if error.refusal().is_none() => Err(ConnectKind::Handshake(error)),
        Err(error) => Err(ConnectKind::Polkit(error)),
    }
}
