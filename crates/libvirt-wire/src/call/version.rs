//! Which releases are at work: `virConnectGetVersion` and `virConnectGetLibVersion`.

use std::fmt;

use super::Call;
use crate::{
    error::DecodeError,
    procedure::Procedure,
    xdr::{Decode, Reader, Writer},
};

/// Asks for the version of the hypervisor: the QEMU that libvirtd would start now.
///
/// Guests that were started before an upgrade run an older one.
#[derive(Clone, Copy, Debug)]
pub struct ConnectGetVersion;

impl Call for ConnectGetVersion {
    const PROCEDURE: Procedure = Procedure::CONNECT_GET_VERSION;
    type Reply<'a> = Version;

    fn encode(&self, _: &mut Writer) {}
}

/// Asks for the version of libvirt that the daemon runs.
#[derive(Clone, Copy, Debug)]
pub struct ConnectGetLibVersion;

impl Call for ConnectGetLibVersion {
    const PROCEDURE: Procedure = Procedure::CONNECT_GET_LIB_VERSION;
    type Reply<'a> = Version;

    fn encode(&self, _: &mut Writer) {}
}

/// A version as libvirt counts: 1,000,000 a major number, 1,000 a minor one, 1 a release.
///
/// Shown as people write it: `9.0.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u64);

impl Decode<'_> for Version {
    const MIN_LEN: usize = 8;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.u64("version").map(Self)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(version) = self;
        let (major, minor, release) =
            (version / 1_000_000, version / 1_000 % 1_000, version % 1_000);
        write!(f, "{major}.{minor}.{release}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_reads_as_people_write_it() {
        for (number, text) in
            [(9_000_000, "9.0.0"), (7_002_017, "7.2.17"), (11_010_001, "11.10.1"), (0, "0.0.0")]
        {
            assert_eq!(Version(number).to_string(), text);
        }
    }
}
