//! Storage pools.

use libvirt_wire::xdr::Writer;

use crate::{
    arguments::Arguments,
    host::Host,
    pool::{Pool, pool_uuid},
    refusal::{Outcome, Refusal},
};

/// 281
pub(super) fn list(host: &Host, arguments: &mut Arguments<'_>) -> Outcome {
    let need_results = arguments.i32()?;
    let state = host.state();
    let mut writer = Writer::default();
    if need_results == 0 {
        writer.length(0);
    } else {
        writer.length(state.pools.len());
        for name in state.pools.keys() {
            writer.string(name);
            writer.array(&pool_uuid(name).0);
        }
    }
    writer.length(state.pools.len());
    Ok(writer.into_bytes())
}

/// 87
pub(super) fn info(host: &Host, arguments: &mut Arguments<'_>) -> Outcome {
    let (name, uuid) = arguments.pool()?;
    let state = host.state();
    // By its UUID alone, as libvirt does it.
    let found = state.pools.iter().find(|(name, _)| pool_uuid(name) == uuid);
    let Some((_, Pool { state, capacity, allocation })) = found else {
        return Err(Refusal::no_pool(uuid, &name));
    };
    let mut writer = Writer::default();
    writer.u32(*state);
    for bytes in [*capacity, *allocation, capacity.saturating_sub(*allocation)] {
        writer.u64(bytes);
    }
    Ok(writer.into_bytes())
}
