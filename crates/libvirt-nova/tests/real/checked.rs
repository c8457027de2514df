//! What `--check` printed, taken apart.

use std::process::Output;

/// What `--check` printed.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) code: Option<i32>,
    pub(crate) findings: Vec<Told>,
    /// The last line.
    pub(crate) sum: String,
    /// Standard error.
    pub(crate) log: String,
}

/// One finding.
#[derive(Debug)]
pub(crate) struct Told {
    verdict: String,
    subject: String,
    /// The sentence and what mends it, on one line.
    text: String,
    /// The lines that stand in further than the others.
    commands: Vec<String>,
}

/// The column in which a finding's text begins.
const TEXT: usize = 22;
/// The one in which a command does.
const COMMAND: usize = 24;

impl Checked {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (stdout, log) = (text(&output.stdout), text(&output.stderr));
        let (lines, sum) = stdout.split_once("\n\n").unwrap_or_else(|| panic!("{stdout} {log}"));
        let mut findings = Vec::<Told>::new();
        for line in lines.lines() {
            if let Some(command) = line.strip_prefix(&" ".repeat(COMMAND)) {
                findings.last_mut().unwrap().commands.push(command.to_owned());
            } else if let Some(more) = line.strip_prefix(&" ".repeat(TEXT)) {
                let text = &mut findings.last_mut().unwrap().text;
                text.push(' ');
                text.push_str(more);
            } else {
                let (columns, text) = line.split_at(TEXT);
                let (verdict, subject) = columns.split_once(' ').unwrap();
                let [verdict, subject, text] = [verdict, subject.trim(), text].map(str::to_owned);
                findings.push(Told { verdict, subject, text, commands: Vec::new() });
            }
        }
        Self { code: output.status.code(), findings, sum: sum.trim_end().to_owned(), log }
    }

    /// The subjects of the findings of a verdict.
    pub(crate) fn subjects(&self, verdict: &str) -> Vec<&str> {
        let of_it = self.findings.iter().filter(|told| told.verdict == verdict);
        of_it.map(|told| &*told.subject).collect()
    }

    /// Panics unless something is lost, and these subjects alone.
    pub(crate) fn assert_loses(&self, subjects: &[&str]) {
        assert_eq!(self.subjects("LOSS"), subjects, "{self:#?}");
        assert_eq!(self.code, Some(1), "{self:#?}");
        assert_eq!(self.sum, format!("Metrics are lost: {}.", subjects.join(", ")));
    }

    /// Panics where something is lost.
    pub(crate) fn assert_well(&self) {
        assert_eq!(self.subjects("LOSS"), [""; 0], "{self:#?}");
        assert_eq!((self.code, &*self.sum), (Some(0), "All is well."));
    }

    /// The text of what was found of a subject: the worst of it.
    pub(crate) fn text(&self, subject: &str) -> &str {
        &self.told(subject).text
    }

    /// The commands that mend it.
    pub(crate) fn commands(&self, subject: &str) -> &[String] {
        &self.told(subject).commands
    }

    fn told(&self, subject: &str) -> &Told {
        let of_it = self.findings.iter().filter(|told| told.subject == subject);
        let rank =
            |told: &&Told| ["ok", "-", "note", "LOSS"].iter().position(|it| *it == told.verdict);
        of_it.max_by_key(rank).unwrap_or_else(|| panic!("nothing of {subject}: {self:#?}"))
    }
}
