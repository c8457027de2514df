//! The host's CPUs and memory.

use libvirt_wire::xdr::Writer;

use super::connect::{CELLS, CPUS, MEMORY_KIB};
use crate::{
    arguments::Arguments,
    host::Host,
    refusal::{Outcome, Refusal},
};

/// 102: a quarter is free.
pub(super) fn free_memory() -> Outcome {
    Ok(FREE_BYTES.to_be_bytes().to_vec())
}

/// 101
pub(super) fn cells_free_memory(arguments: &mut Arguments<'_>) -> Outcome {
    let (first, max) = (arguments.u32()?, arguments.u32()?);
    if first >= CELLS {
        return Err(Refusal::internal(format!("start cell {first} out of range (0-1)")));
    }
    let cells = first..first.saturating_add(max).min(CELLS);
    let mut writer = Writer::default();
    writer.length(cells.len());
    cells.for_each(|_| writer.u64(FREE_BYTES_OF_A_CELL));
    Ok(writer.into_bytes())
}

/// 227: each CPU spends a tenth of its time in the kernel and a fifth in user mode.
pub(super) fn cpu_stats(host: &Host, arguments: &mut Arguments<'_>) -> Outcome {
    let (cpu, count) = (arguments.i32()?, arguments.u32()?);
    let nanoseconds = u64::try_from(host.state().clock.now().as_nanos()).unwrap_or(u64::MAX);
    let cpus = match u32::try_from(cpu) {
        Ok(cpu) if cpu >= CPUS => {
            return Err(Refusal::internal(format!("Invalid cpuNum in virHostCPUGetStats: {cpu}")));
        }
        Ok(_) => 1,
        Err(_) => u64::from(CPUS),
    };
    let time = |tenths| (nanoseconds / 10).saturating_mul(tenths).saturating_mul(cpus);
    fields(count, [("kernel", time(1)), ("user", time(2)), ("idle", time(7)), ("iowait", 0)])
}

/// 228
pub(super) fn memory_stats(arguments: &mut Arguments<'_>) -> Outcome {
    let count = arguments.u32()?;
    fields(
        count,
        [
            ("total", MEMORY_KIB),
            ("free", FREE_BYTES / 1024),
            ("buffers", MEMORY_KIB / 64),
            ("cached", MEMORY_KIB / 16),
        ],
    )
}

/// Who asks for none is told how many there are, and is given no other number of them.
fn fields(count: u32, fields: [(&str, u64); 4]) -> Outcome {
    let mut writer = Writer::default();
    match count {
        0 => {
            writer.length(0);
            writer.u32(4);
        }
        4 => {
            writer.length(fields.len());
            for (field, value) in fields {
                writer.string(field);
                writer.u64(value);
            }
            writer.u32(0);
        }
        _ => return Err(Refusal::internal("Invalid stats count: nparams")),
    }
    Ok(writer.into_bytes())
}

/// What no guest and no program has.
const FREE_BYTES: u64 = MEMORY_KIB / 4 * 1024;
const FREE_BYTES_OF_A_CELL: u64 = FREE_BYTES / CELLS as u64;
