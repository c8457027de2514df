//! Replies, events and errors, whatever they hold.

use std::fmt::Debug;

use super::{sasl, xdr::Plain};
use crate::{
    Domain, Event, RemoteError, TypedParam, Uuid, Value,
    call::{
        AllDomainStats, AuthList, AuthPolkit, AuthSaslInit, Call, ConnectClose,
        ConnectDomainEventRegisterAny, ConnectGetAllDomainStats, ConnectGetHostname,
        ConnectGetLibVersion, ConnectGetVersion, ConnectListAllDomains, ConnectListAllStoragePools,
        ConnectOpen, ConnectSupportsFeature, DomainGetControlInfo, DomainGetCpuStats,
        DomainGetInfo, DomainGetJobStats, DomainGetMetadata, DomainGetVcpus, DomainGetXmlDesc,
        DomainStatsRecord, NodeGetCellsFreeMemory, NodeGetCpuStats, NodeGetFreeMemory, NodeGetInfo,
        NodeGetMemoryStats, StoragePoolGetInfo,
    },
    xdr::{Decode, Reader},
};

/// Reads a payload as every reply, event and error that there is.
pub fn replies(payload: &[u8]) {
    reply::<AuthList>(payload);
    reply::<AuthPolkit>(payload);
    reply::<AuthSaslInit>(payload);
    reply::<ConnectClose>(payload);
    reply::<ConnectDomainEventRegisterAny>(payload);
    reply::<ConnectGetAllDomainStats<'_>>(payload);
    reply::<ConnectGetHostname>(payload);
    reply::<ConnectGetLibVersion>(payload);
    reply::<ConnectGetVersion>(payload);
    reply::<ConnectListAllDomains>(payload);
    reply::<ConnectListAllStoragePools>(payload);
    reply::<ConnectOpen<'_>>(payload);
    reply::<ConnectSupportsFeature>(payload);
    reply::<DomainGetControlInfo<'_>>(payload);
    reply::<DomainGetCpuStats<'_>>(payload);
    reply::<DomainGetInfo<'_>>(payload);
    reply::<DomainGetJobStats<'_>>(payload);
    reply::<DomainGetMetadata<'_>>(payload);
    reply::<DomainGetVcpus<'_>>(payload);
    reply::<DomainGetXmlDesc<'_>>(payload);
    reply::<NodeGetCellsFreeMemory>(payload);
    reply::<NodeGetCpuStats>(payload);
    reply::<NodeGetFreeMemory>(payload);
    reply::<NodeGetInfo>(payload);
    reply::<NodeGetMemoryStats>(payload);
    reply::<StoragePoolGetInfo<'_>>(payload);
    for procedure in [318, 319, 321, 324, 333, 354, 359, 363, 367, 379, 0] {
        // As text, because not a number is not equal to itself.
        prefix(payload, |payload| {
            Event::decode(procedure, payload).ok().map(|event| format!("{event:?}"))
        });
    }
    prefix(payload, |payload| RemoteError::decode(&mut Reader::new(payload)).ok());
    if let Ok(error) = RemoteError::decode(&mut Reader::new(payload)) {
        assert!(error.to_string().starts_with("virError(Code="));
    }
    domains(payload);
    sasl::sasl(payload);
    stats(payload);
}

fn reply<C: Call>(payload: &[u8])
where
    for<'a> C::Reply<'a>: Debug,
{
    // As text, because not a number is not equal to itself.
    prefix(payload, |payload| C::decode(payload).ok().map(|reply| format!("{reply:?}")));
}

/// Asserts that bytes after a reply change nothing, and that a reply cut short is none.
pub(super) fn prefix<T: Debug + PartialEq>(payload: &[u8], read: impl Fn(&[u8]) -> Option<T>) {
    let whole = read(payload);
    if whole.is_some() {
        assert_eq!(read(&[payload, &[0xff; 8]].concat()), whole, "with bytes after it");
    }
    for missing in [1, 4, payload.len() / 2] {
        let part = read(&payload[..payload.len().saturating_sub(missing)]);
        assert!(part.is_none() || part == whole, "without its last {missing} bytes: {part:?}");
    }
}

/// Asserts that whoever was listed is named in a call as he was listed.
fn domains(payload: &[u8]) {
    let Ok(domains) = ConnectListAllDomains::decode(payload) else { return };
    for domain in &domains.0 {
        let arguments = DomainGetInfo { domain }.arguments();
        assert_eq!(Domain::decode(&mut Reader::new(&arguments)).as_ref(), Ok(domain));
    }
}

/// Asserts that statistics are what a reading of its own makes of them.
fn stats(payload: &[u8]) {
    let stats = ConnectGetAllDomainStats::decode(payload).ok();
    // As text, because not a number is not equal to itself.
    assert_eq!(format!("{stats:?}"), format!("{:?}", plain_stats(&mut Plain(payload))));
}

fn plain_stats(plain: &mut Plain<'_>) -> Option<AllDomainStats<'static>> {
    let records = plain.list(16_384, |plain| {
        let name = plain.string()?;
        let uuid = Uuid(plain.take(16)?.try_into().ok()?);
        let id = plain.word()?;
        let domain = Domain { name, uuid, id: (id <= 0x7fff_ffff).then_some(id) };
        Some(DomainStatsRecord { domain, params: plain.list(262_144, plain_param)? })
    })?;
    Some(AllDomainStats { records })
}

fn plain_param(plain: &mut Plain<'_>) -> Option<TypedParam<'static>> {
    let field = plain.string()?.into();
    let value = match plain.word()? {
        1 => Value::Int(plain.word()?.cast_signed()),
        2 => Value::UInt(plain.word()?),
        3 => Value::LLong(plain.long()?.cast_signed()),
        4 => Value::ULLong(plain.long()?),
        5 => Value::Double(f64::from_bits(plain.long()?)),
        6 => Value::Boolean(plain.word()? != 0),
        7 => Value::String(plain.string()?.into()),
        _ => return None,
    };
    Some(TypedParam { field, value })
}
