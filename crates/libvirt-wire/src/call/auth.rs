//! Who may connect: `virNetServer`'s authentication.

use super::Call;
use crate::{
    error::DecodeError,
    procedure::Procedure,
    xdr::{Decode, Reader, Writer},
};

/// Asks how the daemon wants the client to authenticate itself.
///
/// Where polkit is configured the question is mandatory even for root: the
/// daemon lets root in as a side effect of it.
#[derive(Clone, Copy, Debug)]
pub struct AuthList;

impl Call for AuthList {
    const PROCEDURE: Procedure = Procedure::AUTH_LIST;
    type Reply<'a> = Vec<AuthType>;

    fn encode(&self, _: &mut Writer) {}
}

/// `remote_auth_type`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthType {
    /// `REMOTE_AUTH_NONE`: nothing is asked.
    None,
    /// `REMOTE_AUTH_SASL`
    Sasl,
    /// `REMOTE_AUTH_POLKIT`: the daemon asks polkit about the process at the other end.
    Polkit,
    /// A way that came after libvirt 12.
    Unknown(i32),
}

impl Decode<'_> for AuthType {
    const MIN_LEN: usize = 4;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match reader.i32("authentication type")? {
            0 => Self::None,
            1 => Self::Sasl,
            2 => Self::Polkit,
            unknown => Self::Unknown(unknown),
        })
    }
}

impl Decode<'_> for Vec<AuthType> {
    const MIN_LEN: usize = 4;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.list("authentication types", AUTH_TYPE_LIST_MAX)
    }
}

/// `REMOTE_AUTH_TYPE_LIST_MAX`
const AUTH_TYPE_LIST_MAX: usize = 20;

/// Asks the daemon to ask polkit whether this process may connect.
///
/// The reply means yes; no is an error with code 45 or 39.
#[derive(Clone, Copy, Debug)]
pub struct AuthPolkit;

impl Call for AuthPolkit {
    const PROCEDURE: Procedure = Procedure::AUTH_POLKIT;
    type Reply<'a> = i32;

    fn encode(&self, _: &mut Writer) {}
}
