//! What keys do.

use ratatui_crossterm::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::time::Instant;

use super::{
    order::SortKey,
    view::{Mode, Step, View},
};

/// What is to be done beyond drawing the view anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    Nothing,
    Quit,
    /// Leave the terminal to the shell, for a while.
    Suspend,
}

impl View {
    /// Does what a key means.
    pub(super) fn press(&mut self, key: KeyEvent, now: Instant) -> Reaction {
        if key.kind == KeyEventKind::Release {
            return Reaction::Nothing;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Reaction::Quit,
                KeyCode::Char('z') => Reaction::Suspend,
                KeyCode::Char('u') if self.mode == Mode::Filter => {
                    self.filter.clear();
                    Reaction::Nothing
                }
                _ => Reaction::Nothing,
            };
        }
        if self.mode == Mode::Filter {
            self.edit(key.code);
            return Reaction::Nothing;
        }
        match key.code {
            KeyCode::Char('q') => return Reaction::Quit,
            KeyCode::Esc => match self.mode {
                Mode::Details | Mode::Help | Mode::Filter => self.mode = Mode::Table,
                Mode::Table if !self.filter.is_empty() => self.filter.clear(),
                Mode::Table => return Reaction::Quit,
            },
            KeyCode::Char('?') | KeyCode::F(1) => {
                self.mode = if self.mode == Mode::Help { Mode::Table } else { Mode::Help };
            }
            KeyCode::Char('/') => self.mode = Mode::Filter,
            KeyCode::Enter => self.open(now),
            KeyCode::Up => self.go(now, Step::Up(1)),
            KeyCode::Down => self.go(now, Step::Down(1)),
            KeyCode::PageUp => self.go(now, Step::Up(self.page.max(1))),
            KeyCode::PageDown => self.go(now, Step::Down(self.page.max(1))),
            KeyCode::Home => self.go(now, Step::First),
            KeyCode::End => self.go(now, Step::Last),
            KeyCode::Char('r') => self.is_reversed = !self.is_reversed,
            KeyCode::Char('<') => self.sort_by(self.sort.neighbour(false)),
            KeyCode::Char('>') => self.sort_by(self.sort.neighbour(true)),
            KeyCode::Char(key) => {
                if let Some(sort) = SortKey::of_key(key) {
                    self.sort_by(sort);
                }
            }
            _ => {}
        }
        Reaction::Nothing
    }

    fn sort_by(&mut self, sort: SortKey) {
        (self.sort, self.is_reversed) = (sort, false);
    }

    fn open(&mut self, now: Instant) {
        if self.mode != Mode::Table {
            self.mode = Mode::Table;
            return;
        }
        if self.selected.is_none() {
            self.go(now, Step::First);
        }
        if self.selected.is_some() {
            self.mode = Mode::Details;
        }
    }

    fn edit(&mut self, key: KeyCode) {
        match key {
            KeyCode::Enter => self.mode = Mode::Table,
            KeyCode::Esc => {
                self.filter.clear();
                self.mode = Mode::Table;
            }
            KeyCode::Backspace => {
                self.filter.pop();
            }
            KeyCode::Char(c) if self.filter.len() < FILTER_MAX => self.filter.push(c),
            _ => {}
        }
    }
}

/// Bytes of a filter: as much as any name has.
const FILTER_MAX: usize = 256;
