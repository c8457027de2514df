//! What has happened to a domain, counted.

use std::collections::BTreeMap;

use libvirt_wire::EventKind;

/// How often what has happened to a domain, since somebody listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventCounts(BTreeMap<(&'static str, &'static str), u64>);

impl Default for EventCounts {
    /// What nobody wants to miss begins at 0: the increase of a series that appears with
    /// its first event is none.
    fn default() -> Self {
        Self(ALARMS.into_iter().map(|alarm| (alarm, 0)).collect())
    }
}

impl EventCounts {
    /// Counts an event.
    pub(crate) fn note(&mut self, kind: &EventKind) {
        let count = self.0.entry(words(kind)).or_default();
        *count = count.saturating_add(1);
    }

    /// The event and its detail, with their count.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ((&'static str, &'static str), u64)> {
        self.0.iter().map(|(words, count)| (*words, *count))
    }
}

/// Returns libvirt's words for an event and its detail, as `virsh event` prints them but
/// in lower case.
fn words(kind: &EventKind) -> (&'static str, &'static str) {
    match kind {
        EventKind::Lifecycle { event, detail } => lifecycle(*event, *detail),
        EventKind::Reboot => ("reboot", ""),
        EventKind::Watchdog { action } => ("watchdog", word(&WATCHDOG, *action)),
        EventKind::IoError { action, .. } => ("io-error", word(&IO_ERROR, *action)),
        EventKind::DeviceAdded { .. } => ("device-added", ""),
        EventKind::DeviceRemoved { .. } => ("device-removed", ""),
        EventKind::DeviceRemovalFailed { .. } => ("device-removal-failed", ""),
        EventKind::MigrationIteration { .. } => ("migration-iteration", ""),
        EventKind::JobCompleted { .. } => ("job-completed", ""),
        EventKind::MetadataChange { .. } => ("metadata-change", ""),
    }
}

fn lifecycle(event: i32, detail: i32) -> (&'static str, &'static str) {
    let at = usize::try_from(event).unwrap_or(usize::MAX);
    let Some((event, details)) = LIFECYCLE.get(at) else { return ("unknown", "unknown") };
    (event, word(details, detail))
}

fn word(words: &[&'static str], number: i32) -> &'static str {
    let at = usize::try_from(number).unwrap_or(usize::MAX);
    words.get(at).copied().unwrap_or("unknown")
}

/// What somebody is to be woken for.
const ALARMS: [(&str, &str); 4] =
    [("crashed", "panicked"), ("io-error", "pause"), ("stopped", "crashed"), ("stopped", "failed")];

/// `virDomainEventType`, each with its details: `virDomainEventStartedDetailType` and its
/// siblings.
const LIFECYCLE: [(&str, &[&str]); 9] = [
    ("defined", &["added", "updated", "renamed", "from snapshot"]),
    ("undefined", &["removed", "renamed"]),
    ("started", &["booted", "migrated", "restored", "from snapshot", "wakeup", "recovered"]),
    (
        "suspended",
        &[
            "paused",
            "migrated",
            "io-error",
            "watchdog",
            "restored",
            "from snapshot",
            "api error",
            "post-copy",
            "post-copy failed",
        ],
    ),
    ("resumed", &["unpaused", "migrated", "from snapshot", "post-copy", "post-copy failed"]),
    (
        "stopped",
        &[
            "shutdown",
            "destroyed",
            "crashed",
            "migrated",
            "saved",
            "failed",
            "from snapshot",
            "recreated",
        ],
    ),
    ("shutdown", &["finished", "after guest request", "after host request"]),
    ("pmsuspended", &["memory", "disk"]),
    ("crashed", &["panicked", "crashloaded"]),
];
const WATCHDOG: [&str; 7] =
    ["none", "pause", "reset", "poweroff", "shutdown", "debug", "inject-nmi"];
const IO_ERROR: [&str; 3] = ["none", "pause", "report"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_by_libvirts_words() {
        let mut counts = EventCounts::default();
        for (event, detail) in [(5, 2), (5, 2), (2, 0), (2, 77), (99, 0), (-1, -1)] {
            counts.note(&EventKind::Lifecycle { event, detail });
        }
        counts.note(&EventKind::Watchdog { action: 2 });
        let counts: Vec<_> = counts.iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(
            counts,
            [
                (("started", "booted"), 1),
                (("started", "unknown"), 1),
                (("stopped", "crashed"), 2),
                (("unknown", "unknown"), 2),
                (("watchdog", "reset"), 1),
            ]
        );
    }

    #[test]
    fn what_wakes_somebody_begins_at_zero() {
        let zeros: Vec<_> = EventCounts::default().iter().collect();
        assert_eq!(zeros, ALARMS.map(|alarm| (alarm, 0)));
        for (event, detail) in [(8, 0), (5, 2), (5, 5)] {
            assert!(ALARMS.contains(&lifecycle(event, detail)), "{event} {detail}");
        }
    }
}
