//! The host's clock: by it is judged whether what a guest told of its memory still holds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

use super::{finding::Finding, naming};
use crate::snapshot::Measured;

const SUBJECT: &str = "clock";

pub(super) fn findings(now: SystemTime, instances: &[Measured]) -> Vec<Finding> {
    // QEMU notes whole seconds, and the answer is a little older than our look at the clock.
    let ahead = instances.iter().filter_map(|measured| {
        let told = measured.stats.as_ref()?.balloon.last_update?;
        let by = told.duration_since(now).ok().filter(|by| *by > TOLERANCE)?;
        Some((measured.instance.domain.name.as_str(), by))
    });
    judge(now, &ahead.collect::<Vec<_>>())
}

/// `told_ahead` are the guests whose answer is of the future, and by how much.
fn judge(now: SystemTime, told_ahead: &[(&str, Duration)]) -> Vec<Finding> {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let shown =
        i64::try_from(seconds.as_secs()).ok().and_then(|it| Timestamp::from_second(it).ok());
    let shown = shown.map_or_else(|| "nonsense".to_owned(), |it| it.to_string());
    if seconds < MADE {
        let said = format!("it shows {shown}, before this program was made");
        return vec![set_right(Finding::loss(SUBJECT, said))];
    }
    if told_ahead.is_empty() {
        return vec![Finding::ok(SUBJECT, format!("{shown}; no guest's answer is ahead of it"))];
    }
    let most = told_ahead.iter().map(|(_, by)| *by).max().unwrap_or_default().as_secs();
    let said = format!(
        "it was set back: {shown} is up to {most} s before the time that QEMU noted when guests told of their memory: {}; until it has caught up, one that falls silent is not noticed",
        naming::list(told_ahead.iter().map(|(name, _)| *name)),
    );
    vec![set_right(Finding::loss(SUBJECT, said))]
}

fn set_right(finding: Finding) -> Finding {
    finding
        .mended("Ask who sets it, and whether he can:", ["timedatectl", "chronyc tracking"])
        .mended(
            "Set it at once, which is a jump for everything on this host:",
            ["chronyc makestep"],
        )
}

/// How far QEMU's clock and ours may be apart: they are one, read a moment apart.
const TOLERANCE: Duration = Duration::from_secs(5);
/// 2026-01-01, in seconds since the epoch: nothing of this program is older.
const MADE: Duration = Duration::from_secs(1_767_225_600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{facts::fixture::guest, finding::Verdict};

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap()
    }

    #[test]
    fn a_clock_before_this_programs_making_is_wrong() {
        let found = findings(at(86_400), &[]);
        assert_eq!(found[0].verdict, Verdict::Loss);
        assert!(found[0].said.starts_with("it shows 1970-01-02T00:00:00Z, before"), "{found:?}");
        let found = findings(at(1_767_225_600), &[]);
        assert_eq!(found[0].verdict, Verdict::Ok);
        assert!(found[0].said.starts_with("2026-01-01T00:00:00Z; "), "{found:?}");
    }

    #[test]
    fn an_answer_from_the_future_shows_that_it_was_set_back() {
        let told =
            |name, seconds| guest(name, |stats| stats.balloon.last_update = Some(at(seconds)));
        let now = 1_800_000_000;
        let guests = [told("a", now + 20), told("b\n", now + 3600), told("c", now + 5)];
        let found = findings(at(now), &guests);
        let [finding] = &found[..] else { panic!("{found:?}") };
        assert_eq!(finding.verdict, Verdict::Loss);
        assert!(finding.said.contains("up to 3600 s before"), "{finding:?}");
        assert!(finding.said.contains(r"memory: a, b\n; "), "{finding:?}");
        assert!(finding.remedies.iter().any(|it| it.commands == ["chronyc makestep"]));
        assert_eq!(findings(at(now), &guests[2..])[0].verdict, Verdict::Ok);
    }
}
