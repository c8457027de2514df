//! Where CPU time comes from, and who has none.

use super::{facts::Host, finding::Finding, naming};
use crate::{collectors::Collector, poll::Source};

const SUBJECT: &str = "cpu";

pub(super) fn findings(host: &Host) -> Vec<Finding> {
    let collectors = host.selection.collectors;
    let guests = &host.snapshot.instances;
    if guests.is_empty()
        || ![Collector::Instance, Collector::Cpu].iter().any(|it| collectors.has(*it))
    {
        return Vec::new();
    }
    let lacking: Vec<_> = guests.iter().filter(|guest| guest.cpu.total.is_none()).collect();
    if let Some(first) = lacking.first() {
        let names = naming::names(lacking.iter().map(|guest| &*guest.instance));
        let said = format!("libvirt tells no CPU time: {names}");
        let (virsh, word) = (&host.virsh, naming::word(&first.instance));
        return vec![
            Finding::loss(SUBJECT, said)
                .mended(
                    "See what virsh is told, of the cgroup and of the process:",
                    [format!("{virsh} cpu-stats --total {word}"), format!("{virsh} dominfo {word}")],
                )
                .mended(
                    "Guests that were started before libvirt had cgroups have none until they are started again; whether it has:",
                    ["grep cgroup_controllers /etc/libvirt/qemu.conf"],
                ),
        ];
    }
    vec![match host.cpu_source {
        Some(Source::Process) => Finding::note(
            SUBJECT,
            "guests run without cgroups: CPU time is that of the QEMU process",
        ),
        Some(Source::Cgroup) | None => Finding::ok(SUBJECT, "CPU time comes from the cgroups"),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::{
            facts::fixture::{guest, host},
            finding::Verdict,
        },
        poll::CpuTime,
        snapshot::Measured,
    };

    #[test]
    fn who_has_no_cpu_time_is_lost_and_named() {
        let without = Measured { cpu: CpuTime::default(), ..guest("without", |_| {}) };
        let found = findings(&host(vec![guest("well", |_| {}), without]));
        let [finding] = &found[..] else { panic!("{found:?}") };
        assert_eq!(finding.verdict, Verdict::Loss);
        assert_eq!(finding.said, "libvirt tells no CPU time: without");
        assert_eq!(finding.remedies[0].commands[0], "virsh cpu-stats --total without");
    }

    #[test]
    fn a_host_without_cgroups_is_noted() {
        let mut host = host(vec![guest("well", |_| {})]);
        assert_eq!(findings(&host)[0].verdict, Verdict::Ok);
        host.cpu_source = Some(Source::Process);
        assert_eq!(findings(&host)[0].verdict, Verdict::Note);
    }
}
