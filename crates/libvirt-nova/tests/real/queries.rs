//! The queries of the documentation are queries, of families that there are.

use std::fs;

use crate::{
    exporter::program,
    fixture::new_dir,
    process::{checkout, command, outcome, output},
};

#[test]
fn every_query_of_the_documentation_is_one_and_asks_for_what_there_is() {
    let queries = queries();
    assert!(queries.len() > 10, "{queries:#?}");
    let reference = output(command(program()).arg("--list-metrics"));
    let mut rules = String::from("groups:\n- name: documentation\n  rules:\n");
    for (at, query) in queries.iter().enumerate() {
        let quoted = query.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ");
        rules.push_str(&format!("  - record: query:{at}\n    expr: \"{quoted}\"\n"));
        let words = query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        for family in words.filter(|word| word.starts_with("libvirt_")) {
            let is =
                |family: &str, kind: &str| reference.contains(&format!("| `{family}` |{kind}"));
            let histogram = family.strip_suffix("_bucket");
            let is_there = histogram.map_or_else(|| is(family, ""), |it| is(it, " histogram |"));
            assert!(is_there, "{family}: {query}");
        }
    }
    let file = new_dir("queries").join("rules.yml");
    fs::write(&file, rules).unwrap();
    let (success, stdout, stderr) = outcome(command("promtool").args(["check", "rules"]).arg(file));
    assert!(success, "{stdout}{stderr}");
}

/// What stands between fences below "Ask" and "Joins": a query a line, or over several lines that
/// end with a parenthesis alone.
fn queries() -> Vec<String> {
    let mut queries = Vec::new();
    for (page, heading) in [("README.md", "\n## Ask\n"), ("docs/metrics.md", "\n## Joins\n")] {
        let text = fs::read_to_string(checkout().join(page)).unwrap();
        let (_, section) = text.split_once(heading).unwrap();
        let section = section.split("\n## ").next().unwrap();
        for block in section.split("```\n").skip(1).step_by(2) {
            if block.ends_with("\n)\n") {
                queries.push(block.trim().to_owned());
            } else {
                queries.extend(block.lines().map(str::to_owned));
            }
        }
    }
    queries
}
