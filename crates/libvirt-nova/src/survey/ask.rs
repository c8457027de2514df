//! What is asked for in a call, and what comes of it.

use std::{collections::HashMap, fmt};

use libvirt_client::{CallError, Reply};
use libvirt_wire::{
    Call, Domain, Procedure, Uuid,
    call::{ConnectGetAllDomainStats, DomainStatsRecord},
};
use tokio::time::Instant;

use super::Reading;
use crate::{fault::chain, stats::DomainStats};

pub(super) const PROCEDURE: Procedure = <ConnectGetAllDomainStats<'_> as Call>::PROCEDURE;

/// What domains gave, by domain.
pub(super) type Readings = HashMap<Uuid, Reading>;

/// Reads a reply to a call that asked for `asked`.
pub(super) fn readings(
    asked: &[&Domain],
    reply: &Reply<ConnectGetAllDomainStats<'_>>,
) -> Result<Readings, Failed> {
    let stats = reply.decode().map_err(Failed::Call)?;
    of_records(asked, &stats.records, reply.at()).inspect_err(|_| reply.reject())
}

/// Reads the records of a reply. Nobody may be in it twice, or without having been asked
/// for: then the reply is not to be trusted.
fn of_records(
    asked: &[&Domain],
    records: &[DomainStatsRecord<'_>],
    at: Instant,
) -> Result<Readings, Failed> {
    let mut readings = Readings::with_capacity(records.len());
    for DomainStatsRecord { domain, params } in records {
        let known = asked.iter().find(|asked| asked.uuid == domain.uuid).ok_or(Failed::Stranger)?;
        // Another run has begun: the one that was asked for has ended.
        if known.id != domain.id {
            continue;
        }
        let reading = Reading { stats: Box::new(DomainStats::new(params)), at };
        if readings.insert(domain.uuid, reading).is_some() {
            return Err(Failed::Stranger);
        }
    }
    Ok(readings)
}

/// A call that gave no statistics.
#[derive(Debug)]
pub(super) enum Failed {
    Call(CallError),
    /// It found no place on the connection in time.
    Unsent,
    /// It gave some that nobody asked for.
    Stranger,
}

impl Failed {
    pub(super) fn is_disconnected(&self) -> bool {
        matches!(self, Self::Call(error) if error.is_disconnected())
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => write!(f, "{}", chain(error)),
            Self::Unsent => write!(f, "{PROCEDURE}: no place on the connection"),
            Self::Stranger => {
                write!(f, "{PROCEDURE}: the reply holds a domain that was not asked for, or twice")
            }
        }
    }
}

/// Domains to ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'d> {
    pub(super) domains: &'d [&'d Domain],
    /// Whether they are not to be asked once more where they give less than all.
    pub(super) is_again: bool,
    /// Whether a connection broke while they were asked for alone.
    pub(super) is_suspect: bool,
}

impl<'d> Ask<'d> {
    pub(super) fn first(domains: &'d [&'d Domain]) -> Self {
        Self { domains, is_again: false, is_suspect: false }
    }

    pub(super) fn again(domains: &'d [&'d Domain]) -> Self {
        Self { domains, is_again: true, is_suspect: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(number: u8, run: u32) -> Domain {
        Domain { name: format!("instance-{number:08x}"), uuid: Uuid([number; 16]), id: Some(run) }
    }

    #[test]
    fn a_reply_with_a_stranger_or_somebody_twice_is_not_to_be_trusted() {
        let record =
            |number, run| DomainStatsRecord { domain: domain(number, run), params: vec![] };
        let (one, two) = (domain(1, 7), domain(2, 8));
        let at = Instant::now();
        let read = |records: &[_]| of_records(&[&one, &two], records, at);
        assert_eq!(read(&[record(2, 8), record(1, 7)]).unwrap().len(), 2);
        assert!(matches!(read(&[record(1, 7), record(3, 9)]), Err(Failed::Stranger)));
        assert!(matches!(read(&[record(1, 7), record(1, 7)]), Err(Failed::Stranger)));
        // Who was started again is not who was asked for.
        assert!(read(&[record(1, 9)]).unwrap().is_empty());
    }
}
