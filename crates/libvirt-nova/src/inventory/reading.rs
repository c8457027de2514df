//! Reading what libvirtd knows of one domain.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use libvirt_client::{CallError, Calls};
use libvirt_wire::{
    Domain,
    call::{DomainGetMetadata, DomainGetXmlDesc},
};

use super::{Devices, Metadata, Nova, nova::NAMESPACES};

/// What libvirtd says of a domain. One half may be there without the other.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) metadata: Result<Metadata, ReadError>,
    pub(super) devices: Result<Devices, ReadError>,
}

/// Reads what can be known of a domain, in two calls; in three where Nova's
/// newest namespace is not in it.
pub(super) async fn read(calls: &Calls, domain: &Domain) -> Facts {
    let metadata = metadata(calls, domain).await;
    let devices = devices(calls, domain).await;
    Facts { metadata, devices }
}

async fn metadata(calls: &Calls, domain: &Domain) -> Result<Metadata, ReadError> {
    for namespace in NAMESPACES {
        let called = calls.call(&DomainGetMetadata { domain, namespace }, READ_DEADLINE).await;
        match called.and_then(|reply| reply.decode()) {
            Ok(xml) => {
                let nova = Nova::parse(&xml).map_err(ReadError::Nova)?;
                return Ok(Metadata::Nova(Arc::new(nova)));
            }
            // A driver without metadata has none of Nova's either.
            Err(error)
                if error
                    .refusal()
                    .is_some_and(|refusal| refusal.is_no_metadata() || refusal.is_no_support()) => {
            }
            Err(error) => return Err(ReadError::Call(error)),
        }
    }
    Ok(Metadata::Foreign)
}

async fn devices(calls: &Calls, domain: &Domain) -> Result<Devices, ReadError> {
    let called = calls.call(&DomainGetXmlDesc { domain }, READ_DEADLINE).await;
    let xml = called.and_then(|reply| reply.decode()).map_err(ReadError::Call)?;
    Devices::parse(&xml).map_err(ReadError::Xml)
}

/// How long a call for metadata or XML may take. libvirt 11.0 to 11.4 waits up
/// to 30 s for the domain's job before it gives the XML.
const READ_DEADLINE: Duration = Duration::from_secs(2);

/// Something of a domain that could not be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// libvirtd did not give it.
    Call(CallError),
    /// The domain's XML is not XML.
    Xml(roxmltree::Error),
    /// Nova's element is there, and is not XML.
    Nova(roxmltree::Error),
}

impl ReadError {
    /// Whether it says something of a domain that still runs, rather than of its
    /// end or of libvirtd's.
    pub(super) fn is_of_the_domain(&self) -> bool {
        match self {
            Self::Call(error) => error.refusal().is_some_and(|refusal| !refusal.is_no_domain()),
            Self::Xml(_) | Self::Nova(_) => true,
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => write!(f, "{error}"),
            Self::Xml(_) => f.write_str("the domain's XML is malformed"),
            Self::Nova(_) => f.write_str("Nova's metadata is malformed"),
        }
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Call(error) => error.source(),
            Self::Xml(error) | Self::Nova(error) => Some(error),
        }
    }
}
