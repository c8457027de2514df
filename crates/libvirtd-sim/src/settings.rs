//! What a simulator starts with.

use std::time::Duration;

/// What a simulator starts with; the defaults are those of a libvirtd as it is
/// packaged, with three domains.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many domains run.
    pub domains: u32,
    /// The number of the first of them: `instance-00000001`. Hosts of one cloud have none in common.
    pub first: u32,
    /// How long each call takes, and in it each domain whose monitor is asked.
    pub latency: Duration,
    /// `max_workers`: how many calls are served at a time.
    pub workers: usize,
    /// `prio_workers`: how many more serve only what never waits for a domain.
    pub priority_workers: usize,
    /// `VIR_JOB_WAIT_TIME`: how long a call without NOWAIT waits for a domain's job.
    pub job_wait: Duration,
    /// `keepalive_interval`: how long a client may be silent before it is pinged.
    pub keepalive_interval: Duration,
    /// `keepalive_count`: how many pings may stay unanswered.
    pub keepalive_count: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            domains: 3,
            first: 1,
            latency: Duration::ZERO,
            workers: 20,
            priority_workers: 5,
            job_wait: Duration::from_secs(30),
            keepalive_interval: Duration::from_secs(5),
            keepalive_count: 5,
        }
    }
}
