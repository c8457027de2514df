//! What the exporter knows of its own work.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use libvirt_client::{Failure, Ledger, Observer};
use libvirt_wire::Procedure;
use tracing::Span;

use crate::{
    histogram::Histogram,
    spoken::{Heard, Spoken},
    survey::Skipped,
    targets::TargetsReport,
};

/// What the exporter knows of its own work, since the process began.
#[derive(Debug, Default)]
pub(crate) struct Telemetry {
    state: Mutex<Report>,
    /// What programs that lead to libvirtd have said.
    spoken: Mutex<Spoken>,
    /// What log lines of it have, where it is of one libvirtd among many.
    span: Option<Span>,
}

/// [`Telemetry`] at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// When the exporter began.
    pub(crate) began: Option<SystemTime>,
    /// How long libvirtd took to answer, by procedure.
    pub(crate) durations: BTreeMap<&'static str, Durations>,
    /// Calls that failed, by procedure and reason.
    pub(crate) failures: BTreeMap<(&'static str, String), u64>,
    /// Calls that libvirtd has not answered yet.
    pub(crate) in_flight: usize,
    /// Those of them that nobody waits for any more.
    pub(crate) abandoned: usize,
    /// Whether there is a session with libvirtd.
    pub(crate) connected: bool,
    /// Connections that were made anew.
    pub(crate) reconnects: u64,
    /// When libvirtd last answered a poll.
    pub(crate) polled: Option<SystemTime>,
    /// The last collection that came to its end.
    pub(crate) collection: Option<CollectionReport>,
    /// Lines that the log has, by level.
    pub(crate) log_messages: Vec<(&'static str, u64)>,
    /// How often libvirt gave a field that nobody here knows, by its name without indexes.
    pub(crate) unknown_fields: BTreeMap<String, u64>,
    /// Tasks of the runtime that have not ended.
    pub(crate) tasks: usize,
    /// What is known of the targets, where there is a file of them.
    pub(crate) targets: Option<TargetsReport>,
}

/// What is known of a collection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CollectionReport {
    pub(crate) ended: SystemTime,
    pub(crate) took: Duration,
    pub(crate) skipped: Skipped,
}

/// How long libvirtd took to answer, in seconds.
pub(crate) type Durations = Histogram<9>;

/// Upper bounds in seconds: from a call that looks something up to one that waits
/// for a job.
pub(crate) const BOUNDS: &[f64; 9] = &[0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25, 1.0, 5.0, 30.0];

/// Unknown fields that have a count of their own.
const UNKNOWN_MAX: usize = 100;
/// What those count as that have none.
const OTHERS: &str = "others";

impl Telemetry {
    /// That of one libvirtd among many; what its programs say is logged with `span`.
    pub(crate) fn of(span: Span) -> Self {
        Self { span: Some(span), ..Self::default() }
    }

    /// What is known now. `ledger` is that of the session, where there is one.
    pub(crate) fn report(
        &self,
        ledger: Option<&Ledger>,
        log_messages: [(&'static str, u64); 4],
        tasks: usize,
    ) -> Report {
        let mut report = self.state().clone();
        (report.log_messages, report.tasks) = (log_messages.to_vec(), tasks);
        report.connected = ledger.is_some();
        if let Some(ledger) = ledger {
            (report.in_flight, report.abandoned) = (ledger.in_flight(), ledger.abandoned());
        }
        report
    }

    /// Notes that a connection was made anew.
    pub(crate) fn note_reconnect(&self) {
        let mut state = self.state();
        state.reconnects = state.reconnects.saturating_add(1);
    }

    pub(crate) fn note_collection(&self, collection: CollectionReport) {
        self.state().collection = Some(collection);
    }

    /// Notes fields that nobody here knows.
    pub(crate) fn note_unknown<'f>(&self, fields: impl Iterator<Item = &'f String>) {
        let mut state = self.state();
        for field in fields {
            let is_room = state.unknown_fields.len() < UNKNOWN_MAX;
            match state.unknown_fields.get_mut(field) {
                Some(count) => *count = count.saturating_add(1),
                None if is_room => {
                    state.unknown_fields.insert(field.clone(), 1);
                }
                None => {
                    let rest = state.unknown_fields.entry(OTHERS.to_owned()).or_default();
                    *rest = rest.saturating_add(1);
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, Report> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Telemetry {
    fn answered(&self, procedure: Procedure, took: Duration) {
        let mut state = self.state();
        let durations = state.durations.entry(procedure.name);
        durations.or_insert_with(|| Histogram::new(BOUNDS)).observe(took.as_secs_f64());
    }

    fn failed(&self, procedure: Procedure, failure: Failure) {
        let reason = match failure {
            Failure::Refused(code) => code.to_string(),
            Failure::Abandoned => "abandoned".to_owned(),
            Failure::Disconnected => "disconnected".to_owned(),
            Failure::Malformed => "malformed".to_owned(),
        };
        let mut state = self.state();
        let count = state.failures.entry((procedure.name, reason)).or_default();
        *count = count.saturating_add(1);
    }

    fn said(&self, line: &str) {
        let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = spoken.hear(line, Instant::now());
        drop(spoken);
        // Whoever reads what a program says knows nothing of targets.
        match &self.span {
            Some(span) => span.in_scope(|| tell(line, heard)),
            None => tell(line, heard),
        }
    }
}

fn tell(line: &str, heard: Heard) {
    match heard {
        Heard::Before => {}
        Heard::New | Heard::Last => {
            tracing::warn!(said = line, "the program that leads to libvirtd speaks");
        }
        Heard::TooMuch => {
            tracing::debug!(said = line, "the program that leads to libvirtd speaks");
        }
    }
    if heard == Heard::Last {
        tracing::warn!(
            "the program that leads to libvirtd says too much: for a while the rest is told at \
             the level debug alone"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart_by_libvirts_number_or_our_word() {
        let telemetry = Telemetry::default();
        let procedure = Procedure::DOMAIN_GET_CPU_STATS;
        for failure in [Failure::Refused(55), Failure::Refused(55), Failure::Abandoned] {
            telemetry.failed(procedure, failure);
        }
        let failures = telemetry.report(None, Default::default(), 0).failures;
        let failures: Vec<_> =
            failures.iter().map(|((_, reason), count)| (reason.as_str(), *count)).collect();
        assert_eq!(failures, [("55", 2), ("abandoned", 1)]);
    }
}
