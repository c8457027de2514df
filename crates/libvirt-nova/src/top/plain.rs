//! Text that others chose, made safe for the terminal.
//!
//! What leaves this module drives no terminal, turns no direction of writing, and is as wide on
//! every terminal as we think: no selector changes how wide a character is, and no pile of marks
//! grows beyond its line.

use std::iter;

use ratatui_core::text::Span;

use crate::log::is_printable;

/// Returns a text with what cannot be shown replaced, and cut after [`MAX`] characters.
pub(super) fn plain(text: &str) -> String {
    let mut marks = 0_u32;
    let shown = text.chars().filter_map(|c| {
        if matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}') {
            return None;
        }
        if !is_printable(c) {
            marks = 0;
            return Some(REPLACEMENT);
        }
        marks = if width(c.encode_utf8(&mut [0; 4])) == 0 { marks.saturating_add(1) } else { 0 };
        (marks <= MARKS_MAX).then_some(c)
    });
    shown.take(MAX).collect()
}

/// How many columns a text takes.
pub(super) fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// Returns a text in exactly so many columns: filled up on the right, or cut and ended by `…`.
pub(super) fn fitted(text: &str, columns: usize) -> String {
    let blanks = |taken: usize| iter::repeat_n(' ', columns.saturating_sub(taken));
    let whole = width(text);
    if whole <= columns {
        return text.chars().chain(blanks(whole)).collect();
    }
    let mut cut = String::new();
    let mut taken: usize = 1;
    // By graphemes, so that no mark loses its letter.
    for grapheme in Span::raw(text).styled_graphemes(ratatui_core::style::Style::new()) {
        let wide = width(grapheme.symbol);
        if taken.saturating_add(wide) > columns {
            break;
        }
        taken = taken.saturating_add(wide);
        cut.push_str(grapheme.symbol);
    }
    if columns > 0 {
        cut.push('…');
    }
    cut.extend(blanks(taken));
    cut
}

/// Breaks a text into lines of so many columns, `most` at most; the last one is cut.
pub(super) fn lines(text: &str, columns: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let is_last = lines.len() >= most;
        match lines.last_mut() {
            Some(line)
                if is_last
                    || width(line).saturating_add(width(word)).saturating_add(1) <= columns =>
            {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    for line in &mut lines {
        if width(line) > columns {
            *line = fitted(line, columns);
        }
    }
    lines
}

/// What stands for what cannot be shown: one column wide on every terminal, as U+FFFD is not.
const REPLACEMENT: char = '?';
/// Longer than any name of Nova's: 255 characters.
const MAX: usize = 512;
/// Marks on one letter, as Vietnamese and Thai have them.
const MARKS_MAX: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_drives_a_terminal_is_replaced() {
        let text = "a\u{1b}[2J\u{7}\r\nb\u{9b}31m\u{202e}c\u{200b}\u{7f}\u{85}\u{e0041}z";
        let shown = plain(text);
        assert_eq!(shown, "a?[2J???b?31m?c????z");
        assert!(!shown.chars().any(char::is_control));
    }

    #[test]
    fn names_of_any_script_stay_and_are_as_wide_as_they_are_said_to_be() {
        for (text, columns) in [("Zürich", 6), ("東京", 4), ("สวัสดี", 4), ("e\u{301}", 1)]
        {
            assert_eq!(plain(text), text);
            assert_eq!(width(text), columns, "{text}");
        }
        // Without its selector, on which terminals differ.
        assert_eq!(plain("❤\u{fe0f}"), "❤");
        assert_eq!(plain(&format!("e{}", "\u{301}".repeat(100))), "e\u{301}\u{301}");
        assert_eq!(plain(&"x".repeat(5000)).len(), MAX);
    }

    #[test]
    fn a_text_fits_to_the_column() {
        for (text, columns, expected) in [
            ("web", 5, "web  "),
            ("web-01", 6, "web-01"),
            ("web-01", 5, "web-…"),
            ("東京都", 6, "東京都"),
            ("東京都", 5, "東京…"),
            ("東京都", 4, "東… "),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("web", 1, "…"),
            ("web", 0, ""),
        ] {
            let fit = fitted(text, columns);
            assert_eq!(fit, expected);
            assert_eq!(width(&fit), columns, "{text}");
        }
    }

    #[test]
    fn lines_break_at_blanks() {
        assert_eq!(lines("one two three", 7, 3), ["one two", "three"]);
        assert_eq!(lines("one two three four", 7, 2), ["one two", "three …"]);
        assert_eq!(lines("seventeen", 5, 2), ["seve…"]);
    }
}
