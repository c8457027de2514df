//! The columns of the table: what is in them, and which of them find room.

use std::collections::VecDeque;

use ratatui_core::style::{Color, Modifier, Style};

use super::{
    format::{ABSENT, age, bytes, known, percent, size, vcpus},
    order::SortKey,
    plain::{plain, width},
    scene::{Freshness, Guest},
};

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    Project,
    Flavor,
    State,
    Vcpus,
    Minute,
    Peak,
    Memory,
    Disk,
    Network,
    Steal,
}

/// A column with the room that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) column: Column,
    pub(super) width: usize,
}

impl Column {
    /// From left to right.
    const ALL: [Self; 11] = [
        Self::Name,
        Self::Project,
        Self::Flavor,
        Self::State,
        Self::Vcpus,
        Self::Minute,
        Self::Peak,
        Self::Memory,
        Self::Disk,
        Self::Network,
        Self::Steal,
    ];

    /// The one that can be missed least comes first: who it is, what it uses, whether it is stuck
    /// or starved.
    const BY_IMPORTANCE: [Self; 11] = [
        Self::Name,
        Self::Vcpus,
        Self::State,
        Self::Steal,
        Self::Project,
        Self::Memory,
        Self::Minute,
        Self::Disk,
        Self::Network,
        Self::Peak,
        Self::Flavor,
    ];

    /// What stands above it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Name => "NAME",
            Self::Project => "PROJECT",
            Self::Flavor => "FLAVOR",
            Self::State => "STATE",
            Self::Vcpus => "vCPU",
            Self::Minute => "MINUTE",
            Self::Peak => "PEAK",
            Self::Memory => "MEM",
            Self::Disk => "DISK r/w",
            Self::Network => "NET rx/tx",
            Self::Steal => "STEAL",
        }
    }

    /// What sorts by it.
    pub(super) fn sort(self) -> Option<SortKey> {
        Some(match self {
            Self::Name => SortKey::Name,
            Self::Project => SortKey::Project,
            Self::Flavor => SortKey::Flavor,
            Self::State => SortKey::State,
            Self::Vcpus => SortKey::Vcpu,
            Self::Minute => return None,
            Self::Peak => SortKey::Peak,
            Self::Memory => SortKey::Memory,
            Self::Disk => SortKey::Disk,
            Self::Network => SortKey::Network,
            Self::Steal => SortKey::Steal,
        })
    }

    /// Whether its texts begin on the left; numbers end on the right.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Name | Self::Project | Self::Flavor | Self::State | Self::Minute)
    }

    fn least(self) -> usize {
        match self {
            Self::Name => 12,
            Self::Project | Self::Minute => 10,
            Self::Flavor => 9,
            Self::State => 10,
            Self::Vcpus => 8,
            Self::Peak | Self::Steal => 5,
            Self::Memory | Self::Disk | Self::Network => 11,
        }
    }

    /// What is in it, in at most `room` columns where that can be chosen.
    pub(super) fn text(self, guest: &Guest<'_>, room: usize) -> String {
        let row = guest.row;
        let or_absent = |text: &Option<String>| known(text.as_deref(), plain);
        match self {
            Self::Name => plain(guest.name()),
            Self::Project => or_absent(&row.project),
            Self::Flavor => or_absent(&row.flavor),
            Self::State => match guest.stuck {
                Some(stuck) => format!("stuck {}", age(stuck)),
                None => or_absent(&row.state),
            },
            Self::Vcpus => {
                format!("{}/{}", known(guest.in_use, vcpus), known(row.vcpus, |it| it.to_string()))
            }
            Self::Minute => {
                guest.recent.map(|recent| bars(recent, row.vcpus, room)).unwrap_or_default()
            }
            Self::Peak => known(guest.peak, vcpus),
            Self::Memory => {
                let used = guest.surveyed(row.memory_used);
                format!("{}/{}", known(used, size), known(row.memory, size))
            }
            Self::Disk => both(guest.surveyed(row.read_bytes), guest.surveyed(row.written_bytes)),
            Self::Network => {
                both(guest.surveyed(row.received_bytes), guest.surveyed(row.transmitted_bytes))
            }
            Self::Steal => known(guest.surveyed(row.steal), percent),
        }
    }

    /// How it looks beside how its row does.
    pub(super) fn style(self, guest: &Guest<'_>) -> Style {
        let style = Style::new();
        let is_surveyed = matches!(self, Self::Memory | Self::Disk | Self::Network | Self::Steal);
        if is_surveyed && guest.survey == Freshness::Old {
            return style.add_modifier(Modifier::DIM);
        }
        match self {
            Self::Vcpus => style.add_modifier(Modifier::BOLD),
            Self::Minute => style.fg(Color::Cyan),
            Self::Steal if guest.row.steal.is_some_and(|steal| steal >= STARVED) => {
                style.fg(Color::Yellow).add_modifier(Modifier::BOLD)
            }
            Self::State => match guest.state() {
                Some("running") | None => style,
                Some("crashed") => style.fg(Color::Red),
                Some(_) => style.fg(Color::Yellow),
            },
            _ => style,
        }
    }
}

