//! Findings as text: a column each for verdict and subject, then what is so and what mends it.

use super::finding::{Finding, Verdict};

/// Prints findings, one below the other, and in the end what they come to.
pub(super) fn report(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { subject, verdict, said, remedies } in findings {
        text.push_str(&format!("{:VERDICT$}{subject:SUBJECT$}", verdict.word()));
        wrap(&mut text, said);
        for remedy in remedies {
            indent(&mut text, 0);
            wrap(&mut text, &remedy.words);
            for command in &remedy.commands {
                indent(&mut text, 2);
                text.push_str(command);
                text.push('\n');
            }
        }
    }
    text.push('\n');
    text.push_str(&sum(findings));
    text.push('\n');
    text
}

/// What the findings come to, in a line.
fn sum(findings: &[Finding]) -> String {
    let mut losing: Vec<_> = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Loss)
        .map(|finding| finding.subject)
        .collect();
    losing.dedup();
    if losing.is_empty() {
        return "All is well.".to_owned();
    }
    format!("Metrics are lost: {}.", losing.join(", "))
}

/// Appends words, the first of which comes where the line is, on lines that are not too long.
///
/// A word that is longer than a line, a path, stays whole.
fn wrap(text: &mut String, words: &str) {
    let mut at = 0_usize;
    for word in words.split(' ') {
        let length = word.chars().count();
        if at > 0 && at.saturating_add(length) >= WIDTH {
            text.push('\n');
            indent(text, 0);
            at = 0;
        } else if at > 0 {
            text.push(' ');
            at = at.saturating_add(1);
        }
        text.push_str(word);
        at = at.saturating_add(length);
    }
    text.push('\n');
}

fn indent(text: &mut String, more: usize) {
    let column = VERDICT.saturating_add(SUBJECT).saturating_add(more);
    text.extend(std::iter::repeat_n(' ', column));
}

/// Columns of a verdict.
const VERDICT: usize = 6;
/// Columns of a subject, of which the longest is `authentication`.
const SUBJECT: usize = 16;
/// Columns of a sentence: all in all a hundred.
const WIDTH: usize = 78;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_and_subjects_are_columns_and_commands_lines_of_their_own() {
        let long = "word ".repeat(30);
        let command = "x".repeat(200);
        let findings = [
            Finding::ok("authentication", "nothing is asked"),
            Finding::loss("balloon", long.trim()).mended("do this:", [command.clone()]),
            Finding::loss("balloon", "more"),
            Finding::note("flags", "-x is ignored").advised("leave it out"),
        ];
        let text = report(&findings);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "ok    authentication  nothing is asked");
        assert!(lines[1].starts_with("LOSS  balloon         word word"), "{text}");
        assert!(lines[2].starts_with("                      word"), "{text}");
        assert_eq!(lines[3], "                      do this:");
        assert_eq!(lines[4], format!("                        {command}"));
        assert_eq!(lines[7], "                      leave it out");
        assert_eq!(lines[8..], ["", "Metrics are lost: balloon."]);
        for line in lines.iter().filter(|line| !line.contains(&command)) {
            assert!(line.len() <= VERDICT + SUBJECT + WIDTH, "{line}");
        }
    }

    #[test]
    fn notes_and_what_was_not_seen_are_no_loss() {
        let findings = [
            Finding::note("flags", "-x is ignored"),
            Finding::new(Verdict::Unseen, "the rest", "not looked at"),
        ];
        assert!(report(&findings).ends_with("\n\nAll is well.\n"));
    }

    #[test]
    fn a_path_longer_than_a_line_stays_whole() {
        let path = format!("/{}", "x".repeat(WIDTH));
        let text = report(&[Finding::ok("socket", format!("{path} answers"))]);
        assert!(text.contains(&path), "{text}");
    }
}
