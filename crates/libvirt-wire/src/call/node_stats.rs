//! What the compute host did and holds: `virNodeGetCPUStats` and `virNodeGetMemoryStats`.
//!
//! Neither concerns a domain, and libvirtd keeps workers free for them.

use std::borrow::Cow;

use super::Call;
use crate::{
    error::DecodeError,
    procedure::Procedure,
    xdr::{Decode, Reader, Writer},
};

/// Asks what the compute host's CPUs did since it booted, in nanoseconds.
///
/// The QEMU driver refuses a `count` other than 0 and exactly how many there are.
#[derive(Clone, Copy, Debug)]
pub struct NodeGetCpuStats {
    /// One CPU's number, `None` for all together.
    pub cpu: Option<u32>,
    /// How many numbers; 0 asks how many there are.
    pub count: u32,
}

impl Call for NodeGetCpuStats {
    const PROCEDURE: Procedure = Procedure::NODE_GET_CPU_STATS;
    type Reply<'a> = NodeStats<'a>;

    fn encode(&self, arguments: &mut Writer) {
        arguments.u32(self.cpu.unwrap_or(ALL));
        arguments.u32(self.count);
        // Flags: there are none.
        arguments.u32(0);
    }
}

/// Asks what the compute host's memory is used for, in KiB.
///
/// The QEMU driver refuses a `count` other than 0 and exactly how many there are.
#[derive(Clone, Copy, Debug)]
pub struct NodeGetMemoryStats {
    /// One NUMA cell's number, `None` for all together.
    pub cell: Option<u32>,
    /// How many numbers; 0 asks how many there are, which is fewer for one cell.
    pub count: u32,
}

impl Call for NodeGetMemoryStats {
    const PROCEDURE: Procedure = Procedure::NODE_GET_MEMORY_STATS;
    type Reply<'a> = NodeStats<'a>;

    fn encode(&self, arguments: &mut Writer) {
        // The other way round than for CPUs.
        arguments.u32(self.count);
        arguments.u32(self.cell.unwrap_or(ALL));
        // Flags: there are none.
        arguments.u32(0);
    }
}

/// `VIR_NODE_CPU_STATS_ALL_CPUS` and `VIR_NODE_MEMORY_STATS_ALL_CELLS`, which are -1.
const ALL: u32 = u32::MAX;

/// Numbers of the compute host, by libvirt's names for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStats<'a> {
    /// The numbers; none where the call asked how many there are.
    pub fields: Vec<(Cow<'a, str>, u64)>,
    /// How many there are, where the call asked for that.
    pub count: u32,
}

impl<'a> Decode<'a> for NodeStats<'a> {
    const MIN_LEN: usize = 8;

    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            fields: reader.list("node stats", NODE_STATS_MAX)?,
            count: reader.u32("node stats count")?,
        })
    }
}

/// A `remote_node_get_cpu_stats` or `remote_node_get_memory_stats`.
impl<'a> Decode<'a> for (Cow<'a, str>, u64) {
    const MIN_LEN: usize = 12;

    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok((reader.string("node stats field")?, reader.u64("node stats value")?))
    }
}

/// `REMOTE_NODE_CPU_STATS_MAX` and `REMOTE_NODE_MEMORY_STATS_MAX`
const NODE_STATS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_and_cell_stand_in_different_places() {
        let cpu = NodeGetCpuStats { cpu: None, count: 4 };
        assert_eq!(cpu.arguments(), [[0xff; 4], [0, 0, 0, 4], [0; 4]].concat());
        let cell = NodeGetMemoryStats { cell: None, count: 4 };
        assert_eq!(cell.arguments(), [[0, 0, 0, 4], [0xff; 4], [0; 4]].concat());
        let cell = NodeGetMemoryStats { cell: Some(1), count: 0 };
        assert_eq!(cell.arguments(), [[0; 4], [0, 0, 0, 1], [0; 4]].concat());
    }
}
