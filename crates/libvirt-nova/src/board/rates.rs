//! What counters did between two surveys.

use std::time::Duration;

use crate::{
    snapshot::Measured,
    stats::{Block, Net, Vcpu},
};

/// What the counters of a run did between two surveys, a second.
///
/// Of a counter that fell, or that one of the surveys did not have, nothing is said.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rates {
    pub(super) disks: Vec<DiskRates>,
    pub(super) interfaces: Vec<InterfaceRates>,
    pub(super) vcpus: Vec<VcpuRates>,
}

/// Those of a disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct DiskRates {
    pub(super) name: String,
    pub(super) read_bytes: Option<f64>,
    pub(super) written_bytes: Option<f64>,
    pub(super) read_requests: Option<f64>,
    pub(super) write_requests: Option<f64>,
}

/// Those of a network interface.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct InterfaceRates {
    pub(super) name: String,
    pub(super) received_bytes: Option<f64>,
    pub(super) transmitted_bytes: Option<f64>,
    /// Packets that were dropped, in either direction.
    pub(super) drops: Option<f64>,
}

/// Those of a vCPU: parts of the time, 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct VcpuRates {
    pub(super) number: u32,
    pub(super) in_use: Option<f64>,
    pub(super) steal: Option<f64>,
}

impl Rates {
    /// `None` where the two are not of one run, or there is no time between them.
    pub(super) fn between(before: &Measured, after: &Measured) -> Option<Self> {
        if before.instance.domain != after.instance.domain {
            return None;
        }
        let passed = after.at?.checked_duration_since(before.at?)?;
        if passed < LEAST {
            return None;
        }
        let (before, after) = (before.stats.as_ref()?, after.stats.as_ref()?);
        let rate = |read: &dyn Fn(&Block) -> Option<u64>, one: &Block, other: &Block| {
            per_second(read(one), read(other), passed)
        };
        let disks = pairs(&before.blocks, &after.blocks, |block| &block.name);
        let disks = disks.map(|(before, after)| DiskRates {
            name: after.name.clone(),
            read_bytes: rate(&|block| block.read_bytes, before, after),
            written_bytes: rate(&|block| block.written_bytes, before, after),
            read_requests: rate(&|block| block.read_requests, before, after),
            write_requests: rate(&|block| block.write_requests, before, after),
        });
        let interfaces = pairs(&before.nets, &after.nets, |net| &net.name);
        let interfaces = interfaces.map(|(before, after)| InterfaceRates {
            name: after.name.clone(),
            received_bytes: per_second(before.received_bytes, after.received_bytes, passed),
            transmitted_bytes: per_second(
                before.transmitted_bytes,
                after.transmitted_bytes,
                passed,
            ),
            drops: per_second(drops(before), drops(after), passed),
        });
        let part = |before: Option<Duration>, after: Option<Duration>| {
            Some(after?.checked_sub(before?)?.as_secs_f64() / passed.as_secs_f64())
        };
        let vcpus = pairs(&before.vcpus, &after.vcpus, |vcpu: &Vcpu| &vcpu.number);
        let vcpus = vcpus.map(|(before, after)| VcpuRates {
            number: after.number,
            in_use: part(before.time, after.time),
            steal: part(before.delay, after.delay),
        });
        Some(Self {
            disks: disks.collect(),
            interfaces: interfaces.collect(),
            vcpus: vcpus.collect(),
        })
    }

    /// What all disks, or interfaces, do together; `None` where nothing is known of any.
    pub(super) fn sum<T>(all: &[T], read: impl Fn(&T) -> Option<f64>) -> Option<f64> {
        all.iter().filter_map(read).reduce(|sum, one| sum + one)
    }

    /// Part of the time in which vCPUs waited for a CPU of the host, of all vCPUs' time.
    pub(super) fn steal(&self) -> Option<f64> {
        let steals: Vec<_> = self.vcpus.iter().filter_map(|vcpu| vcpu.steal).collect();
        let count = u32::try_from(steals.len()).ok().filter(|count| *count > 0)?;
        Some(steals.into_iter().sum::<f64>() / f64::from(count))
    }
}

/// Those that both have.
fn pairs<'b, 'a, T, K: PartialEq>(
    before: &'b [T],
    after: &'a [T],
    key: impl Fn(&T) -> &K,
) -> impl Iterator<Item = (&'b T, &'a T)> {
    after.iter().filter_map(move |after| {
        let before = before.iter().find(|before| key(before) == key(after))?;
        Some((before, after))
    })
}

