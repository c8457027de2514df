//! The conversation with libvirtd: where it listens, how to come in, calls with
//! deadlines, events.
//!
//! A [`Client`] is a cheap handle to a connection; behind it one task owns the
//! socket. [`Calls`] go on when the connection has to be replaced. Nothing
//! here changes anything on the other side: the read-only socket is the
//! default, connections are opened read-only, and `libvirt-wire` knows no
//! procedure that writes.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::{sync::Arc, time::Duration};
//!
//! use libvirt_client::{Address, Session};
//! use libvirt_wire::call::ConnectListAllDomains;
//!
//! let address: Address = "qemu:///system".parse()?;
//! let session = Session::open(&address.into(), Duration::from_secs(5), Arc::new(())).await?;
//! let reply = session.lookups.call(&ConnectListAllDomains, Duration::from_secs(2)).await?;
//! for domain in reply.decode()?.0 {
//!     println!("{} is {}", domain.name, domain.uuid);
//! }
//! # Ok(())
//! # }
//! ```

pub use crate::{
    access::Access,
    address::{Address, AddressError},
    backoff::Backoff,
    calls::{Calls, Tender},
    client::{Client, WINDOW},
    credentials::Credentials,
    ending::Ending,
    error::{CallError, ConnectError, Obstacle},
    events::Events,
    ledger::{Failure, Hanging, Ledger, Observer},
    question::Reply,
    session::Session,
    waiter::{Late, Unanswered},
};

mod access;
mod address;
mod authentication;
mod backoff;
mod calls;
mod client;
mod connection;
mod credentials;
mod ending;
mod error;
mod events;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod handshake;
mod keepalive;
mod ledger;
mod question;
mod session;
mod small_file;
mod stream;
mod transport;
mod waiter;
