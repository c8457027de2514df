//! Saying who we are, in the way that libvirtd asks for.
//!
//! * [`sasl`]: with a user and a password

use std::time::Duration;

use libvirt_wire::call::{AuthList, AuthPolkit, AuthType};

use crate::{Access, client::Client, error::ConnectKind};

mod sasl;

/// Is let in, or learns why not.
pub(crate) async fn authenticate(
    client: &Client,
    access: &Access,
    deadline: Duration,
) -> Result<(), ConnectKind> {
    // Never left out: where polkit is configured, root is let in by this very question.
    let list = client.call(&AuthList, deadline).await.map_err(ConnectKind::Handshake)?;
    let types = list.decode().map_err(ConnectKind::Handshake)?;
    if types.is_empty() || types.contains(&AuthType::None) {
        return Ok(());
    }
    if types.contains(&AuthType::Polkit) {
        return polkit(client, deadline).await;
    }
    if types.contains(&AuthType::Sasl) {
        return sasl::authenticate(client, access, deadline).await;
    }
    Err(ConnectKind::Authentication(types))
}

async fn polkit(client: &Client, deadline: Duration) -> Result<(), ConnectKind> {
    match client.call(&AuthPolkit, deadline).await {
        Ok(_) => Ok(()),
        // A daemon that hangs up has been stopped; polkit has said nothing.
        Err(error) if error.refusal().is_none() => Err(ConnectKind::Handshake(error)),
        Err(error) => Err(ConnectKind::Polkit(error)),
    }
}
