//! What an application wrote into a domain: `virDomainGetMetadata`.

use super::Call;
use crate::{
    domain::{Domain, Uuid},
    procedure::Procedure,
    xdr::Writer,
};

/// Asks for an application's element of a domain.
///
/// The reply is the element as XML, with its namespace taken away. Takes
/// neither the domain's job nor its monitor. A domain without the element is
/// answered by `VIR_ERR_NO_DOMAIN_METADATA`.
#[derive(Clone, Copy, Debug)]
pub struct DomainGetMetadata<'d> {
    /// Whose element is asked for: the running domain's, not its stored definition's.
    pub domain: &'d Domain,
    /// The namespace that the application's elements are in.
    pub namespace: &'d str,
}

impl Call for DomainGetMetadata<'_> {
    const PROCEDURE: Procedure = Procedure::DOMAIN_GET_METADATA;
    type Reply<'a> = String;

    fn domains(&self) -> Vec<Uuid> {
        vec![self.domain.uuid]
    }

    fn encode(&self, arguments: &mut Writer) {
        self.domain.encode(arguments);
        arguments.i32(METADATA_ELEMENT);
        arguments.optional_string(Some(self.namespace));
        arguments.u32(AFFECT_CURRENT);
    }
}

/// `VIR_DOMAIN_METADATA_ELEMENT`
const METADATA_ELEMENT: i32 = 2;
/// `VIR_DOMAIN_AFFECT_CURRENT`: the running domain where it runs.
const AFFECT_CURRENT: u32 = 0;
