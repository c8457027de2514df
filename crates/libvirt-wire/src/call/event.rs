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
            EventId::Reboot => 1,
            EventId::Watchdog => 3,
            EventId::IoErrorReason => 6,
            EventId::DeviceRemoved => 15,
            EventId::DeviceAdded => 19,
            EventId::MigrationIteration => 20,
            EventId::JobCompleted => 21,
            EventId::DeviceRemovalFailed => 22,
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
    /// `VIR_DOMAIN_EVENT_ID_REBOOT`
    Reboot,
    /// `VIR_DOMAIN_EVENT_ID_WATCHDOG`
    Watchdog,
    /// `VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON`
    IoErrorReason,
    /// `VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED`
    DeviceRemoved,
    /// `VIR_DOMAIN_EVENT_ID_DEVICE_ADDED`
    DeviceAdded,
    /// `VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION`
    MigrationIteration,
    /// `VIR_DOMAIN_EVENT_ID_JOB_COMPLETED`
    JobCompleted,
    /// `VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED`
    DeviceRemovalFailed,
    /// `VIR_DOMAIN_EVENT_ID_METADATA_CHANGE`
    MetadataChange,
}

impl EventId {
    /// Every kind that is asked for, in the order of libvirt's numbers.
    pub const ALL: [Self; 10] = [
        Self::Lifecycle,
        Self::Reboot,
        Self::Watchdog,
        Self::IoErrorReason,
        Self::DeviceRemoved,
        Self::DeviceAdded,
        Self::MigrationIteration,
        Self::JobCompleted,
        Self::DeviceRemovalFailed,
        Self::MetadataChange,
    ];
}
