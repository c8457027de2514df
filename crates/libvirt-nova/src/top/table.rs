//! The table: a line of titles, and one for each guest.

use ratatui_core::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};

use super::{
    column::{Column, Placed},
    order::SortKey,
    plain::{fitted, width},
    scene::Guest,
};

/// Returns the titles as a line of text.
pub(super) fn titles(placed: &[Placed]) -> String {
    joined(placed.iter().map(|place| aligned(*place, place.column.title())))
}

/// Returns a guest as a line of text.
pub(super) fn line(placed: &[Placed], guest: &Guest<'_>) -> String {
    joined(placed.iter().map(|place| aligned(*place, &place.column.text(guest, place.width))))
}

/// Draws the titles; that of the column that sorts has an arrow, down where the largest is first.
pub(super) fn draw_titles(
    placed: &[Placed],
    (sort, is_reversed): (SortKey, bool),
    area: Rect,
    buffer: &mut Buffer,
) {
    let style = Style::new().add_modifier(Modifier::REVERSED);
    buffer.set_style(area, style);
    cells(placed, area, |place, x| {
        let column = place.column;
        let mut title = column.title().to_owned();
        let mut style = style;
        if column.sort() == Some(sort) {
            let is_text = column.is_text();
            title.push(if is_text == is_reversed { '▼' } else { '▲' });
            style = style.add_modifier(Modifier::BOLD);
        }
        buffer.set_stringn(x, area.y, aligned(place, &title), place.width, style);
    });
}

/// Draws a guest.
pub(super) fn draw_guest(
    placed: &[Placed],
    guest: &Guest<'_>,
    style: Style,
    area: Rect,
    buffer: &mut Buffer,
) {
    let is_stuck = guest.stuck.is_some();
    cells(placed, area, |place, x| {
        let text = aligned(place, &place.column.text(guest, place.width));
        let of_column = place.column.style(guest);
        let mut cell = of_column.patch(style);
        if is_stuck && matches!(place.column, Column::Name | Column::State) {
            cell = cell.fg(Color::Red).add_modifier(Modifier::BOLD);
        }
        buffer.set_stringn(x, area.y, text, place.width, cell);
    });
    // Of the gaps too.
    buffer.set_style(area, Style::new().add_modifier(style.add_modifier));
}

fn cells(placed: &[Placed], area: Rect, mut draw: impl FnMut(Placed, u16)) {
    let mut x = area.x;
    for place in placed {
        if x >= area.right() {
            return;
        }
        draw(*place, x);
        let step = u16::try_from(place.width.saturating_add(1)).unwrap_or(u16::MAX);
        x = x.saturating_add(step);
    }
}

fn aligned(place: Placed, text: &str) -> String {
    let Placed { column, width: room } = place;
    let blanks = room.saturating_sub(width(text));
    if column.is_text() || blanks == 0 {
        return fitted(text, room);
    }
    format!("{}{text}", " ".repeat(blanks))
}

fn joined(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<_> = cells.collect();
    cells.join(" ").trim_end().to_owned()
}
