//! Events, and who is told of them.

use libvirt_wire::{
    Domain, TypedParam,
    packet::{self, Header, Kind, REMOTE_PROGRAM, Status},
    xdr::Writer,
};
use tokio::sync::mpsc::UnboundedSender;

use crate::outgoing::Outgoing;

/// What happened to a domain.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// `virDomainEventType` and its detail.
    Lifecycle(i32, i32),
    /// A device was taken away; its alias.
    DeviceRemoved(String),
    /// A device was added; its alias.
    DeviceAdded(String),
    /// Nova's element changed; its namespace.
    MetadataChange(&'static str),
    /// The guest reset itself.
    Reboot,
    /// The guest's watchdog went off, and nothing was done about it.
    Watchdog,
    /// A disk had no room; its path and its alias.
    IoError(String, String),
    /// A migration goes through the memory once more.
    MigrationIteration(i32),
    /// A job has gone well.
    JobCompleted(Vec<TypedParam<'static>>),
}

impl Happening {
    /// A definition was added.
    pub(crate) const DEFINED: Self = Self::Lifecycle(0, 0);
    pub(crate) const UNDEFINED: Self = Self::Lifecycle(1, 0);
    /// It was booted.
    pub(crate) const STARTED: Self = Self::Lifecycle(2, 0);
    pub(crate) const SUSPENDED: Self = Self::Lifecycle(3, 0);
    /// Its vCPUs run, which is told at a start as well.
    pub(crate) const RESUMED: Self = Self::Lifecycle(4, 0);
    /// It was destroyed.
    pub(crate) const STOPPED: Self = Self::Lifecycle(5, 1);
    /// A disk had no room.
    pub(crate) const SUSPENDED_IO_ERROR: Self = Self::Lifecycle(3, 2);
    /// Its last memory is on its way to another host.
    pub(crate) const SUSPENDED_MIGRATED: Self = Self::Lifecycle(3, 1);
    /// It runs on another host.
    pub(crate) const MIGRATED: Self = Self::Lifecycle(5, 3);
    /// QEMU was told to end by the host.
    pub(crate) const SHUT_DOWN: Self = Self::Lifecycle(6, 2);

    /// The number to register for, and that of the message.
    fn numbers(&self) -> (i32, u32) {
        match self {
            Self::Lifecycle(..) => (0, 318),
            Self::DeviceRemoved(_) => (15, 333),
            Self::DeviceAdded(_) => (19, 354),
            Self::MetadataChange(_) => (23, 379),
            Self::Reboot => (1, 319),
            Self::Watchdog => (3, 321),
            Self::IoError(..) => (6, 324),
            Self::MigrationIteration(_) => (20, 359),
            Self::JobCompleted(_) => (21, 363),
        }
    }

    fn payload(&self, callback: i32, domain: &Domain) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.i32(callback);
        domain.encode(&mut writer);
        match self {
            Self::Lifecycle(event, detail) => {
                writer.i32(*event);
                writer.i32(*detail);
            }
            Self::DeviceRemoved(alias) | Self::DeviceAdded(alias) => writer.string(alias),
            Self::MetadataChange(namespace) => {
                writer.i32(METADATA_ELEMENT);
                writer.optional_string(Some(namespace));
            }
            Self::Reboot => {}
            Self::Watchdog => writer.i32(WATCHDOG_NONE),
            Self::IoError(path, alias) => {
                writer.string(path);
                writer.string(alias);
                writer.i32(IO_ERROR_PAUSE);
                writer.string("enospc");
            }
            Self::MigrationIteration(iteration) => writer.i32(*iteration),
            Self::JobCompleted(params) => {
                writer.length(params.len());
                params.iter().for_each(|param| param.encode(&mut writer));
            }
        }
        writer.into_bytes()
    }
}

/// `VIR_DOMAIN_METADATA_ELEMENT`
const METADATA_ELEMENT: i32 = 2;

/// `VIR_DOMAIN_EVENT_WATCHDOG_NONE`
const WATCHDOG_NONE: i32 = 0;
/// `VIR_DOMAIN_EVENT_IO_ERROR_PAUSE`
const IO_ERROR_PAUSE: i32 = 1;

/// Who is told of what.
#[derive(Debug, Default)]
pub(crate) struct Subscribers {
    list: Vec<Subscriber>,
    /// Callbacks are numbered by the driver, not by connection.
    next_callback: i32,
}

#[derive(Debug)]
struct Subscriber {
    callback: i32,
    /// Whose callback it is.
    connection: u64,
    event_id: i32,
    /// The one domain of interest, by its UUID; `None` for every domain.
    domain: Option<Domain>,
    outgoing: UnboundedSender<Outgoing>,
}

impl Subscribers {
    /// Returns the number of the callback.
    pub(crate) fn add(
        &mut self,
        connection: u64,
        event_id: i32,
        domain: Option<Domain>,
        outgoing: UnboundedSender<Outgoing>,
    ) -> i32 {
        let callback = self.next_callback;
        self.next_callback = callback.wrapping_add(1);
        self.list.push(Subscriber { callback, connection, event_id, domain, outgoing });
        callback
    }

    /// Returns whether the connection had such a callback.
    pub(crate) fn remove(&mut self, connection: u64, callback: i32) -> bool {
        let before = self.list.len();
        self.list.retain(|it| it.connection != connection || it.callback != callback);
        self.list.len() < before
    }

    /// Forgets a connection that has ended.
    pub(crate) fn forget(&mut self, connection: u64) {
        self.list.retain(|it| it.connection != connection);
    }

    /// Tells everybody who asked for it, before anything that is answered later.
    pub(crate) fn tell(&self, domain: &Domain, what: &Happening) {
        let (event_id, procedure) = what.numbers();
        for to in self.list.iter().filter(|it| it.event_id == event_id) {
            if to.domain.as_ref().is_none_or(|only| only.uuid == domain.uuid) {
                let payload = what.payload(to.callback, domain);
                let _ = to.outgoing.send(Outgoing::message(message(procedure, &payload)));
            }
        }
    }

    /// Sends each connection that has a callback a message of any number.
    pub(crate) fn tell_anything(&self, procedure: u32) {
        let mut told = Vec::new();
        for to in &self.list {
            if !told.contains(&to.connection) {
                told.push(to.connection);
                let _ = to.outgoing.send(Outgoing::message(message(procedure, &[])));
            }
        }
    }
}

/// An event's packet. libvirtd gives each the serial 1, whatever its documentation says.
fn message(procedure: u32, payload: &[u8]) -> Vec<u8> {
    let (program, kind, status) = (REMOTE_PROGRAM, Kind::Message, Status::Ok);
    let mut bytes = Vec::new();
    packet::append(Header { program, procedure, kind, serial: 1, status }, payload, &mut bytes);
    bytes
}
