//! The domains that there are, and what is known of them.

use std::time::Duration;

use super::{door::Door, facts::Host, finding::Finding, naming};
use crate::inventory::{Instance, Metadata, Nova};

const SUBJECT: &str = "instances";

pub(super) fn findings(host: &Host) -> Vec<Finding> {
    let domains = &host.domains;
    let running = || domains.running.iter().map(|it| &**it);
    let mut findings = vec![found(host)];
    let unread = domains.unread.iter().map(|it| &**it);
    let unread: Vec<_> = unread.filter(|it| it.domain.id.is_some()).collect();
    let unknown: Vec<_> = running().filter(|it| it.metadata == Metadata::Unknown).collect();
    let empty = |instance: &&Instance| instance.metadata.nova() == Some(&Nova::default());
    let empty: Vec<_> = running().filter(empty).collect();
    let without_devices: Vec<_> = running().filter(|it| it.devices.is_none()).collect();
    for (lacking, what) in [
        (unread, "Nova's metadata could not be read, so the filters leave these instances out"),
        (unknown, "whether Nova made these could not be read, so all its families leave them out"),
        (empty, "Nova's element is there and says nothing, so these have no name and no project"),
        (
            without_devices,
            "the XML could not be read, so disks and interfaces of these lack their ids",
        ),
    ] {
        let Some(first) = lacking.first() else { continue };
        let said = format!("{what}: {}", naming::names(lacking.iter().copied()));
        let command = format!("{} dumpxml {}", host.virsh, naming::word(first));
        let words =
            "The log above says why, if libvirtd did. Look whether the XML can be had at all:";
        findings.push(Finding::loss(SUBJECT, said).mended(words, [command]));
    }
    findings
}

/// How many there are, and whose.
fn found(host: &Host) -> Finding {
    let domains = &host.domains;
    let running = domains.running.len();
    let is_novas = |it: &&std::sync::Arc<Instance>| it.metadata.nova().is_some();
    let novas = domains.running.iter().filter(is_novas).count();
    let inactive = domains.inactive.len();
    let mut said = match running {
        0 => "no domain runs".to_owned(),
        _ => format!(
            "{}, {novas} of them Nova's",
            naming::count(running, "domain runs", "domains run")
        ),
    };
    if inactive > 0 {
        let shut_off = naming::count(inactive, "is shut off", "are shut off");
        said.push_str(&format!("; {shut_off}"));
    }
    let served = running.saturating_add(inactive);
    let left_out = domains.count.saturating_sub(served);
    if host.is_filtered {
        let left_out = naming::count(left_out, "other is", "others are");
        said.push_str(&format!("; {left_out} left out by --instances and --projects"));
    }
    if running == 0 {
        let finding = Finding::note(SUBJECT, said);
        if host.is_filtered && left_out > 0 {
            return finding.advised("An expression has to match the whole of a name.");
        }
        let words = "Should there be some, look whether this is the libvirtd that Nova uses:";
        return finding.mended(words, [format!("{} list --all", host.virsh)]);
    }
    if host.is_filtered { Finding::note(SUBJECT, said) } else { Finding::ok(SUBJECT, said) }
}

/// libvirtd let us in, and does not say which domains there are.
pub(super) fn no_list(deadline: Duration, door: &Door) -> Finding {
    let said = format!(
        "libvirtd lets us in, but does not say within {deadline:?} which domains there are"
    );
    let virsh = door.virsh();
    Finding::loss(SUBJECT, said)
        .mended(
            "A domain whose QEMU does not die holds the list up for some 15 s. See whether it comes:",
            [format!("time {virsh} list --all")],
        )
        .mended(
            "If it does not, restart libvirt; guests go on running:",
            [format!("systemctl restart {}", door.service())],
        )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use libvirt_wire::{Domain, Uuid};

    use super::*;
    use crate::{
        check::{
            facts::fixture::{guest, host},
            finding::Verdict,
        },
        inventory::Domains,
    };

    fn well(name: &str) -> Instance {
        Instance::clone(&guest(name, |_| {}).instance)
    }

    fn of(running: Vec<Instance>, inactive: u8, others: usize, is_filtered: bool) -> Vec<Finding> {
        let shut_off = |number: u8| {
            let domain = Domain { name: number.to_string(), uuid: Uuid([number; 16]), id: None };
            Arc::new(Instance::new(domain))
        };
        let domains = Domains {
            count: running.len().saturating_add(usize::from(inactive)).saturating_add(others),
            running: running.into_iter().map(Arc::new).collect(),
            inactive: (0..inactive).map(shut_off).collect(),
            ..Domains::default()
        };
        findings(&Host { domains, is_filtered, ..host(Vec::new()) })
    }

    #[test]
    fn domains_are_counted_by_who_made_them_and_whether_they_run() {
        let foreign = Instance { metadata: Metadata::Foreign, ..well("builder") };
        assert_eq!(
            of(vec![well("a"), well("b"), foreign], 1, 0, false),
            [Finding::ok(SUBJECT, "3 domains run, 2 of them Nova's; 1 is shut off")]
        );
        assert_eq!(
            of(vec![well("a")], 0, 3, true),
            [Finding::note(
                SUBJECT,
                "1 domain runs, 1 of them Nova's; 3 others are left out by --instances and --projects"
            )]
        );
        let found = of(Vec::new(), 0, 0, false);
        assert_eq!((found[0].verdict, &*found[0].said), (Verdict::Note, "no domain runs"));
    }

    #[test]
    fn what_could_not_be_read_is_lost_and_named() {
        let unknown = Instance { metadata: Metadata::Unknown, ..well("unknown") };
        let empty = Instance { metadata: Metadata::Nova(Arc::default()), ..well("empty") };
        let bare = Instance { devices: None, ..well("bare") };
        let found = of(vec![well("well"), unknown, empty, bare], 0, 0, false);
        let [_, losses @ ..] = &found[..] else { panic!() };
        for (finding, name) in losses.iter().zip(["unknown", "empty", "bare"]) {
            assert_eq!(finding.verdict, Verdict::Loss);
            assert!(finding.said.ends_with(&format!(": {name}")), "{finding:?}");
            assert_eq!(finding.remedies[0].commands, [format!("virsh dumpxml {name}")]);
        }
        assert_eq!(losses.len(), 3);
    }

    #[test]
    fn whom_a_filter_cannot_judge_is_lost() {
        let unread = Instance { metadata: Metadata::Unknown, ..well("x") };
        let mut host = Host { is_filtered: true, ..host(vec![guest("y", |_| {})]) };
        host.domains.unread = [Arc::new(unread)].into();
        let found = findings(&host);
        assert_eq!(found[1].verdict, Verdict::Loss);
        assert!(found[1].said.contains("the filters leave these instances out: x"), "{found:?}");
    }
}
