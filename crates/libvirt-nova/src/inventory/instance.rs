//! A running domain, with what is known of it.

use std::sync::Arc;

use libvirt_wire::Domain;

use super::{Devices, Nova};

/// A running domain, with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instance {
    /// libvirt's name, UUID and number of this run.
    pub(crate) domain: Domain,
    /// The UUID as text.
    pub(crate) uuid: String,
    /// Whether Nova made it, once that is known.
    pub(crate) metadata: Metadata,
    /// What it is made of, once that is known.
    pub(crate) devices: Option<Arc<Devices>>,
}

/// Whether Nova made a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Metadata {
    /// libvirtd has not said yet.
    Unknown,
    /// Somebody else made it.
    Foreign,
    /// Nova did.
    Nova(Arc<Nova>),
}

impl Metadata {
    /// What Nova says of the instance.
    pub(crate) fn nova(&self) -> Option<&Nova> {
        match self {
            Self::Nova(nova) => Some(nova),
            Self::Foreign | Self::Unknown => None,
        }
    }
}
