//! Replies, events and errors, whatever they hold.

use std::fmt::Debug;

use crate::{
    Domain, Event, RemoteError, TypedParam, Value,
    call::{
        AllDomainStats, AuthList, AuthPolkit, Call, ConnectClose, ConnectDomainEventRegisterAny,
        ConnectGetAllDomainStats, ConnectGetHostname, ConnectListAllDomains, ConnectOpen,
        ConnectSupportsFeature, DomainGetControlInfo, DomainGetCpuStats, DomainGetInfo,
        DomainGetMetadata, DomainGetXmlDesc, DomainStatsRecord,
    },
    xdr::{Decode, Reader, Writer},
};

/// Reads a payload as every reply, event and error that there is.
pub fn replies(payload: &[u8]) {
    reply::<AuthList>(payload);
    reply::<AuthPolkit>(payload);
    reply::<ConnectClose>(payload);
    reply::<ConnectDomainEventRegisterAny>(payload);
    reply::<ConnectGetAllDomainStats<'_>>(payload);
    reply::<ConnectGetHostname>(payload);
    reply::<ConnectListAllDomains>(payload);
    reply::<ConnectOpen<'_>>(payload);
    reply::<ConnectSupportsFeature>(payload);
    reply::<DomainGetControlInfo<'_>>(payload);
    reply::<DomainGetCpuStats<'_>>(payload);
    reply::<DomainGetInfo<'_>>(payload);
    reply::<DomainGetMetadata<'_>>(payload);
    reply::<DomainGetXmlDesc<'_>>(payload);
    for procedure in [318, 333, 354, 379, 0] {
        prefix(payload, |payload| Event::decode(procedure, payload).ok());
    }
    prefix(payload, |payload| RemoteError::decode(&mut Reader::new(payload)).ok());
    if let Ok(error) = RemoteError::decode(&mut Reader::new(payload)) {
        assert!(error.to_string().starts_with("virError(Code="));
    }
    domains(payload);
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
fn prefix<T: Debug + PartialEq>(payload: &[u8], read: impl Fn(&[u8]) -> Option<T>) {
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
    assert!(domains.0.capacity() * Domain::MIN_LEN <= payload.len(), "over-reserved");
    for domain in &domains.0 {
        let arguments = DomainGetInfo { domain }.arguments();
        assert_eq!(Domain::decode(&mut Reader::new(&arguments)).as_ref(), Ok(domain));
    }
}

/// Asserts that statistics survive the way there and back, and what they may reserve.
fn stats(payload: &[u8]) {
    let Ok(stats) = ConnectGetAllDomainStats::decode(payload) else { return };
    let AllDomainStats { records } = &stats;
    assert!(records.capacity() * DomainStatsRecord::MIN_LEN <= payload.len(), "over-reserved");
    for record in records {
        let reserved = record.params.capacity() * TypedParam::MIN_LEN;
        assert!(reserved <= payload.len(), "over-reserved");
    }
    let encoded = encode(&stats);
    let again = ConnectGetAllDomainStats::decode(&encoded);
    assert_eq!(format!("{again:?}"), format!("{:?}", Ok::<_, ()>(&stats)));
}

fn encode(AllDomainStats { records }: &AllDomainStats<'_>) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.length(records.len());
    for DomainStatsRecord { domain, params } in records {
        domain.encode(&mut writer);
        writer.length(params.len());
        for TypedParam { field, value } in params {
            writer.string(field);
            encode_value(value, &mut writer);
        }
    }
    writer.into_bytes()
}

fn encode_value(value: &Value<'_>, writer: &mut Writer) {
    match value {
        Value::Int(value) => {
            writer.u32(1);
            writer.i32(*value);
        }
        Value::UInt(value) => {
            writer.u32(2);
            writer.u32(*value);
        }
        Value::LLong(value) => {
            writer.u32(3);
            writer.array(&value.to_be_bytes());
        }
        Value::ULLong(value) => {
            writer.u32(4);
            writer.array(&value.to_be_bytes());
        }
        Value::Double(value) => {
            writer.u32(5);
            writer.array(&value.to_be_bytes());
        }
        Value::Boolean(value) => {
            writer.u32(6);
            writer.u32((*value).into());
        }
        Value::String(value) => {
            writer.u32(7);
            writer.string(value);
        }
    }
}
