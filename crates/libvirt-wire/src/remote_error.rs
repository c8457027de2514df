//! libvirtd's own words for what went wrong.

use std::{borrow::Cow, error::Error, fmt};

use crate::{
    domain::Domain,
    error::DecodeError,
    xdr::{Decode, Reader},
};

/// A `remote_error`: the payload of a reply that carries an error.
///
/// The message is translated and formatted by the daemon; only the code says
/// what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteError {
    /// `virErrorNumber`
    pub code: i32,
    /// `virErrorDomain`: which part of libvirt said it. Not a virtual machine.
    pub domain: i32,
    /// What the daemon says to a person, `None` where it says nothing.
    pub message: Option<String>,
}

impl RemoteError {
    /// Whether the domain asked about does not exist (any more).
    pub fn is_no_domain(&self) -> bool {
        self.code == NO_DOMAIN
    }

    /// Whether the domain lacks the metadata asked for.
    pub fn is_no_metadata(&self) -> bool {
        self.code == NO_DOMAIN_METADATA
    }

    /// Whether what was asked cannot be had from the object in its present
    /// state: the domain is not running, or it runs without a CPU accounting
    /// cgroup.
    pub fn is_operation_invalid(&self) -> bool {
        self.code == OPERATION_INVALID
    }

    /// Whether the driver does not have this procedure at all.
    pub fn is_no_support(&self) -> bool {
        matches!(self.code, NO_SUPPORT | ARGUMENT_UNSUPPORTED | OPERATION_UNSUPPORTED)
    }
}

/// `VIR_ERR_NO_SUPPORT`
const NO_SUPPORT: i32 = 3;
/// `VIR_ERR_NO_DOMAIN`
const NO_DOMAIN: i32 = 42;
/// `VIR_ERR_OPERATION_INVALID`
const OPERATION_INVALID: i32 = 55;
/// `VIR_ERR_ARGUMENT_UNSUPPORTED`
const ARGUMENT_UNSUPPORTED: i32 = 74;
/// `VIR_ERR_NO_DOMAIN_METADATA`
const NO_DOMAIN_METADATA: i32 = 80;
/// `VIR_ERR_OPERATION_UNSUPPORTED`
const OPERATION_UNSUPPORTED: i32 = 84;

impl Decode<'_> for RemoteError {
    const MIN_LEN: usize = 44;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let code = reader.i32("error code")?;
        let domain = reader.i32("error domain")?;
        let message = reader.optional_string("error message")?;
        reader.i32("error level")?;
        reader.optional("error's domain", Domain::decode)?;
        reader.optional_string("error text 1")?;
        reader.optional_string("error text 2")?;
        reader.optional_string("error text 3")?;
        reader.i32("error number 1")?;
        reader.i32("error number 2")?;
        reader.optional("error's network", |reader| {
            reader.string("network name")?;
            reader.array::<16>("network uuid")
        })?;
        Ok(Self { code, domain, message: message.map(Cow::into_owned) })
    }
}

/// In the form that the first exporter logged, which operators search for.
impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, domain, message } = self;
        let message = message.as_deref().unwrap_or_default();
        write!(f, "virError(Code={code}, Domain={domain}, Message='{message}')")
    }
}

impl Error for RemoteError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_operators_know_it() {
        let error = RemoteError {
            code: 55,
            domain: 10,
            message: Some("Requested operation is not valid: domain is not running".into()),
        };
        assert_eq!(
            error.to_string(),
            "virError(Code=55, Domain=10, Message='Requested operation is not valid: domain is not running')"
        );
    }
}
