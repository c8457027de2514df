//! A domain's definition: `virDomainGetXMLDesc`.

use super::Call;
use crate::{
    domain::{Domain, Uuid},
    procedure::Procedure,
    xdr::Writer,
};

/// Asks for the XML of a running domain, without its secrets.
///
/// libvirt 11.0 to 11.4 waits up to 30 s for the domain's job first; other
/// releases take none.
#[derive(Clone, Copy, Debug)]
pub struct DomainGetXmlDesc<'d> {
    /// Whose definition is asked for.
    pub domain: &'d Domain,
}

impl Call for DomainGetXmlDesc<'_> {
    const PROCEDURE: Procedure = Procedure::DOMAIN_GET_XML_DESC;
    type Reply<'a> = String;

    fn domains(&self) -> Vec<Uuid> {
        vec![self.domain.uuid]
    }

    /// In libvirt 11.0 to 11.4 it does; in others it waits for nobody.
    fn needs_monitor(&self) -> bool {
        true
    }

    fn encode(&self, arguments: &mut Writer) {
        self.domain.encode(arguments);
        arguments.u32(0);
    }
}
