//! The targets: whether their file is right, and each answers.

use std::{sync::Arc, time::Duration};

use super::finding::Finding;
use crate::{fault::chain, flags::Flags, log, targets::Targets, watched::Plan};

const SUBJECT: &str = "targets";

/// What a check finds out of targets.
#[derive(Debug)]
pub(super) enum Seen {
    /// The file is wrong, for this reason.
    Wrong(String),
    /// Each by its name, with how many domains run there, or why nobody knows.
    Asked(Vec<(String, Result<usize, String>)>),
}

/// Asks each target that a file has once; `None` where there is no file.
pub(super) async fn look(flags: &Flags, log: Arc<log::Record>) -> Option<Seen> {
    let path = flags.targets.as_ref()?;
    let plan = Plan::new(&Flags { interval: Duration::ZERO, ..flags.clone() });
    let credentials = flags.access.credentials.clone();
    Some(match Targets::open(path, Duration::ZERO, plan, credentials, log) {
        Ok(targets) => Seen::Asked(targets.ask_all(flags.deadline).await),
        Err(error) => Seen::Wrong(chain(&error).to_string()),
    })
}

pub(super) fn findings(seen: &Seen) -> Vec<Finding> {
    let asked = match seen {
        Seen::Wrong(told) => {
            let advice = "docs/targets.md says what a targets file looks like.";
            return vec![Finding::loss(SUBJECT, log::escaped(told)).advised(advice)];
        }
        Seen::Asked(asked) if asked.is_empty() => {
            return vec![Finding::note(SUBJECT, "there are none in the file")];
        }
        Seen::Asked(asked) => asked,
    };
    let up = asked.iter().filter_map(|(_, found)| found.as_ref().ok());
    let (count, domains) =
        (up.clone().count(), up.fold(0, |sum: usize, it| sum.saturating_add(*it)));
    let said = format!("{count} of {} answer, on which {domains} domains run", asked.len());
    let mut findings = vec![Finding::ok(SUBJECT, said)];
    for (name, found) in asked {
        if let Err(told) = found {
            let said = format!("{}: {}", log::escaped(name), log::escaped(told));
            findings.push(Finding::loss(SUBJECT, said));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::Verdict;

    #[test]
    fn each_target_that_does_not_answer_is_told_of_with_its_reason() {
        let asked = vec![
            ("a".to_owned(), Ok(3)),
            ("b".to_owned(), Err("nobody\nlistens".to_owned())),
            ("c".to_owned(), Ok(4)),
        ];
        let found = findings(&Seen::Asked(asked));
        let [well, lost] = &found[..] else { panic!("{found:?}") };
        assert_eq!(well.said, "2 of 3 answer, on which 7 domains run");
        assert_eq!((lost.verdict, &*lost.said), (Verdict::Loss, "b: nobody\\nlistens"));
    }

    #[test]
    fn a_file_that_is_wrong_or_without_targets_is_told_of() {
        let told = "cannot use the targets file t.yml: line 2: x".to_owned();
        let found = findings(&Seen::Wrong(told.clone()));
        assert_eq!((found[0].verdict, &found[0].said), (Verdict::Loss, &told));
        let found = findings(&Seen::Asked(Vec::new()));
        assert_eq!(found[0].verdict, Verdict::Note);
    }
}