fn per_second(before: Option<u64>, after: Option<u64>, passed: Duration) -> Option<f64> {
    let moved = after?.checked_sub(before?)?;
    #[expect(clippy::cast_precision_loss, reason = "sixteen digits are enough for a rate")]
    let moved = moved as f64;
    Some(moved / passed.as_secs_f64())
}

fn drops(net: &Net) -> Option<u64> {
    net.receive_drops?.checked_add(net.transmit_drops?)
}

/// The least time between two surveys of which a rate is made.
pub(super) const LEAST: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use libvirt_wire::{Domain, Uuid};
    use tokio::time::Instant;

    use super::*;
    use crate::{
        inventory::{Domains, Instance},
        snapshot::{Findings, Snapshot},
        stats::{DomainStats, State},
        survey::Reading,
    };

    /// What a survey finds of a run of a domain whose counters stand at `count`.
    fn measured(id: u32, at: Instant, count: u64) -> Measured {
        let uuid = Uuid([1; 16]);
        let domain = Domain { name: "instance-1".into(), uuid, id: Some(id) };
        let time = Some(Duration::from_secs(count));
        let vcpu = |number, delay| Vcpu { number, time, delay, ..Vcpu::default() };
        let block = |name: &str, read_bytes| Block {
            name: name.into(),
            read_bytes,
            write_requests: Some(count.saturating_mul(2)),
            ..Block::default()
        };
        let net = Net {
            name: "tap1".into(),
            received_bytes: Some(count.saturating_mul(3)),
            receive_drops: Some(count),
            transmit_drops: Some(count),
            ..Net::default()
        };
        let stats = DomainStats {
            state: Some(State::Running),
            vcpus: vec![vcpu(0, time), vcpu(1, Some(Duration::ZERO)), vcpu(2, None)],
            blocks: vec![block("vda", Some(count)), block("vdb", None)],
            nets: vec![net],
            ..DomainStats::default()
        };
        let mut findings = Findings::default();
        findings.survey.readings.insert(uuid, Reading { stats: Box::new(stats), at });
        let running = vec![Arc::new(Instance::new(domain))].into();
        let domains = Domains { running, ..Domains::default() };
        Snapshot::new(None, &domains, findings, std::time::SystemTime::now()).instances.remove(0)
    }

    #[test]
    fn rates_are_by_the_time_between_the_readings() {
        let began = Instant::now();
        let later = began.checked_add(Duration::from_secs(4)).unwrap();
        let rates = Rates::between(&measured(1, began, 10), &measured(1, later, 12)).unwrap();
        let DiskRates { read_bytes, write_requests, written_bytes, .. } = &rates.disks[0];
        assert_eq!((*read_bytes, *write_requests, *written_bytes), (Some(0.5), Some(1.0), None));
        assert_eq!(rates.disks[1].read_bytes, None, "libvirt gave none");
        assert_eq!(Rates::sum(&rates.disks, |disk| disk.read_bytes), Some(0.5));
        assert_eq!(Rates::sum(&rates.disks, |disk| disk.written_bytes), None);
        assert_eq!(Rates::sum(&rates.disks, |disk| disk.write_requests), Some(2.0));
        let InterfaceRates { received_bytes, transmitted_bytes, drops, .. } = &rates.interfaces[0];
        assert_eq!((*received_bytes, *transmitted_bytes, *drops), (Some(1.5), None, Some(1.0)));
        assert_eq!((rates.vcpus[0].in_use, rates.vcpus[0].steal), (Some(0.5), Some(0.5)));
        assert_eq!((rates.vcpus[1].steal, rates.vcpus[2].steal), (Some(0.0), None));
        assert_eq!(rates.steal(), Some(0.25), "of those vCPUs whose delay is known");
    }

    #[test]
    fn what_cannot_be_compared_has_no_rate() {
        let began = Instant::now();
        let after = |millis| began.checked_add(Duration::from_millis(millis)).unwrap();
        let rates = |before, after| Rates::between(&before, &after);
        let before = measured(1, began, 10);
        assert_eq!(rates(before.clone(), measured(2, after(4000), 12)), None, "another run");
        assert_eq!(rates(before.clone(), measured(1, after(100), 12)), None, "no time between");
        assert_eq!(rates(measured(1, after(4000), 12), before.clone()), None, "the other order");
        let fell = rates(before, measured(1, after(4000), 9)).unwrap();
        assert_eq!((fell.disks[0].read_bytes, fell.vcpus[0].in_use), (None, None));
    }
}
