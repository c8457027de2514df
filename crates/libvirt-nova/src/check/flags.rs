//! Flags that change nothing.

use super::finding::Finding;

const SUBJECT: &str = "flags";

pub(super) fn findings(ignored: &[&'static str]) -> Vec<Finding> {
    if ignored.is_empty() {
        return vec![Finding::ok(SUBJECT, "none that was given is ignored")];
    }
    let of_one = |flag: &&str| {
        let said = format!("{flag} is another exporter's, and ignored here");
        Finding::note(SUBJECT, said).advised("Take it off the command line or out of the unit.")
    };
    ignored.iter().map(of_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::Verdict;

    #[test]
    fn each_flag_that_is_ignored_is_noted() {
        let found = findings(&["--libvirt.driver", "--exporter.timeout"]);
        let [driver, timeout] = &found[..] else { panic!("{found:?}") };
        assert!(driver.said.starts_with("--libvirt.driver is"), "{driver:?}");
        assert!(timeout.said.starts_with("--exporter.timeout is"), "{timeout:?}");
        assert!(found.iter().all(|finding| finding.verdict == Verdict::Note));
        assert_eq!(findings(&[])[0].verdict, Verdict::Ok);
    }
}
