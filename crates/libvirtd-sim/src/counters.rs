//! What a domain has done, as a function of its number and the time it ran.
//!
//! Nothing is stored and nothing is random: who knows how long a domain has run
//! knows every counter. With `n` the domain's number and `s` the whole seconds
//! it ran, those that are no plain share of time:
//!
//! * busy: `5 + 37n mod 95` percent of each vCPU
//! * network interface `k`: `1000 * (n mod 10 + k + 1)` bytes received a
//!   second, half as many sent, 500 bytes a packet
//! * disk `k`: `10 * (n mod 7 + k + 1)` reads of 4096 bytes a second, half as
//!   many writes, each of 50 µs, one flush a second
//! * memory: 15/16 of the flavor's is the guest's own, `40 + s mod 20` percent
//!   of that is usable, half of the usable unused

use std::time::Duration;

/// What a domain has done in one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counters {
    number: u32,
    /// How long its vCPUs were allowed to run.
    ran: Duration,
}

/// Of one network interface.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traffic {
    pub(crate) rx_bytes: u64,
    pub(crate) rx_packets: u64,
    pub(crate) tx_bytes: u64,
    pub(crate) tx_packets: u64,
    pub(crate) rx_drop: u64,
}

/// Of one disk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Requests {
    pub(crate) reads: u64,
    pub(crate) writes: u64,
    pub(crate) flushes: u64,
}

impl Requests {
    /// Bytes that so many requests moved.
    pub(crate) fn bytes(requests: u64) -> u64 {
        requests.saturating_mul(4096)
    }

    /// Nanoseconds that so many requests took.
    pub(crate) fn nanoseconds(requests: u64) -> u64 {
        requests.saturating_mul(50_000)
    }
}

impl Counters {
    pub(crate) fn new(number: u32, ran: Duration) -> Self {
        Self { number, ran }
    }

    /// How busy each vCPU is, in percent.
    pub(crate) fn busy_percent(&self) -> u64 {
        (u64::from(self.number).saturating_mul(37) % 95).saturating_add(5)
    }

    /// CPU time of one vCPU, in nanoseconds.
    pub(crate) fn vcpu_time(&self) -> u64 {
        share(self.nanoseconds(), self.busy_percent(), 100)
    }

    /// Time that a vCPU was ready and another had its host CPU, in nanoseconds.
    pub(crate) fn vcpu_delay(&self) -> u64 {
        share(self.nanoseconds(), 1, 200)
    }

    /// CPU time of all vCPUs and a hundredth of a CPU for QEMU itself, in nanoseconds.
    pub(crate) fn cpu_time(&self, vcpus: u32) -> u64 {
        let emulator = share(self.nanoseconds(), 1, 100);
        self.vcpu_time().saturating_mul(vcpus.into()).saturating_add(emulator)
    }

    /// Of `cpu_time`, what was spent in user mode.
    pub(crate) fn user_time(&self, vcpus: u32) -> u64 {
        share(self.cpu_time(vcpus), 9, 10)
    }

    /// Of `cpu_time`, what was spent in the kernel.
    pub(crate) fn system_time(&self, vcpus: u32) -> u64 {
        self.cpu_time(vcpus).saturating_sub(self.user_time(vcpus))
    }

    pub(crate) fn traffic(&self, interface: u32) -> Traffic {
        let rate = u64::from(self.number % 10).saturating_add(interface.into()).saturating_add(1);
        // 1000 bytes a second are one a millisecond.
        let rx_bytes = self.milliseconds().saturating_mul(rate);
        let tx_bytes = rx_bytes / 2;
        Traffic {
            rx_bytes,
            rx_packets: rx_bytes / 500,
            tx_bytes,
            tx_packets: tx_bytes / 500,
            rx_drop: self.ran.as_secs() / 60,
        }
    }

    pub(crate) fn requests(&self, disk: u32) -> Requests {
        let rate = u64::from(self.number % 7).saturating_add(disk.into()).saturating_add(1);
        let reads = (self.milliseconds() / 100).saturating_mul(rate);
        Requests { reads, writes: reads / 2, flushes: self.ran.as_secs() }
    }

    /// Page faults that the guest had: one a second read from disk, a hundred not.
    pub(crate) fn faults(&self) -> (u64, u64) {
        (self.ran.as_secs(), self.ran.as_secs().saturating_mul(100))
    }

    /// Of `available` KiB, what the guest could use without swapping.
    pub(crate) fn usable_kib(&self, available: u64) -> u64 {
        share(available, (self.ran.as_secs() % 20).saturating_add(40), 100)
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.ran.as_millis()).unwrap_or(u64::MAX)
    }

    fn nanoseconds(&self) -> u64 {
        u64::try_from(self.ran.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// `numerator / denominator` of `whole`, rounded down.
fn share(whole: u64, numerator: u64, denominator: u64) -> u64 {
    let product = u128::from(whole).saturating_mul(numerator.into());
    let share = product.checked_div(denominator.into()).unwrap_or(0);
    u64::try_from(share).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_what_the_formulas_say() {
        let counters = Counters::new(1, Duration::from_secs(100));
        assert_eq!(counters.busy_percent(), 42);
        assert_eq!(counters.vcpu_time(), 42_000_000_000);
        assert_eq!(counters.cpu_time(2), 85_000_000_000);
        assert_eq!(counters.user_time(2), 76_500_000_000);
        assert_eq!(counters.traffic(0).rx_bytes, 200_000);
        assert_eq!(counters.requests(1).reads, 3000);
        assert_eq!(counters.usable_kib(1000), 400);
    }
}
