//! The screen: header, table, and a line of keys.

use ratatui_core::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};
use tokio::time::Instant;

use super::{
    column, details, header,
    help::HELP,
    plain::{fitted, plain},
    table,
    view::{Mode, View},
};

/// Draws all of it.
pub(super) fn draw(view: &mut View, now: Instant, area: Rect, buffer: &mut Buffer) {
    let room = usize::from(area.width);
    let mut lines = Lines { area, buffer, y: area.y };
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let red = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);
    let is_stuck = view.scene.guests(now).any(|guest| guest.stuck.is_some());
    let styles = [bold, Style::new(), if is_stuck { red } else { Style::new() }];
    for (line, style) in header::lines(&view.scene, now, room).iter().zip(styles) {
        lines.draw(line, style);
    }
    let trouble = header::trouble(&view.scene, now, &view.zone, room);
    for line in &trouble {
        lines.draw(line, red);
    }
    // The last line is the keys'.
    let body = Rect {
        y: lines.y,
        height: area.bottom().saturating_sub(lines.y).saturating_sub(1),
        ..area
    };
    match view.mode {
        Mode::Table | Mode::Filter => draw_table(view, now, !trouble.is_empty(), body, buffer),
        Mode::Details => draw_details(view, now, body, buffer),
        Mode::Help => draw_text(HELP.lines(), body, buffer),
    }
    draw_keys(view, now, area, buffer);
}

/// Lines from the top down.
struct Lines<'b> {
    area: Rect,
    buffer: &'b mut Buffer,
    y: u16,
}

impl Lines<'_> {
    fn draw(&mut self, text: &str, style: Style) {
        if self.y < self.area.bottom() {
            let room = usize::from(self.area.width);
            self.buffer.set_stringn(self.area.x, self.y, fitted(text, room), room, style);
            self.y = self.y.saturating_add(1);
        }
    }
}

fn draw_text<'t>(text: impl Iterator<Item = &'t str>, area: Rect, buffer: &mut Buffer) {
    let mut lines = Lines { area, buffer, y: area.y };
    lines.draw("", Style::new());
    text.for_each(|line| lines.draw(line, Style::new()));
}

fn draw_table(view: &mut View, now: Instant, is_old: bool, area: Rect, buffer: &mut Buffer) {
    let rows = Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area };
    let guests = view.guests(now);
    let (count, place) = (guests.len(), view.place(&guests));
    view.scroll(count, place, usize::from(rows.height));
    let guests = view.guests(now);
    let placed = column::place(Some(usize::from(area.width)), &guests);
    if area.height > 0 {
        let titles = Rect { height: 1, ..area };
        table::draw_titles(&placed, (view.sort, view.is_reversed), titles, buffer);
    }
    let style = Style::new();
    let style = if is_old { style.add_modifier(Modifier::DIM) } else { style };
    for ((at, guest), y) in guests.iter().enumerate().skip(view.offset).zip(rows.y..rows.bottom()) {
        let row = Rect { y, height: 1, ..rows };
        let is_selected = place == Some(at);
        let style = if is_selected { style.add_modifier(Modifier::REVERSED) } else { style };
        table::draw_guest(&placed, guest, style, row, buffer);
    }
    if guests.is_empty() {
        let text = match view.scene.board() {
            None => "nothing is known yet",
            Some(board) if board.instances.is_empty() => "no guest runs here",
            Some(_) => "no guest passes the filter",
        };
        draw_text([text].into_iter(), rows, buffer);
    }
}

fn draw_details(view: &View, now: Instant, area: Rect, buffer: &mut Buffer) {
    let mut guests = view.scene.guests(now);
    let lines = match guests.find(|guest| Some(&guest.row.uuid) == view.selected.as_ref()) {
        Some(guest) => details::lines(&guest),
        None => vec!["this guest runs here no more".to_owned()],
    };
    draw_text(lines.iter().map(String::as_str), area, buffer);
}

fn draw_keys(view: &View, now: Instant, area: Rect, buffer: &mut Buffer) {
    let filter = plain(&view.filter);
    let shown = || format!("{} of {}", view.guests(now).len(), view.scene.guests(now).count());
    let text = match view.mode {
        Mode::Filter => format!("/{filter}_  {}  Enter keeps, Esc clears", shown()),
        Mode::Details => "Esc back  q quit  arrows other guests".to_owned(),
        Mode::Help => "Esc back  q quit".to_owned(),
        Mode::Table if !filter.is_empty() => {
            format!("filter {filter}: {}  Esc clears  / changes  q quit  ? help", shown())
        }
        Mode::Table => KEYS.to_owned(),
    };
    if area.height > 0 {
        let line = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
        Lines { area: line, buffer, y: line.y }.draw(&text, Style::new().fg(Color::Cyan));
    }
}

const KEYS: &str = "q quit  ? help  / filter  Enter details  c vCPU  s steal  m mem  d disk  n net";
