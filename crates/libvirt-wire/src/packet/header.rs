//! The header of a packet.

use crate::{
    error::{DecodeError, Reason},
    xdr::{Reader, Writer},
};

/// What a packet is about: `virNetMessageHeader`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which protocol the procedure belongs to.
    pub program: u32,
    /// Which procedure, or which event.
    pub procedure: u32,
    /// Whether it is a call, a reply or an event.
    pub kind: Kind,
    /// The caller's number for the call.
    ///
    /// Events carry one as well, and libvirtd sends 1 where the specification
    /// says 0: look at `kind` before looking a serial up.
    pub serial: u32,
    /// Whether a reply carries a result or an error.
    pub status: Status,
}

/// `virNetMessageType`, as far as procedures that read can meet it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `VIR_NET_CALL`
    Call,
    /// `VIR_NET_REPLY`
    Reply,
    /// `VIR_NET_MESSAGE`: an event, or a keepalive message.
    Message,
}

/// `virNetMessageStatus`, without what only streams use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `VIR_NET_OK`
    Ok,
    /// `VIR_NET_ERROR`
    Error,
}

impl Header {
    pub(crate) fn encode(&self, writer: &mut Writer) {
        writer.u32(self.program);
        writer.u32(VERSION);
        writer.u32(self.procedure);
        writer.u32(match self.kind {
            Kind::Call => 0,
            Kind::Reply => 1,
            Kind::Message => 2,
        });
        writer.u32(self.serial);
        writer.u32(match self.status {
            Status::Ok => 0,
            Status::Error => 1,
        });
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let program = reader.u32("packet program")?;
        // Programs have had one version for ever; the daemon echoes ours.
        reader.u32("packet version")?;
        let procedure = reader.u32("packet procedure")?;
        let kind = match reader.u32("packet type")? {
            0 => Kind::Call,
            1 => Kind::Reply,
            2 => Kind::Message,
            unknown => return Err(DecodeError::new("packet type", Reason::Discriminant(unknown))),
        };
        let serial = reader.u32("packet serial")?;
        let status = match reader.u32("packet status")? {
            0 => Status::Ok,
            1 => Status::Error,
            unknown => {
                return Err(DecodeError::new("packet status", Reason::Discriminant(unknown)));
            }
        };
        Ok(Self { program, procedure, kind, serial, status })
    }
}

/// `REMOTE_PROTOCOL_VERSION`, which is also that of the keepalive program.
const VERSION: u32 = 1;
