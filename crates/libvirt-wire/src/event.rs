//! Events: what libvirtd says unasked.

use std::borrow::Cow;

use crate::{
    call::JOB_STATS_MAX,
    domain::Domain,
    error::DecodeError,
    typed_param::TypedParam,
    xdr::{Decode, Reader},
};

/// Something happened to a domain.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Whom it happened to.
    pub domain: Domain,
    /// What happened.
    pub kind: EventKind,
}

/// What happened to a domain.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// `VIR_DOMAIN_EVENT_ID_LIFECYCLE`
    Lifecycle {
        /// `virDomainEventType`: 2 started, 3 suspended, 4 resumed, 5 stopped, …
        event: i32,
        /// Why, by a list of its own for each event.
        detail: i32,
    },
    /// `VIR_DOMAIN_EVENT_ID_REBOOT`: the guest was reset, by itself or by the host. One
    /// reset may be told twice.
    Reboot,
    /// `VIR_DOMAIN_EVENT_ID_WATCHDOG`: the guest has not fed its watchdog in time.
    Watchdog {
        /// `virDomainEventWatchdogAction`: 0 none, 1 pause, 2 reset, 3 power off,
        /// 4 shut down, 5 debug, 6 inject an NMI.
        action: i32,
    },
    /// `VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON`: the host could not read or write a disk.
    IoError {
        /// The file or device on the host; empty where libvirt does not know it.
        path: String,
        /// libvirt's name for the disk, `virtio-disk0`.
        alias: String,
        /// `virDomainEventIOErrorAction`: 0 none, 1 pause, 2 report to the guest.
        action: i32,
        /// QEMU's word for why, `enospc`; empty for most errors.
        reason: String,
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
    /// `VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION`: a pass over the guest's memory begins,
    /// in a migration or a dump; each but the first for what was written meanwhile.
    MigrationIteration {
        /// Which pass, from 1 on.
        iteration: i32,
    },
    /// `VIR_DOMAIN_EVENT_ID_JOB_COMPLETED`: a migration, a save or a dump has ended.
    JobCompleted {
        /// What it came to, as [`JobStats`](crate::call::JobStats) has it.
        params: Vec<TypedParam<'static>>,
    },
    /// `VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED`: the guest keeps the device.
    DeviceRemovalFailed {
        /// libvirt's name for the device, `virtio-disk1`.
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
        let read_kind = match procedure {
            LIFECYCLE => lifecycle,
            REBOOT => reboot,
            WATCHDOG => watchdog,
            IO_ERROR_REASON => io_error,
            DEVICE_REMOVED => device_removed,
            DEVICE_ADDED => device_added,
            MIGRATION_ITERATION => migration_iteration,
            JOB_COMPLETED => job_completed,
            DEVICE_REMOVAL_FAILED => device_removal_failed,
            METADATA_CHANGE => metadata_change,
            _ => return Ok(None),
        };
        let mut reader = Reader::new(payload);
        reader.i32("event callback")?;
        let domain = Domain::decode(&mut reader)?;
        Ok(Some(Self { domain, kind: read_kind(&mut reader)? }))
    }
}

fn lifecycle(reader: &mut Reader<'_>) -> Result<EventKind, DecodeError> {
    let event = reader.i32("lifecycle event")?;
    Ok(EventKind::Lifecycle { event, detail: reader.i32("lifecycle detail")? })
}

fn reboot(_: &mut Reader<'_>) -> Result<EventKind, DecodeError> {
    Ok(EventKind::Reboot)
}

fn watchdog(reader: &mut Reader<'_>) -> Result<EventKind, DecodeError> {
    Ok(EventKind::Watchdog { action: reader.i32("watchdog action")? })
}

fn io_error(reader: &mut Reader<'_>) -> Result<EventKind, DecodeError> {
    Ok(EventKind::IoError {
        path: reader.string("source path")?.into_owned(),
        alias: device_alias(reader)?,
        action: reader.i32("io error action")?,
        reason: reader.string("io error reason")?.into_owned(),
    })
}

