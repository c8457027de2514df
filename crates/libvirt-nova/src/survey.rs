//! Full statistics, when scraped: many small calls in flight, each with a
//! deadline, so that a guest that hangs costs its own statistics.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use libvirt_client::{CallError, Calls, WINDOW};
use libvirt_wire::{
    Call, Domain, Procedure, Uuid,
    call::{ConnectGetAllDomainStats, Groups},
};
use tokio::time::{self, Instant};

use crate::{inventory::Roster, stats::DomainStats, trouble::Troubles};

/// What the survey knows of the domains it asked about.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The statistics of each domain that gave some.
    pub(crate) stats: HashMap<Uuid, DomainStats>,
    /// The domains that libvirtd left out: they have ended.
    pub(crate) ended: Vec<Uuid>,
}

/// Asks for the statistics of `roster`; at `until` it ends with what it has.
pub(crate) async fn survey(
    calls: &Calls,
    troubles: &Troubles,
    roster: &Roster,
    until: Instant,
) -> Survey {
    let left = until.saturating_duration_since(Instant::now());
    // Less than half of what is left, so that a call that hangs leaves time to ask again.
    let deadline = CALL_DEADLINE.min(left.mul_f64(0.45));
    let domains = roster.iter().map(|instance| &instance.domain);
    let domains: Vec<&Domain> = domains.filter(|domain| !troubles.is_spared(domain)).collect();
    let mut queue: VecDeque<_> =
        domains.chunks(CALL_SIZE).map(|domains| Ask { domains, failures: 0 }).collect();
    let mut asked = FuturesUnordered::new();
    let mut survey = Survey::default();
    loop {
        while asked.len() < WINDOW
            && let Some(ask) = queue.pop_front()
        {
            asked.push(ask.make(calls, deadline));
        }
        match time::timeout_at(until, asked.next()).await {
            Ok(Some((ask, Ok(Survey { stats, ended })))) => {
                for domain in ask.domains {
                    troubles.clear(domain, PROCEDURE);
                }
                queue.extend(ask.of_the_busy(&stats));
                survey.stats.extend(stats);
                survey.ended.extend(ended);
            }
            Ok(Some((ask, Err(error)))) => {
                let again = ask.again(error.refusal().is_some());
                if again.is_empty() {
                    ask.domains.iter().for_each(|domain| troubles.note(domain, &error));
                }
                // Behind the others: they are likely to answer.
                queue.extend(again);
            }
            Ok(None) | Err(_) => return survey,
        }
    }
}

/// A few domains to ask for in one call.
#[derive(Clone, Copy, Debug)]
struct Ask<'d> {
    domains: &'d [&'d Domain],
    /// Calls for these domains that have failed.
    failures: u32,
}

impl<'d> Ask<'d> {
    async fn make(self, calls: &Calls, deadline: Duration) -> (Self, Result<Survey, CallError>) {
        (self, call(calls, self.domains, deadline).await)
    }

    /// What to ask after a failure: each domain alone, since one that hangs or is
    /// refused must not cost the others theirs, and one that hung alone once more.
    ///
    /// While a call hangs in a domain, libvirtd answers the next one at once, with
    /// all that needs no monitor.
    fn again(self, refused: bool) -> Vec<Self> {
        let failures = self.failures.saturating_add(1);
        let alone = self.domains.len() == 1;
        if alone && (refused || failures > HANGS_MAX) {
            return Vec::new();
        }
        let each = self.domains.chunks(1);
        each.map(|domains| Self { domains, failures }).collect()
    }

    /// The domains to ask for once more, because somebody held their job: Nova,
    /// another exporter, or a call of ours that was given up.
    fn of_the_busy(self, stats: &HashMap<Uuid, DomainStats>) -> Vec<Self> {
        if self.failures > 0 {
            return Vec::new();
        }
        let busy = |domain: &Domain| stats.get(&domain.uuid).is_some_and(DomainStats::is_busy);
        let each = self.domains.chunks(1).filter(|domains| domains.iter().any(|it| busy(it)));
        each.map(|domains| Self { domains, failures: 1 }).collect()
    }
}

async fn call(calls: &Calls, domains: &[&Domain], deadline: Duration) -> Result<Survey, CallError> {
    let reply = calls.call(&ConnectGetAllDomainStats { domains, groups: GROUPS }, deadline).await?;
    let stats: HashMap<Uuid, DomainStats> = reply
        .decode()?
        .records
        .iter()
        .map(|record| (record.domain.uuid, DomainStats::new(&record.params)))
        .collect();
    let ended = domains.iter().map(|domain| domain.uuid).filter(|uuid| !stats.contains_key(uuid));
    Ok(Survey { ended: ended.collect(), stats })
}

const PROCEDURE: Procedure = <ConnectGetAllDomainStats<'_> as Call>::PROCEDURE;
/// What the families need, and no more: each group costs libvirtd time.
const GROUPS: Groups = Groups::STATE.and(Groups::BALLOON).and(Groups::INTERFACE).and(Groups::BLOCK);
/// Domains asked for in one call: as many as one that hangs takes with it until
/// they are asked for alone.
const CALL_SIZE: usize = 4;
/// Calls for a domain that may hang: with its chunk, and alone.
const HANGS_MAX: u32 = 2;
/// How long a call may take.
const CALL_DEADLINE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Block;

    fn domain(number: u8) -> Domain {
        Domain { name: format!("instance-{number:08x}"), uuid: Uuid([number; 16]), id: Some(1) }
    }

    #[test]
    fn a_chunk_that_fails_is_asked_for_one_by_one() {
        let (one, two) = (domain(1), domain(2));
        let domains = [&one, &two];
        for refused in [false, true] {
            let again = Ask { domains: &domains, failures: 0 }.again(refused);
            let domains: Vec<_> = again.iter().map(|ask| ask.domains).collect();
            assert_eq!(domains, [[&one], [&two]]);
        }
    }

    #[test]
    fn a_domain_that_hung_alone_is_asked_for_once_more_and_then_left() {
        let one = domain(1);
        let domains = [&one];
        let hung = Ask { domains: &domains, failures: 1 };
        let again = hung.again(false);
        assert_eq!(again.len(), 1);
        assert!(again[0].again(false).is_empty());
    }

    #[test]
    fn a_domain_whose_job_was_held_is_asked_for_once_more() {
        let (busy, idle) = (domain(1), domain(2));
        let domains = [&busy, &idle];
        let block = |read_bytes| Block { name: "vda".into(), read_bytes, ..Block::default() };
        let stats = [(&busy, None), (&idle, Some(1))].map(|(domain, read)| {
            (domain.uuid, DomainStats { blocks: vec![block(read)], ..DomainStats::default() })
        });
        let again = Ask { domains: &domains, failures: 0 }.of_the_busy(&stats.into());
        assert_eq!(again.iter().map(|ask| ask.domains).collect::<Vec<_>>(), [[&busy]]);
        assert!(again[0].of_the_busy(&HashMap::new()).is_empty());
    }

    #[test]
    fn a_domain_that_is_refused_alone_is_left() {
        let one = domain(1);
        assert!(Ask { domains: &[&one], failures: 0 }.again(true).is_empty());
    }
}
