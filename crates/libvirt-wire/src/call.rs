//! The calls: one file a subject, one type a procedure.

use std::borrow::Cow;

pub(crate) use self::job::JOB_STATS_MAX;
pub use self::{
    auth::{AuthList, AuthPolkit, AuthType},
    connect::{ConnectClose, ConnectGetHostname, ConnectOpen, ConnectSupportsFeature, Feature},
    control::{ControlInfo, ControlState, DomainGetControlInfo},
    cpu_stats::{CpuStats, DomainGetCpuStats},
    event::{ConnectDomainEventRegisterAny, EventId},
    info::{DomainGetInfo, DomainInfo},
    job::{DomainGetJobStats, JobStats},
    list::{ConnectListAllDomains, Domains},
    metadata::DomainGetMetadata,
    node::{CellsFreeMemory, NodeGetCellsFreeMemory, NodeGetFreeMemory, NodeGetInfo, NodeInfo},
    node_stats::{NodeGetCpuStats, NodeGetMemoryStats, NodeStats},
    pool::{
        ConnectListAllStoragePools, StoragePool, StoragePoolGetInfo, StoragePoolInfo, StoragePools,
    },
    sasl::{AuthSaslInit, AuthSaslStart, AuthSaslStep, SaslReply},
    state::{DomainGetState, DomainState},
    stats::{AllDomainStats, ConnectGetAllDomainStats, DomainStatsRecord, Groups},
    vcpus::{DomainGetVcpus, Vcpu, Vcpus},
    version::{ConnectGetLibVersion, ConnectGetVersion, Version},
    xml::DomainGetXmlDesc,
};
use crate::{
    domain::Uuid,
    error::DecodeError,
    procedure::Procedure,
    xdr::{Decode, Reader, Writer},
};

mod auth;
mod connect;
mod control;
mod cpu_stats;
mod event;
mod info;
mod job;
mod list;
mod metadata;
mod node;
mod node_stats;
mod pool;
mod sasl;
mod state;
mod stats;
mod vcpus;
mod version;
mod xml;

/// A procedure with its arguments.
pub trait Call {
    /// What is called.
    const PROCEDURE: Procedure;

    /// What comes back, borrowing from the payload that it came in.
    type Reply<'a>: Decode<'a>;

    /// Writes the arguments, in the order of the protocol's fields.
    fn encode(&self, arguments: &mut Writer);

    /// The domains that the call concerns; none where it concerns no domain, or all.
    fn domains(&self) -> Vec<Uuid> {
        Vec::new()
    }

    /// Whether the call waits for the monitor of a domain's QEMU, and hangs where that
    /// does not answer.
    fn needs_monitor(&self) -> bool {
        false
    }

    /// Returns the payload of the call.
    fn arguments(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        self.encode(&mut writer);
        writer.into_bytes()
    }

    /// Reads the reply out of its payload.
    ///
    /// Bytes after the reply are ignored, as libvirtd ignores those after the
    /// arguments.
    ///
    /// # Errors
    ///
    /// When the payload is not such a reply.
    fn decode(payload: &[u8]) -> Result<Self::Reply<'_>, DecodeError> {
        Self::Reply::decode(&mut Reader::new(payload))
    }
}

/// A reply that is one string.
impl Decode<'_> for String {
    const MIN_LEN: usize = 4;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.string("reply").map(Cow::into_owned)
    }
}

/// A reply that is one number.
impl Decode<'_> for i32 {
    const MIN_LEN: usize = 4;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.i32("reply")
    }
}

/// A reply that is one number.
impl Decode<'_> for u64 {
    const MIN_LEN: usize = 8;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.u64("reply")
    }
}
