//! Escaping: any text, made safe to stand inside one line.
//!
//! What leaves this module has no control character, no line or paragraph
//! separator, nothing that turns the direction of writing and nothing invisible
//! but the space. Backslashes are doubled, so no escape can be forged.

use std::fmt::Write;

/// The longest that one escaped value may be, in bytes.
///
/// Eight times Nova's longest display name in ASCII (255 characters), and room
/// for what libvirt quotes of QEMU's last words.
pub(super) const VALUE_MAX: usize = 2048;

/// What surrounds a value, and so what else in it has a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surroundings {
    /// Prose, for eyes: `"` is left alone, the rest is written as Rust does (`\u{1b}`).
    Prose,
    /// Double quotes, for eyes: as [`Self::Prose`], and `\"`.
    Quotes,
    /// Double quotes of JSON or logfmt, whose readers know JSON's escapes alone (`\u001b`).
    JsonQuotes,
}

/// Appends `value` to `line`, escaped.
///
/// A value that would grow past [`VALUE_MAX`] is cut before the character that
/// does it, and ends in `…`.
pub(super) fn push(line: &mut String, value: &str, surroundings: Surroundings) {
    let end = line.len().saturating_add(VALUE_MAX);
    for character in value.chars() {
        let before = line.len();
        push_character(line, character, surroundings);
        if line.len() > end {
            line.truncate(before);
            line.push('…');
            return;
        }
    }
}

fn push_character(line: &mut String, character: char, surroundings: Surroundings) {
    let quote = character == '"' && surroundings != Surroundings::Prose;
    if !quote && character != '\\' && is_printable(character) {
        line.push(character);
        return;
    }
    match (surroundings, character) {
        (Surroundings::Prose | Surroundings::Quotes, _)
        | (Surroundings::JsonQuotes, '\n' | '\t' | '\r' | '\\' | '"') => {
            line.extend(character.escape_default());
        }
        (Surroundings::JsonQuotes, _) => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a `String` cannot fail.
                let _ = write!(line, "\\u{unit:04x}");
            }
        }
    }
}

/// Whether `character` can be seen, or is the space.
///
/// By the standard library's Unicode table, which calls controls, separators,
/// format characters (bidi overrides, zero widths, tags), private use and what
/// is not assigned unprintable.
pub(crate) fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    // A mark that combines with what precedes it is escaped at the start of a text only: the
    // space is there so that Thai and Hindi names stay readable.
    let text = String::from_iter([' ', character]);
    text.escape_debug().eq(text.chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(value: &str, surroundings: Surroundings) -> String {
        let mut line = String::new();
        push(&mut line, value, surroundings);
        line
    }

    #[test]
    fn each_surrounding_has_its_own_escapes() {
        let value = "a\n\t\r\"'\\\u{1b}\u{0}\u{7f}\u{85}\u{2028}\u{202e}\u{e0041}z";
        assert_eq!(
            escaped(value, Surroundings::Prose),
            r#"a\n\t\r"'\\\u{1b}\u{0}\u{7f}\u{85}\u{2028}\u{202e}\u{e0041}z"#
        );
        assert_eq!(
            escaped(value, Surroundings::Quotes),
            r#"a\n\t\r\"'\\\u{1b}\u{0}\u{7f}\u{85}\u{2028}\u{202e}\u{e0041}z"#
        );
        assert_eq!(
            escaped(value, Surroundings::JsonQuotes),
            r#"a\n\t\r\"'\\\u001b\u0000\u007f\u0085\u2028\u202e\udb40\udc41z"#
        );
    }

    #[test]
    fn visible_text_of_any_script_stays() {
        let value = "Zürich 東京 🦀 ❤️ สวัสดี हिन्दी עברית </script> ]]> %s {}";
        assert_eq!(escaped(value, Surroundings::Prose), value);
        assert_eq!(escaped(value, Surroundings::JsonQuotes), value);
    }

    /// Every character of the first plane and of the plane of tags.
    #[test]
    fn nothing_invisible_gets_through() {
        let invisible = |character: char| {
            character.is_control()
                || (character.is_whitespace() && character != ' ')
                || matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}')
                || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
                || matches!(character, '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}')
        };
        for character in ('\0'..='\u{ffff}').chain('\u{e0000}'..='\u{effff}') {
            for surroundings in [Surroundings::Quotes, Surroundings::JsonQuotes] {
                let line = escaped(&character.to_string(), surroundings);
                assert!(!line.contains(invisible), "{character:?} in {surroundings:?}");
                assert!(line.len() <= 12, "{character:?} became {line}");
            }
        }
    }

    #[test]
    fn a_long_value_is_cut_between_escapes() {
        assert_eq!(escaped(&"x".repeat(VALUE_MAX), Surroundings::Prose).len(), VALUE_MAX);
        let cut = escaped(&"x".repeat(VALUE_MAX + 1), Surroundings::Prose);
        assert_eq!(cut, format!("{}…", "x".repeat(VALUE_MAX)));

        let cut = escaped(&"\u{1b}".repeat(VALUE_MAX), Surroundings::JsonQuotes);
        assert_eq!(cut, format!("{}…", r"\u001b".repeat(VALUE_MAX / 6)));
    }
}
