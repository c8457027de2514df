//! What the person at the terminal has chosen: order, filter, guest, page.

use jiff::tz::TimeZone;
use tokio::time::Instant;

use super::{
    order::SortKey,
    scene::{Guest, Scene},
};

/// What there is to show, and what of it is looked at.
#[derive(Debug)]
pub(super) struct View {
    pub(super) scene: Scene,
    pub(super) sort: SortKey,
    pub(super) is_reversed: bool,
    /// What names and states must hold, whatever the case.
    pub(super) filter: String,
    pub(super) mode: Mode,
    /// The UUID of the guest that is looked at: it may move, as others use more.
    pub(super) selected: Option<String>,
    /// How many guests are above the screen.
    pub(super) offset: usize,
    /// How many guests the screen had room for.
    pub(super) page: usize,
    pub(super) zone: TimeZone,
}

/// What is on the screen, and so what keys mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    Table,
    /// The table, while the filter is typed.
    Filter,
    /// All that is known of the guest that is looked at.
    Details,
    Help,
}

impl View {
    pub(super) fn new(scene: Scene, sort: SortKey, zone: TimeZone) -> Self {
        let (is_reversed, filter, mode, selected, offset, page) = Default::default();
        Self { scene, sort, is_reversed, filter, mode, selected, offset, page, zone }
    }

    /// The guests that pass the filter, in order.
    pub(super) fn guests(&self, now: Instant) -> Vec<Guest<'_>> {
        let filter = self.filter.to_lowercase();
        let passes = |guest: &Guest<'_>| {
            let row = guest.row;
            let texts = [
                row.name.as_deref(),
                row.project.as_deref(),
                guest.state(),
                Some(&row.domain),
                Some(&row.uuid),
            ];
            filter.is_empty()
                || texts.into_iter().flatten().any(|text| text.to_lowercase().contains(&filter))
        };
        let mut guests: Vec<_> = self.scene.guests(now).filter(passes).collect();
        guests.sort_by(|one, other| self.sort.compare(self.is_reversed, one, other));
        guests
    }

    /// The place of the guest that is looked at, where it is among these.
    pub(super) fn place(&self, guests: &[Guest<'_>]) -> Option<usize> {
        let selected = self.selected.as_ref()?;
        guests.iter().position(|guest| guest.row.uuid == *selected)
    }

    /// Looks at the guest so many lines further; from none, at the first one.
    pub(super) fn go(&mut self, now: Instant, step: Step) {
        let guests = self.guests(now);
        let last = guests.len().saturating_sub(1);
        let place = match (self.place(&guests), step) {
            (_, Step::First) => 0,
            (_, Step::Last) => last,
            (None, _) => self.offset,
            (Some(place), Step::Up(lines)) => place.saturating_sub(lines),
            (Some(place), Step::Down(lines)) => place.saturating_add(lines),
        };
        self.selected = guests.get(place.min(last)).map(|guest| guest.row.uuid.clone());
    }

    /// Keeps the guest that is looked at on a screen of `page` lines, and no line of it empty
    /// without need.
    pub(super) fn scroll(&mut self, count: usize, place: Option<usize>, page: usize) {
        self.page = page;
        if let Some(place) = place {
            let first = place.saturating_add(1).saturating_sub(page);
            self.offset = self.offset.clamp(first, place.max(first));
        }
        self.offset = self.offset.min(count.saturating_sub(page));
    }
}

/// How far to go in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    First,
    Up(usize),
    Down(usize),
    Last,
}
