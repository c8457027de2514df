//! Opening and closing: `virConnectOpen` and what surrounds it.

use super::Call;
use crate::{procedure::Procedure, xdr::Writer};

/// Opens a driver, once a connection.
#[derive(Clone, Copy, Debug)]
pub struct ConnectOpen<'n> {
    /// The driver's URI, without transport and host: `qemu:///system`.
    ///
    /// An empty one makes the daemon choose.
    pub name: &'n str,
    /// Whether the connection may only read, whatever the socket allows.
    pub read_only: bool,
}

impl Call for ConnectOpen<'_> {
    const PROCEDURE: Procedure = Procedure::CONNECT_OPEN;
    type Reply<'a> = ();

    fn encode(&self, arguments: &mut Writer) {
        arguments.optional_string(Some(self.name));
        arguments.u32(if self.read_only { CONNECT_RO } else { 0 });
    }
}

/// `VIR_CONNECT_RO`
const CONNECT_RO: u32 = 1;

/// Says that the client is leaving.
///
/// A connection that ends without it costs the daemon's log a line that looks
/// like a fault.
#[derive(Clone, Copy, Debug)]
pub struct ConnectClose;

impl Call for ConnectClose {
    const PROCEDURE: Procedure = Procedure::CONNECT_CLOSE;
    type Reply<'a> = ();

    fn encode(&self, _: &mut Writer) {}
}

/// Asks for a feature. The reply is 1 where the daemon has it.
///
/// Asking for [`Feature::ProgramKeepalive`] also switches it on.
#[derive(Clone, Copy, Debug)]
pub struct ConnectSupportsFeature {
    /// What is asked for.
    pub feature: Feature,
}

impl Call for ConnectSupportsFeature {
    const PROCEDURE: Procedure = Procedure::CONNECT_SUPPORTS_FEATURE;
    type Reply<'a> = i32;

    fn encode(&self, arguments: &mut Writer) {
        arguments.i32(match self.feature {
            Feature::ProgramKeepalive => 10,
        });
    }
}

/// `virDrvFeature`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// `VIR_DRV_FEATURE_PROGRAM_KEEPALIVE`: the daemon pings a silent client.
    ProgramKeepalive,
}

/// Asks for the host's name, as libvirtd knows it. Nova uses it as the
/// compute host's name unless it is configured otherwise.
#[derive(Clone, Copy, Debug)]
pub struct ConnectGetHostname;

impl Call for ConnectGetHostname {
    const PROCEDURE: Procedure = Procedure::CONNECT_GET_HOSTNAME;
    type Reply<'a> = String;

    fn encode(&self, _: &mut Writer) {}
}