fn device_removed(reader: &mut Reader<'_>) -> Result<EventKind, DecodeError> {
    Ok(EventKind::DeviceRemoved { alias: device_alias(reader)? })
}

fn device_added(reader: &mut Reader<'_>) -> Result<EventKind, DecodeError> {
    Ok(EventKind::DeviceAdded { alias: device_alias(reader)? })
}

fn migration_iteration(reader: &mut Reader<'_>) -> Result<EventKind, DecodeError> {
    Ok(EventKind::MigrationIteration { iteration: reader.i32("migration iteration")? })
}

fn job_completed(reader: &mut Reader<'_>) -> Result<EventKind, DecodeError> {
    let params: Vec<TypedParam<'_>> = reader.list("job stats", JOB_STATS_MAX)?;
    let params = params.into_iter().map(TypedParam::into_owned).collect();
    Ok(EventKind::JobCompleted { params })
}

fn device_removal_failed(reader: &mut Reader<'_>) -> Result<EventKind, DecodeError> {
    Ok(EventKind::DeviceRemovalFailed { alias: device_alias(reader)? })
}

fn metadata_change(reader: &mut Reader<'_>) -> Result<EventKind, DecodeError> {
    reader.i32("metadata type")?;
    let namespace = reader.optional_string("metadata namespace")?;
    Ok(EventKind::MetadataChange { namespace: namespace.map(Cow::into_owned) })
}

fn device_alias(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    reader.string("device alias").map(Cow::into_owned)
}

/// `REMOTE_PROC_DOMAIN_EVENT_CALLBACK_LIFECYCLE`
const LIFECYCLE: u32 = 318;
/// `REMOTE_PROC_DOMAIN_EVENT_CALLBACK_REBOOT`
const REBOOT: u32 = 319;
/// `REMOTE_PROC_DOMAIN_EVENT_CALLBACK_WATCHDOG`
const WATCHDOG: u32 = 321;
/// `REMOTE_PROC_DOMAIN_EVENT_CALLBACK_IO_ERROR_REASON`
const IO_ERROR_REASON: u32 = 324;
/// `REMOTE_PROC_DOMAIN_EVENT_CALLBACK_DEVICE_REMOVED`
const DEVICE_REMOVED: u32 = 333;
/// `REMOTE_PROC_DOMAIN_EVENT_CALLBACK_DEVICE_ADDED`
const DEVICE_ADDED: u32 = 354;
/// `REMOTE_PROC_DOMAIN_EVENT_CALLBACK_MIGRATION_ITERATION`
const MIGRATION_ITERATION: u32 = 359;
/// `REMOTE_PROC_DOMAIN_EVENT_CALLBACK_JOB_COMPLETED`
const JOB_COMPLETED: u32 = 363;
/// `REMOTE_PROC_DOMAIN_EVENT_CALLBACK_DEVICE_REMOVAL_FAILED`
const DEVICE_REMOVAL_FAILED: u32 = 367;
/// `REMOTE_PROC_DOMAIN_EVENT_CALLBACK_METADATA_CHANGE`
const METADATA_CHANGE: u32 = 379;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Uuid, xdr::Writer};

    /// Not recorded: it takes a guest that does not give up memory when it is asked to.
    #[test]
    fn a_device_that_the_guest_keeps_has_a_name() {
        let domain = Domain { name: "a".into(), uuid: Uuid([7; 16]), id: Some(3) };
        let mut writer = Writer::default();
        writer.i32(5);
        domain.encode(&mut writer);
        writer.string("dimm0");
        let kind = EventKind::DeviceRemovalFailed { alias: "dimm0".into() };
        let payload = writer.into_bytes();
        assert_eq!(Event::decode(367, &payload), Ok(Some(Event { domain, kind })));
        assert!(Event::decode(367, &payload[..payload.len() - 1]).is_err());
    }

    #[test]
    fn an_event_that_nobody_knows_is_none() {
        for procedure in [0, 317, 320, 322, 323, 385] {
            assert_eq!(Event::decode(procedure, &[]), Ok(None), "{procedure}");
        }
    }
}
