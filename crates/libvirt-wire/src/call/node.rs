//! The compute host, libvirt's "node": `virNodeGetInfo`, `virNodeGetFreeMemory` and
//! `virNodeGetCellsFreeMemory`.
//!
//! None of these concerns a domain, and libvirtd keeps workers free for them.

use super::Call;
use crate::{
    error::DecodeError,
    procedure::Procedure,
    xdr::{Decode, Reader, Writer},
};

/// Asks what the compute host is made of.
#[derive(Clone, Copy, Debug)]
pub struct NodeGetInfo;

impl Call for NodeGetInfo {
    const PROCEDURE: Procedure = Procedure::NODE_GET_INFO;
    type Reply<'a> = NodeInfo;

    fn encode(&self, _: &mut Writer) {}
}

/// `virNodeInfo`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInfo {
    /// The CPUs' architecture, `x86_64`.
    pub model: String,
    /// Memory, in KiB.
    pub memory_kib: u64,
    /// CPUs that are online.
    pub cpus: u32,
    /// The CPUs' frequency in MHz, 0 where libvirt does not know.
    pub mhz: u32,
    /// NUMA cells; 1 where there are none, or where they differ from one another.
    pub nodes: u32,
    /// CPU sockets a cell.
    pub sockets: u32,
    /// Cores a socket.
    pub cores: u32,
    /// Threads a core.
    pub threads: u32,
}

impl Decode<'_> for NodeInfo {
    const MIN_LEN: usize = 160;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            model: model(&reader.array("node model")?),
            memory_kib: reader.u64("node memory")?,
            cpus: reader.u32("node cpus")?,
            mhz: reader.u32("node mhz")?,
            nodes: reader.u32("node cells")?,
            sockets: reader.u32("node sockets")?,
            cores: reader.u32("node cores")?,
            threads: reader.u32("node threads")?,
        })
    }
}

/// The text of a `char[32]`, each of which takes a whole unit, up to the first zero.
fn model(units: &[u8; 128]) -> String {
    let (units, _) = units.as_chunks::<4>();
    let text: Vec<u8> =
        units.iter().map(|[.., char]| *char).take_while(|char| *char != 0).collect();
    String::from_utf8_lossy(&text).into_owned()
}

/// Asks for the compute host's free memory, in bytes: what nothing uses, so caches are
/// not in it.
#[derive(Clone, Copy, Debug)]
pub struct NodeGetFreeMemory;

impl Call for NodeGetFreeMemory {
    const PROCEDURE: Procedure = Procedure::NODE_GET_FREE_MEMORY;
    type Reply<'a> = u64;

    fn encode(&self, _: &mut Writer) {}
}

/// Asks for the free memory of NUMA cells, by number.
#[derive(Clone, Copy, Debug)]
pub struct NodeGetCellsFreeMemory {
    /// The first cell. One that is beyond the last is an error.
    pub first: u32,
    /// How many cells at most.
    pub max: u32,
}

impl Call for NodeGetCellsFreeMemory {
    const PROCEDURE: Procedure = Procedure::NODE_GET_CELLS_FREE_MEMORY;
    type Reply<'a> = CellsFreeMemory;

    fn encode(&self, arguments: &mut Writer) {
        arguments.u32(self.first);
        arguments.u32(self.max);
    }
}

/// Free memory, in bytes: one number a cell, from the first that was asked for on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellsFreeMemory(pub Vec<u64>);

impl Decode<'_> for CellsFreeMemory {
    const MIN_LEN: usize = 4;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.list("cells", NODE_MAX_CELLS).map(Self)
    }
}

/// `REMOTE_NODE_MAX_CELLS`
const NODE_MAX_CELLS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// The recorded host has too many ones to tell its numbers apart.
    #[test]
    fn each_number_has_its_place() {
        let mut payload = vec![0; 128];
        payload.extend(5_u64.to_be_bytes());
        payload.extend((6_u32..12).flat_map(u32::to_be_bytes));
        let info = NodeInfo {
            model: String::new(),
            memory_kib: 5,
            cpus: 6,
            mhz: 7,
            nodes: 8,
            sockets: 9,
            cores: 10,
            threads: 11,
        };
        assert_eq!(NodeGetInfo::decode(&payload), Ok(info));
    }

    #[test]
    fn a_model_may_fill_its_place_and_be_no_text() {
        let mut units = [0; 128];
        assert_eq!(model(&units), "");
        for unit in units.chunks_exact_mut(4) {
            unit.copy_from_slice(&[0, 0, 0, b'a']);
        }
        assert_eq!(model(&units), "a".repeat(32));
        // A `char` beyond ASCII is negative.
        units[4..12].copy_from_slice(&[0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0]);
        assert_eq!(model(&units), "a\u{fffd}");
    }
}
