//! What a domain does, and why: `virDomainGetState`.

use super::Call;
use crate::{
    domain::{Domain, Uuid},
    error::DecodeError,
    procedure::Procedure,
    xdr::{Decode, Reader, Writer},
};

/// Asks for a domain's state, whether it runs or not.
///
/// Takes neither the domain's job nor its monitor.
#[derive(Clone, Copy, Debug)]
pub struct DomainGetState<'d> {
    /// Who is asked about.
    pub domain: &'d Domain,
}

impl Call for DomainGetState<'_> {
    const PROCEDURE: Procedure = Procedure::DOMAIN_GET_STATE;
    type Reply<'a> = DomainState;

    fn domains(&self) -> Vec<Uuid> {
        vec![self.domain.uuid]
    }

    fn encode(&self, arguments: &mut Writer) {
        self.domain.encode(arguments);
        arguments.u32(0);
    }
}

/// What a domain does, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DomainState {
    /// `virDomainState`
    pub state: i32,
    /// Why, by a list of its own for each state: `virDomainShutoffReason` and its siblings.
    pub reason: i32,
}

impl Decode<'_> for DomainState {
    const MIN_LEN: usize = 8;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { state: reader.i32("domain state")?, reason: reader.i32("state reason")? })
    }
}
