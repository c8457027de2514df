//! Which domains there are: `virConnectListAllDomains`.

use super::Call;
use crate::{
    domain::Domain,
    error::DecodeError,
    procedure::Procedure,
    xdr::{Decode, Reader, Writer},
};

/// Asks for all domains, those that run and those that are only defined.
///
/// Served by the workers that libvirtd keeps free for such calls, so even
/// twenty stuck guests cannot hold it up.
#[derive(Clone, Copy, Debug)]
pub struct ConnectListAllDomains;

impl Call for ConnectListAllDomains {
    const PROCEDURE: Procedure = Procedure::CONNECT_LIST_ALL_DOMAINS;
    type Reply<'a> = Domains;

    fn encode(&self, arguments: &mut Writer) {
        arguments.i32(NEED_RESULTS);
        arguments.u32(ALL);
    }
}

/// `need_results`: the domains, not only how many.
const NEED_RESULTS: i32 = 1;
/// No filter.
const ALL: u32 = 0;

/// The domains, in the daemon's order, which is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domains(pub Vec<Domain>);

impl Decode<'_> for Domains {
    const MIN_LEN: usize = 8;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let domains = reader.list("domains", DOMAIN_LIST_MAX)?;
        reader.u32("domain count")?;
        Ok(Self(domains))
    }
}

/// `REMOTE_DOMAIN_LIST_MAX`
pub(super) const DOMAIN_LIST_MAX: usize = 16_384;
