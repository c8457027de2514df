//! Calls that libvirtd refuses or leaves unanswered, of collectors that are on.

use std::fmt;

use libvirt_wire::Procedure;

use super::{
    facts::Host,
    finding::{Finding, Verdict},
};
use crate::collectors::Collector;

const SUBJECT: &str = "collectors";

/// The calls that whole collectors hang on, but for those that have a subject of their own.
const CALLS: [(Procedure, Collector); 9] = [
    (Procedure::NODE_GET_INFO, Collector::Node),
    (Procedure::NODE_GET_FREE_MEMORY, Collector::Node),
    (Procedure::NODE_GET_CPU_STATS, Collector::NodeDetail),
    (Procedure::NODE_GET_MEMORY_STATS, Collector::NodeDetail),
    (Procedure::NODE_GET_CELLS_FREE_MEMORY, Collector::NodeDetail),
    (Procedure::DOMAIN_GET_JOB_STATS, Collector::Job),
    (Procedure::DOMAIN_GET_STATE, Collector::Domain),
    (Procedure::DOMAIN_GET_CONTROL_INFO, Collector::Domain),
    (Procedure::CONNECT_DOMAIN_EVENT_REGISTER_ANY, Collector::Event),
];

/// Why a call is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason<'h> {
    /// It hangs.
    Silent,
    /// libvirtd has no driver for it.
    Absent,
    /// libvirtd says no, with this error.
    Refused(&'h str),
}

impl Reason<'_> {
    /// What libvirt has no driver for, this host does not have: nothing of it is lost.
    pub(super) fn verdict(self) -> Verdict {
        match self {
            Self::Absent => Verdict::Note,
            Self::Silent | Self::Refused(_) => Verdict::Loss,
        }
    }
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("it does not answer"),
            Self::Absent => f.write_str("it has no driver for that"),
            Self::Refused(code) => write!(f, "it refuses (error {code})"),
        }
    }
}

pub(super) fn findings(host: &Host) -> Vec<Finding> {
    let on = CALLS.into_iter().filter(|(_, it)| host.selection.collectors.has(*it));
    let refused = on.filter_map(|(procedure, collector)| {
        let reason = reason(host, procedure)?;
        let said = format!("{} lacks what {procedure} tells: {reason}", collector.name());
        let verdict = reason.verdict();
        let advice = format!("--no-collector.{} spares the question.", collector.name());
        Some(Finding::new(verdict, SUBJECT, said).advised(advice))
    });
    refused.collect()
}

/// Why libvirtd does not answer a procedure at all, where it does not.
///
/// What it does not tell of one domain is a matter of that domain, which may have ended.
pub(super) fn reason(host: &Host, procedure: Procedure) -> Option<Reason<'_>> {
    let is_of_domains = procedure.name.starts_with("Domain");
    let mut failures = host.failures.iter().filter(|(name, _)| *name == procedure.name);
    failures.find_map(|(_, reason)| match reason.as_str() {
        "3" | "74" | "84" => Some(Reason::Absent),
        _ if is_of_domains => None,
        "abandoned" => Some(Reason::Silent),
        code => code.parse::<i32>().is_ok().then_some(Reason::Refused(code)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::facts::fixture;

    #[test]
    fn what_a_driver_lacks_is_noted_once_for_each_call() {
        let mut host = fixture::host(Vec::new());
        assert_eq!(findings(&host), []);
        let failed = |procedure: Procedure, reason: &str| (procedure.name, reason.to_owned());
        host.failures = vec![
            failed(Procedure::DOMAIN_GET_JOB_STATS, "55"),
            failed(Procedure::DOMAIN_GET_JOB_STATS, "abandoned"),
            failed(Procedure::NODE_GET_INFO, "3"),
            failed(Procedure::NODE_GET_FREE_MEMORY, "abandoned"),
            failed(Procedure::CONNECT_DOMAIN_EVENT_REGISTER_ANY, "1"),
            failed(Procedure::NODE_GET_CPU_STATS, "3"),
        ];
        let found = findings(&host);
        let said: Vec<_> = found.iter().map(|it| (it.verdict, &*it.said)).collect();
        assert_eq!(
            said,
            [
                (Verdict::Note, "node lacks what NodeGetInfo tells: it has no driver for that"),
                (Verdict::Loss, "node lacks what NodeGetFreeMemory tells: it does not answer"),
                (
                    Verdict::Loss,
                    "event lacks what ConnectDomainEventRegisterAny tells: it refuses (error 1)"
                ),
            ]
        );
    }
}
