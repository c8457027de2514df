//! Time that vCPUs wait for a CPU of the host: steal, which libvirt calls `delay`, and `wait`.
//!
//! libvirt has the first from `/proc/PID/task/TID/schedstat`, which counts in every kernel that has
//! `CONFIG_SCHED_INFO`, whatever `kernel.sched_schedstats` says. It has the second from
//! `/proc/PID/task/TID/sched`, where it is only while that setting is on, and under the name that
//! libvirt looks for only before Linux 5.16. What it does not find it calls 0.

use std::time::Duration;

use super::{
    facts::{Host, Kernel},
    finding::Finding,
    naming,
};
use crate::{
    collectors::Collector,
    inventory::Instance,
    stats::{DomainStats, Vcpu},
};

pub(super) fn findings(host: &Host) -> Vec<Finding> {
    if !host.selection.collectors.has(Collector::Vcpu) {
        return Vec::new();
    }
    let guests: Vec<_> = host
        .snapshot
        .instances
        .iter()
        .filter_map(|measured| Some((&*measured.instance, measured.stats.as_deref()?)))
        .filter(|(_, stats)| !stats.vcpus.is_empty())
        .collect();
    if guests.is_empty() {
        return Vec::new();
    }
    let mut findings = steal(host, &guests);
    findings.extend(wait(host.kernel, &guests));
    findings
}

fn steal(host: &Host, guests: &[(&Instance, &DomainStats)]) -> Vec<Finding> {
    const SUBJECT: &str = "steal";

    // The versions tell it.
    if host.libvirt().is_some_and(|version| version < DELAY_SINCE) {
        return Vec::new();
    }
    let lacks = |stats: &DomainStats| stats.vcpus.iter().any(|vcpu| vcpu.delay.is_none());
    let lacking: Vec<_> = guests.iter().filter(|(_, stats)| lacks(stats)).collect();
    if let Some((first, _)) = lacking.first() {
        let names = naming::names(lacking.iter().map(|(instance, _)| *instance));
        let said = format!("libvirt tells no steal (vcpu.N.delay) of {names}");
        let command = format!("{} domstats --vcpu {}", host.virsh, naming::word(first));
        let words = "See whether it tells virsh, and what it logs:";
        let commands = [command, "journalctl -u libvirtd -u virtqemud".to_owned()];
        return vec![Finding::loss(SUBJECT, said).mended(words, commands)];
    }
    if is_never(guests, |vcpu| vcpu.delay) {
        let said = "no vCPU has ever waited for a CPU, it says: the kernel does not count it";
        return vec![
            Finding::loss(SUBJECT, said)
                .mended(
                    "Nor does it then for any process; the second number is 0 everywhere:",
                    ["cat /proc/[0-9]*/schedstat"],
                )
                .mended(
                    "It takes a kernel with CONFIG_SCHED_INFO, as all distributions have; before Linux 5.14 one without CONFIG_SCHEDSTATS counts if it was booted with delayacct:",
                    ["grep SCHED /boot/config-$(uname -r)"],
                ),
        ];
    }
    vec![Finding::ok(SUBJECT, "the kernel counts how long vCPUs wait for a CPU")]
}

/// `wait` is the same time, counted elsewhere: nothing is lost that steal does not tell.
fn wait(kernel: Kernel, guests: &[(&Instance, &DomainStats)]) -> Option<Finding> {
    if !is_never(guests, |vcpu| vcpu.wait) {
        return None;
    }
    let zero = "libvirt_domain_vcpu_wait_seconds_total stands at 0; steal is the one to use";
    let is_renamed = kernel.release.is_none_or(|release| release >= WAIT_RENAMED);
    let finding = |why: &str| Finding::note("wait", format!("{zero}: {why}"));
    Some(match kernel.schedstats {
        None => finding("this kernel does not count wait (no kernel.sched_schedstats)"),
        Some(_) if is_renamed => {
            finding("from Linux 5.16 on libvirt looks for wait under a name that it has no more")
        }
        Some(true) => finding("libvirt does not find it, although kernel.sched_schedstats is 1"),
        Some(false) => finding("kernel.sched_schedstats is 0").mended(
            "Count it, too, for a little CPU time; and in /etc/sysctl.d for the next boot:",
            ["sysctl -w kernel.sched_schedstats=1"],
        ),
    })
}

