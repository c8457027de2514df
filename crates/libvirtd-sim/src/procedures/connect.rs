//! Coming in, and what is asked of the host as a whole.

use libvirt_wire::xdr::Writer;

use crate::{
    arguments::Arguments,
    connection::Connection,
    host::Host,
    refusal::{Outcome, Refusal},
};

/// 66: as a side effect, whoever need not ask polkit is let in.
pub(super) fn auth_list(host: &Host, connection: &Connection) -> Outcome {
    let polkit = host.state().polkit;
    if !polkit {
        connection.set_authenticated();
    }
    let mut writer = Writer::default();
    writer.length(1);
    writer.i32(if polkit { AUTH_POLKIT } else { AUTH_NONE });
    Ok(writer.into_bytes())
}

/// `REMOTE_AUTH_NONE`
const AUTH_NONE: i32 = 0;
/// `REMOTE_AUTH_POLKIT`
const AUTH_POLKIT: i32 = 2;

/// 70: polkit lets everybody in.
pub(super) fn auth_polkit(connection: &Connection) -> Outcome {
    connection.set_authenticated();
    number(1)
}

/// 1: once a connection.
pub(super) fn open(connection: &Connection, arguments: &mut Arguments<'_>) -> Outcome {
    let (name, flags) = (arguments.optional_string()?, arguments.u32()?);
    if connection.is_open() {
        // As libvirtd 9.0 does it: the driver that was open is lost.
        connection.set_open(false);
        return Err(Refusal::internal("connection already open"));
    }
    let Some(name) = name else { return Err(Refusal::internal("connection not open")) };
    if !name.is_empty() && !name.starts_with("qemu://") {
        return Err(Refusal::no_driver(&name));
    }
    if flags & CONNECT_RO != 0 {
        connection.set_read_only();
    }
    connection.set_open(true);
    Ok(Vec::new())
}

/// `VIR_CONNECT_RO`
const CONNECT_RO: u32 = 1;

/// 60: what libvirtd itself knows needs no driver.
pub(super) fn supports_feature(connection: &Connection, arguments: &mut Arguments<'_>) -> Outcome {
    let feature = arguments.i32()?;
    if feature == KEEPALIVE {
        connection.start_pinging();
        return number(1);
    }
    if !connection.is_open() {
        return Err(Refusal::not_open());
    }
    number(i32::from(matches!(feature, 3 | 4 | 6..=16)))
}

/// `VIR_DRV_FEATURE_PROGRAM_KEEPALIVE`
const KEEPALIVE: i32 = 10;

/// 3
pub(super) fn kind() -> Outcome {
    text("QEMU")
}

/// 110
pub(super) fn uri() -> Outcome {
    text("qemu:///system")
}

/// 59
pub(super) fn hostname() -> Outcome {
    text("compute-sim")
}

/// 4: QEMU 7.2.22.
pub(super) fn hypervisor_version() -> Outcome {
    large_number(7_002_022)
}

/// 157: libvirt 9.0.0.
pub(super) fn library_version() -> Outcome {
    large_number(9_000_000)
}

/// 6: two sockets of 32 cores, two threads each, and half a TiB.
pub(super) fn node_info() -> Outcome {
    let mut writer = Writer::default();
    // A `char[32]`, each of which takes a whole unit.
    for at in 0..32 {
        writer.i32(b"x86_64".get(at).copied().unwrap_or(0).into());
    }
    writer.u64(MEMORY_KIB);
    for value in [CPUS, 2_600, CELLS, 1, 32, 2] {
        writer.u32(value);
    }
    Ok(writer.into_bytes())
}

/// What the host has.
pub(super) const MEMORY_KIB: u64 = 512 << 20;
pub(super) const CPUS: u32 = 128;
/// NUMA cells, one a socket.
pub(super) const CELLS: u32 = 2;

fn text(text: &str) -> Outcome {
    let mut writer = Writer::default();
    writer.string(text);
    Ok(writer.into_bytes())
}

fn number(number: i32) -> Outcome {
    Ok(number.to_be_bytes().to_vec())
}

fn large_number(number: u64) -> Outcome {
    Ok(number.to_be_bytes().to_vec())
}
