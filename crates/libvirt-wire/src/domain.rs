//! A domain, as every procedure names it.

use std::fmt;

use crate::{
    error::DecodeError,
    xdr::{Decode, Reader, Writer},
};

/// A `remote_nonnull_domain`.
///
/// libvirtd finds a domain by its UUID alone; name and id are for the reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The libvirt name, `instance-0000030f` where Nova chose it.
    pub name: String,
    /// The identity: the same on every host and over every restart.
    pub uuid: Uuid,
    /// libvirt's number of this run of the domain, `None` while it is not running.
    pub id: Option<u32>,
}

impl Domain {
    /// Writes the domain, in the order of the protocol's fields.
    pub fn encode(&self, writer: &mut Writer) {
        writer.string(&self.name);
        writer.array(&self.uuid.0);
        let id = self.id.and_then(|id| i32::try_from(id).ok());
        writer.i32(id.unwrap_or(INACTIVE));
    }
}

impl Decode<'_> for Domain {
    const MIN_LEN: usize = 24;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            name: reader.string("domain name")?.into_owned(),
            uuid: Uuid(reader.array("domain uuid")?),
            // The one negative number in use is `INACTIVE`.
            id: u32::try_from(reader.i32("domain id")?).ok(),
        })
    }
}

/// The `id` of a domain that is not running.
const INACTIVE: i32 = -1;

/// A domain's UUID, which is the Nova instance's.
///
/// Shown as libvirt and Nova print it: lower-case hexadecimal in five groups.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_reads_as_nova_prints_it() {
        let uuid = Uuid([
            0x1b, 0xac, 0x35, 0x1f, 0x24, 0x2e, 0x4d, 0x53, 0x8c, 0xf3, 0xfd, 0x91, 0xb0, 0x61,
            0x06, 0x9c,
        ]);
        assert_eq!(uuid.to_string(), "1bac351f-242e-4d53-8cf3-fd91b061069c");
    }

    #[test]
    fn a_domain_survives_the_round_trip() {
        for id in [None, Some(17)] {
            let domain = Domain { name: "instance-0000000d".into(), uuid: Uuid([7; 16]), id };
            let mut writer = Writer::default();
            domain.encode(&mut writer);
            let bytes = writer.into_bytes();
            assert_eq!(Domain::decode(&mut Reader::new(&bytes)), Ok(domain));
        }
    }
}
