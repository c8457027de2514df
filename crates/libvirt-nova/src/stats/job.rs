//! A job that runs in a domain, or the last one that did: `virDomainGetJobStats`.

use std::time::Duration;

use libvirt_wire::TypedParam;

/// A migration, a save, a dump, a backup: what libvirt calls a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Job {
    /// `virDomainJobType`: 0 none, 1 bounded, 2 unbounded, 3 completed, 4 failed, 5 cancelled.
    pub(crate) kind: Option<u64>,
    pub(crate) operation: Option<Operation>,
    pub(crate) elapsed: Option<Duration>,
    pub(crate) remaining: Option<Duration>,
    /// How long the guest stands still, as expected or, in the end, as it was.
    pub(crate) downtime: Option<Duration>,
    /// How long the preparation took.
    pub(crate) setup: Option<Duration>,
    pub(crate) data: Progress,
    pub(crate) memory: Progress,
    pub(crate) disk: Progress,
    /// Bytes of memory sent a second.
    pub(crate) memory_rate: Option<u64>,
    /// Bytes of disks sent a second.
    pub(crate) disk_rate: Option<u64>,
    /// Bytes that the guest writes a second.
    pub(crate) dirty_rate: Option<u64>,
    /// How many times the memory has been gone through.
    pub(crate) iteration: Option<u64>,
    /// Pages that the destination asked for.
    pub(crate) postcopy_requests: Option<u64>,
    /// Percent by which vCPUs are slowed down.
    pub(crate) throttle: Option<u64>,
    page_size: Option<u64>,
    dirty_pages: Option<u64>,
}

/// How far a job is, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) total: Option<u64>,
    pub(crate) processed: Option<u64>,
    pub(crate) remaining: Option<u64>,
}

/// `virDomainJobOperation`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation(u64);

impl Job {
    /// `kind` is `virDomainJobType`, where the source says it.
    pub(crate) fn new(kind: Option<i32>, params: &[TypedParam<'_>]) -> Self {
        let kind = kind.and_then(|kind| u64::try_from(kind).ok());
        let mut job = Self { kind, ..Self::default() };
        for TypedParam { field, value } in params {
            let number = value.unsigned();
            let milliseconds = number.map(Duration::from_millis);
            match &**field {
                "operation" => job.operation = number.map(Operation),
                "time_elapsed" => job.elapsed = milliseconds,
                "time_remaining" => job.remaining = milliseconds,
                "downtime" => job.downtime = milliseconds,
                "setup_time" => job.setup = milliseconds,
                "data_total" => job.data.total = number,
                "data_processed" => job.data.processed = number,
                "data_remaining" => job.data.remaining = number,
                "memory_total" => job.memory.total = number,
                "memory_processed" => job.memory.processed = number,
                "memory_remaining" => job.memory.remaining = number,
                "disk_total" => job.disk.total = number,
                "disk_processed" => job.disk.processed = number,
                "disk_remaining" => job.disk.remaining = number,
                "memory_bps" => job.memory_rate = number,
                "disk_bps" => job.disk_rate = number,
                "memory_dirty_rate" => job.dirty_pages = number,
                "memory_page_size" => job.page_size = number,
                "memory_iteration" => job.iteration = number,
                "memory_postcopy_requests" => job.postcopy_requests = number,
                "auto_converge_throttle" => job.throttle = number,
                _ => {}
            }
        }
        // libvirt gives pages a second, and the size of a page apart.
        let pages = job.dirty_pages.zip(job.page_size);
        job.dirty_rate = pages.and_then(|(pages, size)| pages.checked_mul(size));
        job
    }

    /// Whether the job is a migration, from here or to here.
    pub(crate) fn is_migration(&self) -> bool {
        let is_it = |of: Operation| matches!(of.word(), "migration_in" | "migration_out");
        self.operation.is_some_and(is_it)
    }

    /// Whether the job is, or was, a migration to another host.
    pub(crate) fn is_migration_away(&self) -> bool {
        self.operation.is_some_and(|of| of.word() == "migration_out")
    }
}

impl Operation {
    /// libvirt's constant in lower case, without its prefix.
    pub(crate) fn word(self) -> &'static str {
        let words = [
            "unknown",
            "start",
            "save",
            "restore",
            "migration_in",
            "migration_out",
            "snapshot",
            "snapshot_revert",
            "dump",
            "backup",
            "snapshot_delete",
        ];
        let at = usize::try_from(self.0).unwrap_or_default();
        words.get(at).copied().unwrap_or("unknown")
    }
}

#[cfg(test)]
mod tests {
    use libvirt_wire::Value;

    use super::*;

    #[test]
    fn a_rate_of_pages_becomes_one_of_bytes() {
        let param = |field: &'static str, value| TypedParam { field: field.into(), value };
        let pages = param("memory_dirty_rate", Value::ULLong(3));
        let size = param("memory_page_size", Value::ULLong(4096));
        let operation = param("operation", Value::Int(5));
        let job = Job::new(Some(2), &[operation, pages.clone(), size]);
        assert_eq!(job.dirty_rate, Some(12_288));
        assert!(job.is_migration());
        assert_eq!(Job::new(Some(2), &[pages]).dirty_rate, None);
    }
}
