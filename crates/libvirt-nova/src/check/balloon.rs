//! What guests tell of their memory: their balloon.
//!
//! A guest that does not run is asked nothing, and one whose QEMU does not answer is another
//! subject's.

use super::{facts::Host, finding::Finding, naming};
use crate::{
    collectors::Collector,
    inventory::Instance,
    snapshot::Measured,
    stats::{DomainStats, State},
};

const SUBJECT: &str = "balloon";

/// Why a guest's memory is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// Nobody asks the guest.
    NoPeriod,
    /// It has never answered.
    NoDriver,
    /// It answers no more.
    Silent,
    /// It answers, but not what is in use.
    OldDriver,
}

pub(super) fn findings(host: &Host) -> Vec<Finding> {
    let collectors = host.selection.collectors;
    if ![Collector::Memory, Collector::Instance].into_iter().any(|it| collectors.has(it)) {
        return Vec::new();
    }
    let asked: Vec<_> = host
        .snapshot
        .instances
        .iter()
        .filter_map(|measured| {
            let stats = measured.stats.as_ref().filter(|stats| stats.is_complete())?;
            let runs = matches!(stats.state, Some(State::Running | State::Blocked));
            runs.then(|| (&*measured.instance, cause(measured, stats)))
        })
        .collect();
    let all = asked.len();
    let of = |cause| {
        let lacking = asked.iter().filter(move |(_, found)| *found == Some(cause));
        lacking.map(|(instance, _)| *instance).collect::<Vec<_>>()
    };
    let mut findings = Vec::new();
    for cause in [Cause::NoPeriod, Cause::NoDriver, Cause::Silent, Cause::OldDriver] {
        let lacking = of(cause);
        if let Some(first) = lacking.first() {
            let guests = naming::count(all, "guest", "guests");
            let names = naming::names(lacking.iter().copied());
            let said = format!("{} by {} of {guests}: {names}", sentence(cause), lacking.len());
            findings.push(mended(Finding::loss(SUBJECT, said), cause, first, &host.virsh));
        }
    }
    if findings.is_empty() && all > 0 {
        let said = naming::count(all, "guest tells of its memory", "guests tell of their memory");
        findings.push(Finding::ok(SUBJECT, said));
    }
    findings
}

/// Why nobody knows what memory a guest uses; `None` where it is known.
fn cause(measured: &Measured, stats: &DomainStats) -> Option<Cause> {
    let devices = measured.instance.devices.as_deref();
    if devices.is_some_and(|devices| devices.balloon_period.is_none()) {
        return Some(Cause::NoPeriod);
    }
    if stats.balloon.last_update.is_none() {
        return Some(Cause::NoDriver);
    }
    match &measured.balloon {
        None => Some(Cause::Silent),
        Some(balloon) => balloon.used().is_none().then_some(Cause::OldDriver),
    }
}

fn sentence(cause: Cause) -> &'static str {
    match cause {
        Cause::NoPeriod => "no stats period, so memory is not told",
        Cause::NoDriver => "memory has never been told",
        Cause::Silent => "memory has not been told for three periods",
        Cause::OldDriver => "memory is told, but not what of it is usable,",
    }
}

fn mended(finding: Finding, cause: Cause, first: &Instance, virsh: &str) -> Finding {
    let first = naming::word(first);
    match cause {
        Cause::NoPeriod => finding
            .mended(
                "For those that run, each of them; it holds until it is stopped:",
                [format!("{virsh} dommemstat {first} --period 10 --live")],
            )
            .mended(
                "For those to come, in nova.conf of nova-compute, and restart that; with 0 there is not even a balloon:",
                ["[libvirt]", "mem_stats_period_seconds = 10"],
            ),
        Cause::NoDriver => finding
            .advised("One that has booted a moment ago does so within its period.")
            .mended(
                "Else its kernel has not loaded the balloon's driver. In a Linux guest:",
                ["modprobe virtio_balloon"],
            )
            .advised("In a Windows guest install virtio-win's balloon driver and its service."),
        Cause::Silent => finding
            .mended(
                "The guest hangs, has crashed, or its driver was unloaded. See when it answered last:",
                [format!("{virsh} dommemstat {first}")],
            )
            .mended(
                "and what it shows:",
                [format!("{virsh} screenshot {first} /tmp/{first}.ppm")],
            ),
        Cause::OldDriver => {
            finding.advised("Its balloon driver is older than Linux 4.6's; update the guest.")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        check::{
            facts::fixture::{guest, host},
            finding::Verdict,
        },
        collectors::Collectors,
        inventory::Devices,
    };

    fn without_period(name: &str) -> Measured {
        let mut guest = guest(name, |_| {});
        let instance = Instance::clone(&guest.instance);
        let devices = Some(Arc::new(Devices::default()));
        guest.instance = Arc::new(Instance { devices, ..instance });
        guest
    }

    fn silent(name: &str) -> Measured {
        Measured { balloon: None, ..guest(name, |_| {}) }
    }

    #[test]
    fn each_cause_is_told_apart_and_names_its_guests() {
        let guests = vec![
            guest("well", |_| {}),
            without_period("unasked"),
            guest("driverless", |stats| stats.balloon.last_update = None),
            silent("silent"),
            guest("old", |stats| stats.balloon.usable = None),
            without_period("unasked-too"),
        ];
        let found = findings(&host(guests));
        let said: Vec<_> = found.iter().map(|finding| &*finding.said).collect();
        assert_eq!(
            said,
            [
                "no stats period, so memory is not told by 2 of 6 guests: unasked, unasked-too",
                "memory has never been told by 1 of 6 guests: driverless",
                "memory has not been told for three periods by 1 of 6 guests: silent",
                "memory is told, but not what of it is usable, by 1 of 6 guests: old",
            ]
        );
        assert!(found.iter().all(|finding| finding.verdict == Verdict::Loss));
        let commands = &found[0].remedies[0].commands;
        assert_eq!(commands, &["virsh dommemstat unasked --period 10 --live"]);
        assert!(found[1].remedies.iter().any(|it| it.commands == ["modprobe virtio_balloon"]));
    }

    #[test]
    fn a_guest_that_is_paused_or_stuck_is_no_loss_of_the_balloons() {
        let guests = vec![
            Measured { balloon: None, ..guest("paused", |it| it.state = Some(State::Paused)) },
            guest("stuck", |stats| {
                stats.balloon.rss = None;
                stats.balloon.last_update = None;
            }),
            Measured { stats: None, balloon: None, ..guest("nothing", |_| {}) },
        ];
        assert_eq!(findings(&host(guests)), []);
        let found = findings(&host(vec![guest("well", |_| {})]));
        assert_eq!(found, [Finding::ok(SUBJECT, "1 guest tells of its memory")]);
    }

    #[test]
    fn nobody_misses_memory_that_is_not_served() {
        let mut host = host(vec![silent("silent")]);
        host.selection.collectors = Collectors::of(|it| it == Collector::Vcpu);
        assert_eq!(findings(&host), []);
    }
}
