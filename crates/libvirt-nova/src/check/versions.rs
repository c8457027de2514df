//! Versions of libvirt and QEMU, and what is lost by an old one.

use super::{
    facts::{Host, release},
    finding::Finding,
};
use crate::{collectors::Collector, families::TABLE};

const SUBJECT: &str = "versions";

pub(super) fn findings(host: &Host) -> Vec<Finding> {
    let [hypervisor, libvirt] = &host.versions;
    let shown = |version: &Option<String>| version.clone().unwrap_or_else(|| "unknown".to_owned());
    let both = format!("libvirt {}, QEMU {}", shown(libvirt), shown(hypervisor));
    let Some(version) = host.libvirt() else {
        let said = format!("{both}: whether it is too old for some families cannot be told");
        return vec![Finding::note(SUBJECT, said)];
    };
    let mut findings = Vec::new();
    let lost = lacking(host, version, Collector::is_default);
    let wanted = lacking(host, version, |collector| !collector.is_default());
    if !lost.is_empty() {
        let said = format!("{both}: too old for {}", families(&lost));
        findings.push(Finding::loss(SUBJECT, said).advised(
            "Upgrade libvirt; guests that were started before tell the new numbers, too.",
        ));
    }
    if !wanted.is_empty() {
        let said = format!("{both}: too old for what was asked for: {}", families(&wanted));
        findings.push(Finding::loss(SUBJECT, said));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(SUBJECT, both));
    }
    findings
}

/// The families of those collectors of a kind that a release of libvirt does not have.
fn lacking(
    host: &Host,
    version: (u32, u32),
    is_of_the_kind: fn(Collector) -> bool,
) -> Vec<(&'static str, &'static str)> {
    let selection = host.selection;
    let is_wanted = |collector: Collector| {
        // No disk counts these unless it is told to, which Nova does not.
        collector != Collector::BlockLatency
            && selection.collectors.has(collector)
            && is_of_the_kind(collector)
    };
    let sections = TABLE.iter().filter(|section| {
        section.collector.is_some_and(is_wanted)
            && section.compat.is_none_or(|exporter| selection.speaks(exporter))
    });
    let rows = sections.flat_map(|section| section.rows);
    let missing = rows.filter(|row| release(row.since).is_some_and(|since| version < since));
    missing.map(|row| (row.family.name, row.since)).collect()
}

fn families(missing: &[(&str, &str)]) -> String {
    let shown = missing.iter().take(SHOWN).map(|(name, since)| format!("{name} (since {since})"));
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if missing.len() > SHOWN {
        text.push_str(&format!(" and {} more", missing.len().saturating_sub(SHOWN)));
    }
    text
}

/// Families that a sentence holds.
const SHOWN: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::{facts::fixture::host, finding::Verdict},
        collectors::Collectors,
        families::Selection,
    };

    fn of(libvirt: Option<&str>, is_on: impl Fn(Collector) -> bool) -> Vec<Finding> {
        let selection = Selection { collectors: Collectors::of(is_on), ..Selection::default() };
        let versions = [Some("7.2.19".to_owned()), libvirt.map(str::to_owned)];
        findings(&Host { selection, versions, ..host(Vec::new()) })
    }

    #[test]
    fn an_old_libvirt_loses_steal_and_says_since_when_there_is_some() {
        let found = of(Some("7.1.0"), Collector::is_default);
        let [finding] = &found[..] else { panic!("{found:?}") };
        assert_eq!(finding.verdict, Verdict::Loss);
        assert_eq!(
            finding.said,
            "libvirt 7.1.0, QEMU 7.2.19: too old for libvirt_domain_vcpu_delay_seconds_total (since 7.2)"
        );
        let found = of(Some("7.1.0"), |it| it.is_default() && it != Collector::Vcpu);
        assert_eq!(found[0].verdict, Verdict::Ok, "nobody asks for it: {found:?}");
        for version in ["7.2.0", "9.0.0", "10.0.0"] {
            let found = of(Some(version), Collector::is_default);
            assert_eq!(found, [Finding::ok(SUBJECT, format!("libvirt {version}, QEMU 7.2.19"))]);
        }
    }

    #[test]
    fn what_was_asked_for_and_cannot_be_had_is_lost() {
        let found = of(Some("8.0.0"), |it| it == Collector::Vm);
        assert_eq!(found[0].verdict, Verdict::Loss);
        assert!(found[0].said.contains("(since 8.9)"), "{found:?}");
    }

    #[test]
    fn an_unknown_version_is_judged_by_nobody() {
        let found = of(None, Collector::is_default);
        assert_eq!(found[0].verdict, Verdict::Note);
        assert!(found[0].said.starts_with("libvirt unknown, QEMU 7.2.19: "), "{found:?}");
    }
}
