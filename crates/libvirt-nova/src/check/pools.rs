//! Storage pools.

use libvirt_wire::Procedure;

use super::{facts::Host, finding::Finding, naming, refusals};
use crate::{collectors::Collector, host::Pool};

const SUBJECT: &str = "pools";

pub(super) fn findings(host: &Host) -> Vec<Finding> {
    if !host.selection.collectors.has(Collector::Pool) {
        return Vec::new();
    }
    let list = Procedure::CONNECT_LIST_ALL_STORAGE_POOLS;
    if let Some(reason) = refusals::reason(host, list) {
        let said = format!("libvirtd does not say which storage pools there are: {reason}");
        let verdict = reason.verdict();
        return vec![
            Finding::new(verdict, SUBJECT, said)
                .mended(
                    "Where each driver has a daemon of its own, pools are this one's:",
                    ["systemctl start virtstoraged-ro.socket"],
                )
                .advised("Where there shall be none, --no-collector.pool spares the question."),
        ];
    }
    let pools = &host.snapshot.pools;
    let of = |is_meant: fn(&&Pool) -> bool| {
        pools.iter().filter(is_meant).map(|pool| pool.name.as_str()).collect::<Vec<_>>()
    };
    let silent = of(|pool| pool.is_silent);
    let refused = of(|pool| pool.info.is_none() && !pool.is_silent);
    let mut findings = Vec::new();
    if let Some(first) = silent.first() {
        let said = format!("storage does not answer: {}", naming::list(silent.iter().copied()));
        let first = naming::quoted(first);
        findings.push(Finding::loss(SUBJECT, said).mended(
            "Each of them holds one of libvirtd's workers. See where it is, and whether that answers:",
            [format!("{} pool-dumpxml {first}", host.virsh)],
        ));
    }
    if !refused.is_empty() {
        let said = format!("libvirt does not tell of {}", naming::list(refused.iter().copied()));
        findings.push(Finding::loss(SUBJECT, said));
    }
    if findings.is_empty() {
        let said = match pools.len() {
            0 => "none is defined, as Nova needs none".to_owned(),
            count => naming::count(count, "storage pool", "storage pools"),
        };
        findings.push(Finding::ok(SUBJECT, said));
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        check::{facts::fixture, finding::Verdict},
        snapshot::Snapshot,
    };

    fn of(pools: Vec<Pool>) -> Vec<Finding> {
        let snapshot = Arc::new(Snapshot { pools, ..Snapshot::default() });
        findings(&Host { snapshot, ..fixture::host(Vec::new()) })
    }

    #[test]
    fn a_pool_that_hangs_or_is_refused_is_lost() {
        let pool = |name: &str, is_silent| Pool { name: name.to_owned(), info: None, is_silent };
        let found = of(vec![pool("nfs", true), pool("odd", false)]);
        let [silent, refused] = &found[..] else { panic!("{found:?}") };
        assert_eq!((silent.verdict, refused.verdict), (Verdict::Loss, Verdict::Loss));
        assert!(silent.said.ends_with(": nfs") && refused.said.ends_with(" odd"), "{found:?}");
        assert_eq!(silent.remedies[0].commands, ["virsh pool-dumpxml 'nfs'"]);
        assert_eq!(of(Vec::new())[0].verdict, Verdict::Ok);
    }

    #[test]
    fn a_host_without_a_driver_for_pools_is_noted() {
        let mut host = fixture::host(Vec::new());
        host.failures = vec![(Procedure::CONNECT_LIST_ALL_STORAGE_POOLS.name, "3".to_owned())];
        let found = findings(&host);
        assert_eq!(found[0].verdict, Verdict::Note);
        assert!(found[0].said.ends_with(": it has no driver for that"), "{found:?}");
        host.failures =
            vec![(Procedure::CONNECT_LIST_ALL_STORAGE_POOLS.name, "abandoned".to_owned())];
        assert_eq!(findings(&host)[0].verdict, Verdict::Loss);
    }
}
