//! Events: what libvirtd says unasked.

use std::borrow::Cow;

use crate::{
    domain::Domain,
    error::DecodeError,
    xdr::{Decode, Reader},
};

/// Something happened to a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whom it happened to.
    pub domain: Domain,
    /// What happened.
    pub kind: EventKind,
}

/// What happened to a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// `VIR_DOMAIN_EVENT_ID_LIFECYCLE`
    Lifecycle {
        /// `virDomainEventType`: 2 started, 3 suspended, 4 resumed, 5 stopped, …
        event: i32,
        /// Why, by a list of its own for each event.
        detail: i32,
    },
    /// `VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED`
    DeviceRemoved {
        /// libvirt's name for the device, `virtio-disk1`.
        alias: String,
    },
    /// `VIR_DOMAIN_EVENT_ID_DEVICE_ADDED`
    DeviceAdded {
        /// libvirt's name for the device, `net1`.
        alias: String,
    },
    /// `VIR_DOMAIN_EVENT_ID_METADATA_CHANGE`
    MetadataChange {
        /// The namespace of the element that changed, `None` for title and description.
        namespace: Option<String>,
    },
}

impl Event {
    /// Reads the payload of an event message.
    ///
    /// `None` for an event that is not one of [`EventKind`]'s.
    ///
    /// # Errors
    ///
    /// When the payload is not what `procedure` says.
    pub fn decode(procedure: u32, payload: &[u8]) -> Result<Option<Self>, DecodeError> {
        if !matches!(procedure, LIFECYCLE | DEVICE_REMOVED | DEVICE_ADDED | METADATA_CHANGE) {
            return Ok(None);
        }
        let mut reader = Reader::new(payload);
        reader.i32("event callback")?;
        let domain = Domain::decode(&mut reader)?;
        let kind = match procedure {
            LIFECYCLE => EventKind::Lifecycle {
                event: reader.i32("lifecycle event")?,
                detail: reader.i32("lifecycle detail")?,
            },
            DEVICE_REMOVED => {
                EventKind::DeviceRemoved { alias: reader.string("device alias")?.into_owned() }
            }
            DEVICE_ADDED => {
                EventKind::DeviceAdded { alias: reader.string("device alias")?.into_owned() }
            }
            _ => {
                reader.i32("metadata type")?;
                let namespace = reader.optional_string("metadata namespace")?;
                EventKind::MetadataChange { namespace: namespace.map(Cow::into_owned) }
            }
        };
        Ok(Some(Self { domain, kind }))
    }
}

/// `REMOTE_PROC_DOMAIN_EVENT_CALLBACK_LIFECYCLE`
const LIFECYCLE: u32 = 318;
/// `REMOTE_PROC_DOMAIN_EVENT_CALLBACK_DEVICE_REMOVED`
const DEVICE_REMOVED: u32 = 333;
/// `REMOTE_PROC_DOMAIN_EVENT_CALLBACK_DEVICE_ADDED`
const DEVICE_ADDED: u32 = 354;
/// `REMOTE_PROC_DOMAIN_EVENT_CALLBACK_METADATA_CHANGE`
const METADATA_CHANGE: u32 = 379;
