//! Whether a domain can be controlled: `virDomainGetControlInfo`.

use std::time::Duration;

use super::Call;
use crate::{
    domain::{Domain, Uuid},
    error::DecodeError,
    procedure::Procedure,
    xdr::{Decode, Reader, Writer},
};

/// Asks whether a domain's QEMU answers, as far as somebody waits for it.
///
/// Takes neither the domain's job nor its monitor: it tells of those who do. A
/// QEMU that is stopped is `Ok` until the first call hangs in it.
#[derive(Clone, Copy, Debug)]
pub struct DomainGetControlInfo<'d> {
    /// Who is asked about.
    pub domain: &'d Domain,
}

impl Call for DomainGetControlInfo<'_> {
    const PROCEDURE: Procedure = Procedure::DOMAIN_GET_CONTROL_INFO;
    type Reply<'a> = ControlInfo;

    fn domains(&self) -> Vec<Uuid> {
        vec![self.domain.uuid]
    }

    fn encode(&self, arguments: &mut Writer) {
        self.domain.encode(arguments);
        // Flags: there are none.
        arguments.u32(0);
    }
}

/// `virDomainControlInfo`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlInfo {
    /// What the control interface is doing; `None` for a state that came after
    /// libvirt 12.
    pub state: Option<ControlState>,
    /// Since when it is in this state. libvirt counts it only for `Job` and
    /// `Occupied`, in milliseconds, and says 0 for the others.
    pub since: Duration,
}

/// `virDomainControlState`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlState {
    /// It is ready to take a command.
    Ok,
    /// A job runs in the background: a migration, a dump. Some commands are taken.
    Job,
    /// A command was sent to the monitor and is not answered yet.
    Occupied,
    /// It cannot be used; only destroying the domain helps.
    Error,
}

impl ControlState {
    /// Every state, in libvirt's order.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Job, Self::Occupied, Self::Error];
}

impl Decode<'_> for ControlInfo {
    const MIN_LEN: usize = 16;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let state = reader.u32("control state")?;
        let state = usize::try_from(state).ok().and_then(|it| ControlState::ALL.get(it).copied());
        // Why it is in error, for libvirt's developers.
        reader.u32("control details")?;
        let since = Duration::from_millis(reader.u64("control state time")?);
        Ok(Self { state, since })
    }
}
