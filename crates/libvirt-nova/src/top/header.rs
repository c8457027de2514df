//! What stands above the table: the host as a whole, and what is wrong.

use std::{collections::BTreeMap, time::Duration};

use jiff::tz::TimeZone;
use tokio::time::Instant;

use super::{
    format::{ABSENT, age, clock, known, size, vcpus},
    plain::{self, plain, width},
    scene::{Guest, Scene},
};
use crate::board::LibvirtState;

/// Returns the lines about the host, in their long form where there is room for it.
pub(super) fn lines(scene: &Scene, now: Instant, room: usize) -> Vec<String> {
    let guests: Vec<_> = scene.guests(now).collect();
    let host = scene.board().map(|board| board.host.clone()).unwrap_or_default();
    let name = host.name.as_deref().map_or_else(|| "this host".to_owned(), plain);
    let (state, polled, surveyed) =
        (state(scene), ago(scene.polled(now)), ago(scene.surveyed(now)));
    let in_use = known(sum(&guests, |guest| guest.in_use), vcpus);
    let allocated = total(&guests, |guest| guest.row.vcpus);
    let vcpus = [
        in_use,
        known(allocated, |number| number.to_string()),
        known(host.cpus, |number| number.to_string()),
    ];
    let memory = [
        total(&guests, |guest| guest.surveyed(guest.row.memory_used)),
        total(&guests, |guest| guest.row.memory),
        host.memory,
    ]
    .map(|bytes| known(bytes, size));
    let [states, short_states] =
        if host.is_listed { states(&guests, host.inactive) } else { unlisted() };
    let ([used, given, has], [memory_used, memory_given, memory_has]) = (&vcpus, &memory);
    let choices = [
        [
            format!("{name}  libvirt {state}, polled {polled}, surveyed {surveyed}"),
            format!("{name}  {state}, {polled}"),
        ],
        [
            format!(
                "In use/allocated/physical: vCPUs {used}/{given}/{has}, \
                 memory {memory_used}/{memory_given}/{memory_has}"
            ),
            format!("vCPU {used}/{given}/{has} mem {memory_used}/{memory_given}/{memory_has}"),
        ],
        [states, short_states],
    ];
    let fitting = |[long, short]: [String; 2]| if width(&long) <= room { long } else { short };
    choices.map(fitting).into()
}

/// Returns what keeps the numbers from being those of now, broken into lines.
pub(super) fn trouble(scene: &Scene, now: Instant, zone: &TimeZone, room: usize) -> Vec<String> {
    let Some(trouble) = scene.trouble(now) else { return Vec::new() };
    let mut text = trouble.what;
    if let Some(since) = trouble.since {
        text = format!("{text} since {} ({})", clock(since, zone), age(trouble.lasts));
    }
    if let Some(why) = trouble.why {
        text = format!("{text}: {why}");
    }
    plain::lines(&plain(&text), room, TROUBLE_LINES)
}

fn ago(span: Option<Duration>) -> String {
    span.map_or_else(|| "never".to_owned(), |span| format!("{} ago", age(span)))
}

fn state(scene: &Scene) -> &'static str {
    if scene.lost.is_some() {
        return "unknown";
    }
    match scene.board().map(|board| board.pulse.libvirt.state) {
        Some(LibvirtState::Up) => "up",
        Some(LibvirtState::Silent) => "silent",
        Some(LibvirtState::Down) => "down",
        Some(LibvirtState::Connecting) => "connecting",
        None => ABSENT,
    }
}

/// What is said of guests before libvirtd has said which there are.
fn unlisted() -> [String; 2] {
    let text = format!("Guests {ABSENT}");
    [text.clone(), text]
}

/// How many guests are in which state, in a long form and a short one.
fn states(guests: &[Guest<'_>], inactive: usize) -> [String; 2] {
    let mut by_state = BTreeMap::<_, usize>::new();
    for guest in guests {
        // It is in its state, whether or not its QEMU answers; and active where nobody has asked.
        let state = guest.row.state.as_deref().map_or_else(|| "active".to_owned(), plain);
        let count = by_state.entry(state).or_default();
        *count = count.saturating_add(1);
    }
    let mut by_state: Vec<_> = by_state.into_iter().collect();
    by_state.sort_unstable_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    let mut parts: Vec<_> =
        by_state.into_iter().map(|(state, count)| format!("{count} {state}")).collect();
    if inactive > 0 {
        parts.push(format!("{inactive} not running"));
    }
    let stuck = guests.iter().filter(|guest| guest.stuck.is_some()).count();
    if stuck > 0 {
        // First, for it is to be seen on the narrowest screen.
        parts.insert(0, format!("{stuck} STUCK"));
    }
    let parts = parts.join(", ");
    [format!("Guests {}: {parts}", guests.len()), parts]
}

fn sum(guests: &[Guest<'_>], read: impl Fn(&Guest<'_>) -> Option<f64>) -> Option<f64> {
    guests.iter().filter_map(read).reduce(|sum, one| sum + one)
}

fn total(guests: &[Guest<'_>], read: impl Fn(&Guest<'_>) -> Option<u64>) -> Option<u64> {
    guests.iter().filter_map(read).reduce(u64::saturating_add)
}

/// What a trouble may take of the screen.
const TROUBLE_LINES: usize = 3;
