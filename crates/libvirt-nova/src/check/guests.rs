//! Guests whose QEMU does not answer.

use libvirt_wire::call::ControlState;

use super::{facts::Host, finding::Finding, naming};
use crate::{inventory::Instance, snapshot::Measured, stats::DomainStats};

const SUBJECT: &str = "guests";

pub(super) fn findings(host: &Host) -> Vec<Finding> {
    let guests = &host.snapshot.instances;
    if guests.is_empty() {
        return Vec::new();
    }
    let is_complete =
        |guest: &&Measured| guest.stats.as_deref().is_some_and(DomainStats::is_complete);
    let (complete, lacking): (Vec<_>, Vec<_>) = guests.iter().partition(is_complete);
    let control = |guest: &Measured| guest.control.and_then(|info| info.state);
    let (stuck, others): (Vec<_>, Vec<_>) = lacking
        .into_iter()
        .partition(|guest| guest.is_silent || control(guest) == Some(ControlState::Occupied));
    let (busy, others): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|guest| control(guest) == Some(ControlState::Job));
    let mut findings = Vec::new();
    if let Some(first) = stuck.first() {
        let said = format!("QEMU does not answer libvirt: {}", names(&stuck));
        findings.push(look(Finding::loss(SUBJECT, said), &first.instance, host));
    }
    if !busy.is_empty() {
        let said = format!(
            "a job keeps QEMU from telling of memory and disks: {}; it comes back with its end",
            names(&busy)
        );
        findings.push(Finding::note(SUBJECT, said));
    }
    if let Some(first) = others.first() {
        let said = format!("libvirt tells nothing of memory and disks: {}", names(&others));
        let mut finding = look(Finding::loss(SUBJECT, said), &first.instance, host);
        if host.skipped.abandoned > 0 {
            finding = finding.advised(
                "So many calls hang in guests that no QEMU is asked any more (--max-abandoned): end those that hang first.",
            );
        }
        if host.skipped.deadline > 0 {
            finding = finding.advised(
                "The time was over before their turn came. See whether more is enough (--deadline 30s here, scrape_timeout in Prometheus).",
            );
        }
        findings.push(finding);
    }
    if findings.is_empty() {
        let all = naming::count(complete.len(), "guest", "guests");
        findings.push(Finding::ok(SUBJECT, format!("QEMU answers libvirt: {all}")));
    }
    findings
}

/// Adds where to look for what is wrong with a guest.
fn look(finding: Finding, instance: &Instance, host: &Host) -> Finding {
    let (virsh, word) = (&host.virsh, naming::word(instance));
    // By its UUID, for names repeat each other's beginnings.
    let uuid = &instance.uuid;
    finding
        .mended("See since when somebody waits for it:", [format!("{virsh} domcontrol {word}")])
        .mended(
            "and what its QEMU does: T is stopped, D waits for storage (wchan says for what):",
            [format!("ps -o pid,stat,wchan:30 -p $(pgrep -f -- '-uuid {uuid}')")],
        )
        .mended(
            "A QEMU that is stopped goes on by",
            [format!("kill -CONT $(pgrep -f -- '-uuid {uuid}')")],
        )
}

fn names(guests: &[&Measured]) -> String {
    naming::names(guests.iter().map(|guest| &*guest.instance))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use libvirt_wire::call::ControlInfo;

    use super::*;
    use crate::{
        check::{
            facts::fixture::{guest, host},
            finding::Verdict,
        },
        survey::Skipped,
    };

    fn lacking(name: &str, state: ControlState) -> Measured {
        let guest = guest(name, |stats| stats.balloon.rss = None);
        let control = Some(ControlInfo { state: Some(state), since: Duration::from_secs(9) });
        Measured { control, ..guest }
    }

    #[test]
    fn a_stuck_guest_is_lost_and_named_with_where_to_look() {
        let held =
            Measured { stats: None, control: None, is_silent: true, ..guest("held", |_| {}) };
        let guests = vec![guest("well", |_| {}), lacking("stuck", ControlState::Occupied), held];
        let found = findings(&host(guests));
        let [finding] = &found[..] else { panic!("{found:?}") };
        assert_eq!(finding.verdict, Verdict::Loss);
        assert_eq!(finding.said, "QEMU does not answer libvirt: stuck, held");
        assert_eq!(finding.remedies[0].commands, ["virsh domcontrol stuck"]);
    }

    #[test]
    fn a_job_passes() {
        let found = findings(&host(vec![lacking("busy", ControlState::Job)]));
        let [finding] = &found[..] else { panic!("{found:?}") };
        assert_eq!(finding.verdict, Verdict::Note);
    }

    #[test]
    fn what_lacks_something_for_another_reason_is_lost_and_told_why() {
        let skipped = Skipped { deadline: 1, ..Skipped::default() };
        let guests = vec![lacking("late", ControlState::Ok)];
        let found = findings(&Host { skipped, ..host(guests) });
        let [finding] = &found[..] else { panic!("{found:?}") };
        assert_eq!(finding.verdict, Verdict::Loss);
        let advice: Vec<_> = finding.remedies.iter().map(|it| &*it.words).collect();
        assert!(advice.iter().any(|it| it.starts_with("The time was over")), "{advice:?}");
        assert!(advice.iter().all(|it| !it.contains("--max-abandoned")), "{advice:?}");
    }

    #[test]
    fn one_that_waits_for_a_moment_and_gave_all_is_well() {
        let control = Some(ControlInfo {
            state: Some(ControlState::Occupied),
            since: Duration::from_millis(3),
        });
        let guests = vec![Measured { control, ..guest("well", |_| {}) }];
        assert_eq!(
            findings(&host(guests)),
            [Finding::ok(SUBJECT, "QEMU answers libvirt: 1 guest")]
        );
        assert_eq!(findings(&host(Vec::new())), []);
    }
}
