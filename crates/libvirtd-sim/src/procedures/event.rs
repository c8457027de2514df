//! Asking for events.

use crate::{
    arguments::Arguments,
    connection::Connection,
    host::Host,
    refusal::{Outcome, Refusal},
};

/// 316
pub(super) fn register(
    host: &Host,
    connection: &Connection,
    arguments: &mut Arguments<'_>,
) -> Outcome {
    let (event_id, domain) = (arguments.i32()?, arguments.optional_domain()?);
    if !(0..=EVENT_ID_LAST).contains(&event_id) {
        return Err(Refusal::internal(format!("unsupported event ID {event_id}")));
    }
    let outgoing = connection.outgoing();
    let subscribers = &mut host.state_mut().subscribers;
    let callback = subscribers.add(connection.number(), event_id, domain, outgoing);
    Ok(callback.to_be_bytes().to_vec())
}

/// `VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE`, the last one of libvirt 9.0.
const EVENT_ID_LAST: i32 = 26;

/// 317
pub(super) fn deregister(
    host: &Host,
    connection: &Connection,
    arguments: &mut Arguments<'_>,
) -> Outcome {
    let callback = arguments.i32()?;
    if host.state_mut().subscribers.remove(connection.number(), callback) {
        return Ok(Vec::new());
    }
    Err(Refusal::internal(format!("domain event callback {callback} not registered")))
}