/// Whether all vCPUs that have had time enough have never waited; not where none has.
fn is_never(guests: &[(&Instance, &DomainStats)], waited: fn(&Vcpu) -> Option<Duration>) -> bool {
    let vcpus = || guests.iter().flat_map(|(_, stats)| &stats.vcpus);
    let has_run = |vcpu: &&Vcpu| vcpu.time.is_some_and(|time| time >= ENOUGH);
    vcpus().any(|vcpu| has_run(&vcpu) && waited(vcpu).is_some())
        && vcpus().filter(has_run).filter_map(waited).all(|time| time.is_zero())
}

/// The first libvirt with `vcpu.N.delay`.
const DELAY_SINCE: (u32, u32) = (7, 2);
/// The Linux that took `se.statistics.` off the name of `wait_sum`.
const WAIT_RENAMED: (u32, u32) = (5, 16);
/// After so much time on a CPU a thread has waited for one: it was woken hundreds of times.
const ENOUGH: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{
        facts::fixture::{guest, host},
        finding::Verdict,
    };

    fn of(kernel: Kernel, spoil: impl Fn(&mut Vcpu)) -> Vec<Finding> {
        let guest = guest("web", |stats| stats.vcpus.iter_mut().for_each(&spoil));
        findings(&Host { kernel, ..host(vec![guest]) })
    }

    const OLD: Option<(u32, u32)> = Some((5, 10));
    const NEW: Option<(u32, u32)> = Some((6, 1));

    #[test]
    fn steal_that_is_not_told_is_lost() {
        let found = of(Kernel::default(), |vcpu| vcpu.delay = None);
        let [finding, ..] = &found[..] else { panic!() };
        assert_eq!(finding.verdict, Verdict::Loss);
        assert!(finding.said.ends_with(" of web"), "{finding:?}");
        assert_eq!(finding.remedies[0].commands[0], "virsh domstats --vcpu web");
    }

    #[test]
    fn steal_of_an_old_libvirt_is_the_versions_to_tell() {
        let guest = guest("web", |stats| stats.vcpus[0].delay = None);
        let mut host = host(vec![guest]);
        host.versions[1] = Some("7.1.0".to_owned());
        assert_eq!(findings(&host), []);
    }

    #[test]
    fn steal_that_stands_at_nothing_is_lost_and_does_not_hang_on_schedstats() {
        let zero = |vcpu: &mut Vcpu| vcpu.delay = Some(Duration::ZERO);
        for schedstats in [None, Some(false), Some(true)] {
            let found = of(Kernel { schedstats, release: OLD }, zero);
            assert_eq!((found[0].subject, found[0].verdict), ("steal", Verdict::Loss));
            let found = of(Kernel { schedstats, release: OLD }, |_| {});
            assert_eq!((found[0].subject, found[0].verdict), ("steal", Verdict::Ok));
        }
        let found = of(Kernel::default(), |vcpu| {
            zero(vcpu);
            vcpu.time = Some(Duration::from_millis(999));
        });
        assert_eq!(found[0].verdict, Verdict::Ok, "it has hardly run: {found:?}");
    }

    #[test]
    fn wait_that_stands_at_nothing_is_noted_with_the_command_where_one_helps() {
        let noted = |schedstats, release| {
            let found = of(Kernel { schedstats, release }, |vcpu| vcpu.wait = Some(Duration::ZERO));
            let [_, wait] = &found[..] else { panic!("{found:?}") };
            assert_eq!((wait.subject, wait.verdict), ("wait", Verdict::Note));
            wait.remedies.iter().flat_map(|remedy| remedy.commands.clone()).collect::<Vec<_>>()
        };
        assert_eq!(noted(Some(false), OLD), ["sysctl -w kernel.sched_schedstats=1"]);
        for (schedstats, release) in
            [(Some(true), OLD), (None, OLD), (Some(false), NEW), (Some(true), NEW), (None, NEW)]
        {
            assert_eq!(noted(schedstats, release), [""; 0], "{schedstats:?} {release:?}");
        }
        assert_eq!(of(Kernel { schedstats: Some(false), release: OLD }, |_| {}).len(), 1);
    }
}
