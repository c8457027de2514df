//! Asking for events: `virConnectDomainEventRegisterAny`.

use super::Call;
use crate::{procedure::Procedure, xdr::Writer};

/// Asks to be told of one kind of event, for every domain.
///
/// The reply is the callback's number. A daemon that does not know the kind
/// answers with an error; the others are unaffected.
#[derive(Clone, Copy, Debug)]
pub struct ConnectDomainEventRegisterAny {
    /// What to be told of.
    pub event_id: EventId,
}

impl Call for ConnectDomainEventRegisterAny {
    const PROCEDURE: Procedure = Procedure::CONNECT_DOMAIN_EVENT_REGISTER_ANY;
    type Reply<'a> = i32;

    fn encode(&self, arguments: &mut Writer) {
        arguments.i32(match self.event_id {
            EventId::Lifecycle => 0,
            EventId::DeviceRemoved => 15,
            EventId::DeviceAdded => 19,
            EventId::MetadataChange => 23,
        });
        // No domain: the event of every domain.
        arguments.u32(0);
    }
}

/// `virDomainEventID`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventId {
    /// `VIR_DOMAIN_EVENT_ID_LIFECYCLE`
    Lifecycle,
    /// `VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED`
    DeviceRemoved,
    /// `VIR_DOMAIN_EVENT_ID_DEVICE_ADDED`
    DeviceAdded,
    /// `VIR_DOMAIN_EVENT_ID_METADATA_CHANGE`
    MetadataChange,
}

impl EventId {
    /// Every kind that is asked for.
    pub const ALL: [Self; 4] =
        [Self::Lifecycle, Self::DeviceRemoved, Self::DeviceAdded, Self::MetadataChange];
}
