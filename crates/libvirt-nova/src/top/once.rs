//! The table as plain text, once: for scripts and tickets.

use std::time::Duration;

use tokio::time::{self, Instant};

use super::{column, header, source::Source, table, view::View};
use crate::later::later;

/// Listens until there is all that there will be, and returns the table.
pub(super) async fn print(source: &mut Source, view: &mut View, is_surveying: bool) -> String {
    let until = later(PATIENCE);
    while !is_whole(view, is_surveying) {
        let Ok(Ok(news)) = time::timeout_at(until, source.next()).await else { break };
        view.scene.take(news, Instant::now());
    }
    text(view, Instant::now())
}

/// Whether there is a number for each column, of one guest at least. Where somebody else makes the
/// surveys, what they found is all there is.
fn is_whole(view: &View, is_surveying: bool) -> bool {
    let now = Instant::now();
    let Some(board) = view.scene.board() else { return false };
    let pulse = &board.pulse;
    if pulse.polled.is_none() || is_surveying && pulse.surveyed.is_none() {
        return false;
    }
    let mut guests = view.scene.guests(now).peekable();
    let has_rates = || {
        view.scene.guests(now).any(|guest| {
            guest.disk().is_some() || guest.network().is_some() || guest.row.steal.is_some()
        })
    };
    guests.peek().is_none()
        || guests.any(|guest| guest.in_use.is_some()) && (!is_surveying || has_rates())
}

/// Returns the table as it is now.
fn text(view: &View, now: Instant) -> String {
    let guests = view.guests(now);
    let placed = column::place(None, &guests);
    let mut lines = header::lines(&view.scene, now, usize::MAX);
    lines.extend(header::trouble(&view.scene, now, &view.zone, usize::MAX));
    lines.push(String::new());
    lines.push(table::titles(&placed));
    lines.extend(guests.iter().map(|guest| table::line(&placed, guest)));
    lines.push(String::new());
    lines.join("\n")
}

/// How long all of it may take: a survey beside stuck guests takes some seconds.
const PATIENCE: Duration = Duration::from_secs(8);
