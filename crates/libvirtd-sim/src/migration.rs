//! A live migration to another host: a job whose figures are a function of time.

use std::time::Duration;

use libvirt_wire::{TypedParam, Value};

/// A live migration to another host that is under way, or over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Migration {
    /// When it began, by the simulator's clock.
    pub(crate) began: Duration,
    /// When it began, by everybody's.
    pub(crate) since: tokio::time::Instant,
    /// Bytes of memory that the guest has.
    pub(crate) total: u64,
}

impl Migration {
    /// What libvirt tells of one that has been running until `now`.
    ///
    /// It sends 100 MB a second, goes through the memory once, and has a byte left until it is over.
    pub(crate) fn running(&self, now: Duration) -> Vec<TypedParam<'static>> {
        let elapsed = self.elapsed(now);
        let sent = elapsed.saturating_mul(BYTES_PER_MS).min(self.total.saturating_sub(1));
        let mut params = begin(elapsed, EXPECTED_DOWNTIME_MS);
        params.extend(self.progress(sent));
        params.extend(end(sent, 1));
        params
    }

    /// What it tells of one that is over by `now`.
    pub(crate) fn completed(&self, now: Duration) -> Vec<TypedParam<'static>> {
        let mut params = begin(self.elapsed(now), DOWNTIME_MS);
        params.extend(self.progress(self.total));
        params.push(count("memory_bps", BYTES_PER_MS.saturating_mul(1000)));
        params.extend(end(self.total, 2));
        params
    }

    /// In milliseconds.
    fn elapsed(&self, now: Duration) -> u64 {
        u64::try_from(now.saturating_sub(self.began).as_millis()).unwrap_or(u64::MAX)
    }

    fn progress(&self, sent: u64) -> [TypedParam<'static>; 6] {
        let remaining = self.total.saturating_sub(sent);
        [
            count("data_total", self.total),
            count("data_processed", sent),
            count("data_remaining", remaining),
            count("memory_total", self.total),
            count("memory_processed", sent),
            count("memory_remaining", remaining),
        ]
    }
}

fn begin(elapsed: u64, downtime: u64) -> Vec<TypedParam<'static>> {
    vec![
        TypedParam { field: "operation".into(), value: Value::Int(MIGRATION_OUT) },
        count("time_elapsed", elapsed),
        count("downtime", downtime),
        count("setup_time", 1),
    ]
}

fn end(sent: u64, iteration: u64) -> [TypedParam<'static>; 7] {
    [
        count("memory_constant", 238),
        count("memory_normal", sent / PAGE),
        count("memory_normal_bytes", sent),
        count("memory_dirty_rate", 0),
        count("memory_iteration", iteration),
        count("memory_postcopy_requests", 0),
        count("memory_page_size", PAGE),
    ]
}

fn count(field: &'static str, value: u64) -> TypedParam<'static> {
    TypedParam { field: field.into(), value: Value::ULLong(value) }
}

/// `VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT`
const MIGRATION_OUT: i32 = 5;
/// 100 MB a second.
const BYTES_PER_MS: u64 = 100_000;
const PAGE: u64 = 4096;
/// QEMU's limit until it has measured, and what is told meanwhile.
const EXPECTED_DOWNTIME_MS: u64 = 300;
const DOWNTIME_MS: u64 = 3;
