//! A libvirtd, and what opens its door.

use crate::{Address, Credentials};

/// Where libvirtd is, and how we say who we are where it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Where it listens, and how it is reached.
    pub address: Address,
    /// The user and password for a daemon that asks in SASL.
    pub credentials: Credentials,
}

/// With the credentials that libvirt's own files have, should any be asked for.
impl From<Address> for Access {
    fn from(address: Address) -> Self {
        Self { address, credentials: Credentials::default() }
    }
}