/// Chooses columns for so much room, and shares it between them. Where there is no limit, each
/// is as wide as its texts.
pub(super) fn place(room: Option<usize>, guests: &[Guest<'_>]) -> Vec<Placed> {
    let mut chosen = Vec::new();
    let mut left = room.unwrap_or(usize::MAX);
    for column in Column::BY_IMPORTANCE {
        let needed = column.least().saturating_add(usize::from(!chosen.is_empty()));
        if needed > left && !chosen.is_empty() {
            break;
        }
        chosen.push(column);
        left = left.saturating_sub(needed);
    }
    let mut placed: Vec<_> = Column::ALL
        .into_iter()
        .filter(|column| chosen.contains(column))
        .map(|column| Placed { column, width: column.least() })
        .collect();
    for (column, most) in GROWING {
        let Some(placed) = placed.iter_mut().find(|placed| placed.column == column) else {
            continue;
        };
        let texts = guests.iter().map(|guest| width(&column.text(guest, most)));
        let wanted = texts.max().unwrap_or_default().min(most);
        let more = wanted.saturating_sub(placed.width).min(left);
        placed.width = placed.width.saturating_add(more);
        left = left.saturating_sub(more);
    }
    // A bar for each so many whole seconds.
    if let Some(minute) = placed.iter_mut().find(|placed| placed.column == Column::Minute) {
        let bars = [60, 30, 20, 15, 12, 10].into_iter();
        let most = if room.is_some() { 60 } else { 20 };
        let fits = |bars: &usize| *bars <= most && *bars <= minute.width.saturating_add(left);
        minute.width = bars.into_iter().find(fits).unwrap_or(minute.width);
    }
    placed
}

/// The columns that take more room where there is some, and up to how much.
const GROWING: [(Column, usize); 8] = [
    (Column::Name, 40),
    (Column::Project, 24),
    (Column::Flavor, 24),
    (Column::State, 14),
    (Column::Vcpus, 14),
    (Column::Memory, 14),
    (Column::Disk, 14),
    (Column::Network, 14),
];

fn both(one: Option<f64>, other: Option<f64>) -> String {
    if one.is_none() && other.is_none() {
        return ABSENT.to_owned();
    }
    format!("{}/{}", known(one, bytes), known(other, bytes))
}

/// Draws a minute in so many bars, the last one on the right; a full bar is all that the guest
/// has, or its own highest where that is not known. What is not known is a blank.
fn bars(recent: &VecDeque<Option<f64>>, vcpus: Option<u64>, room: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

    let Some(seconds) = 60_usize.checked_div(room) else { return String::new() };
    let highest = recent.iter().flatten().copied().fold(f64::MIN_POSITIVE, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "nobody has so many")]
    let full = vcpus.map_or(highest, |vcpus| vcpus as f64).max(f64::MIN_POSITIVE);
    let newest: Vec<_> = recent.iter().rev().take(60).collect();
    let bar = |seconds: &[&Option<f64>]| {
        let Some(in_use) = seconds.iter().filter_map(|it| **it).reduce(f64::max) else {
            return ' ';
        };
        let steps = (in_use / full).clamp(0.0, 1.0) * 7.0;
        // The highest bar that it reaches.
        let reached = BARS.iter().zip(0_u8..).filter(|(_, step)| f64::from(*step) <= steps + 0.5);
        reached.last().map_or(' ', |(bar, _)| *bar)
    };
    let mut bars: Vec<_> = newest.chunks(seconds.max(1)).take(room).map(bar).collect();
    bars.resize(room, ' ');
    bars.into_iter().rev().collect()
}

/// Part of the time from which on a guest is starved.
const STARVED: f64 = 0.1;
