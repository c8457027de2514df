//! The dashboards ask for families that there are, by labels that they have, and are made as
//! Grafana wants them.

#![expect(clippy::arithmetic_side_effects, reason = "a test is meant to panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

use crate::dashboard::{Dashboard, list};

/// What each series has from Prometheus, or a histogram's from its format.
const EVERYWHERE: [&str; 3] = ["instance", "job", "le"];

#[test]
fn every_expression_asks_for_families_that_there_are_by_labels_that_they_have() {
    let table = Table::read();
    let mut count = 0;
    for dashboard in Dashboard::all() {
        for variable in dashboard.variables() {
            let (function, arguments) = variable.query.split_once('(').unwrap();
            let arguments = arguments.strip_suffix(')').unwrap();
            match arguments.rsplit_once(", ") {
                Some((vector, label)) if function == "label_values" => {
                    table.assert_knows(&format!("group by ({label}) ({vector})"));
                }
                _ => table.assert_knows(arguments),
            }
        }
        for panel in dashboard.panels() {
            for query in panel.queries {
                table.assert_knows(query.expression);
                count += 1;
            }
        }
    }
    assert!(count > 100, "{count} expressions");
}

#[test]
#[should_panic(expected = "libvirt_domain_state has no label domian")]
fn a_label_that_there_is_not_is_found() {
    Table::read().assert_knows(r#"sum by (uuid) (libvirt_domain_state{domian="x"})"#);
}

#[test]
#[should_panic(expected = "nothing has the label uid")]
fn a_label_to_sum_by_that_there_is_not_is_found() {
    Table::read().assert_knows("sum by (uid) (libvirt_domain_state)");
}

#[test]
fn panels_have_places_of_their_own_and_say_what_they_show() {
    for dashboard in Dashboard::all() {
        let mut ids = BTreeSet::new();
        let mut titles = BTreeSet::new();
        let top = list(&dashboard.json["panels"]);
        assert_apart(top);
        for row in top.iter().filter(|it| it["type"] == "row") {
            assert!(ids.insert(row["id"].as_u64().unwrap()), "{row}");
            assert_apart(list(&row["panels"]));
        }
        for panel in dashboard.panels() {
            let title = panel.title;
            assert!(ids.insert(panel.json["id"].as_u64().unwrap()), "{title}");
            assert!(titles.insert(title), "{title} twice");
            assert!(panel.json["description"].as_str().unwrap().ends_with('.'), "{title}");
            assert!(!panel.json["fieldConfig"]["defaults"]["unit"].is_null(), "{title}");
            assert!(!panel.queries.is_empty(), "{title}");
        }
    }
}

/// Nothing names a data source, and what is to be put in is there to be chosen.
#[test]
fn everything_that_is_put_in_can_be_chosen_and_links_lead_to_what_there_is() {
    let dashboards = Dashboard::all();
    let variables: BTreeMap<_, BTreeSet<_>> = dashboards
        .iter()
        .map(|it| (it.uid(), it.variables().iter().map(|variable| variable.name).collect()))
        .collect();
    assert_eq!(variables.len(), 3, "{variables:?}");
    for dashboard in &dashboards {
        let own = &variables[dashboard.uid()];
        let mut sources = Vec::new();
        visit(&dashboard.json, "datasource", &mut sources);
        for source in &sources {
            assert_eq!(source["uid"], "${datasource}", "{source}");
        }
        let queries = dashboard.panels().into_iter().flat_map(|panel| panel.queries);
        let expressions: Vec<_> = queries.map(|query| query.expression).collect();
        let asked = dashboard.variables();
        for text in expressions.iter().copied().chain(asked.iter().map(|it| it.query)) {
            for (_, rest) in text.match_indices('$').map(|(at, _)| text.split_at(at + 1)) {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let name = &rest[..end.unwrap_or(rest.len())];
                assert!(own.contains(name) || OF_GRAFANA.contains(&name), "${name}: {text}");
            }
            for (_, window) in text.match_indices('[').map(|(at, _)| text.split_at(at)) {
                let is_known = WINDOWS.iter().any(|known| window.starts_with(known));
                assert!(is_known, "a rate for one scrape interval alone: {window}");
            }
        }
        let mut links = Vec::new();
        visit(&dashboard.json, "url", &mut links);
        let mut count = 0;
        for link in links.iter().filter_map(|it| it.as_str()).filter(|it| !it.is_empty()) {
            let (uid, parameters) = link.strip_prefix("/d/").unwrap().split_once('?').unwrap();
            let chosen = parameters.split('&').filter_map(|it| it.strip_prefix("var-"));
            for (name, _) in chosen.map(|it| it.split_once('=').unwrap()) {
                assert!(variables[uid].contains(name), "{link}");
                count += 1;
            }
        }
        assert!(count > 5, "{count} links in {}", dashboard.uid());
    }
}

const OF_GRAFANA: [&str; 4] = ["__interval", "__interval_ms", "__range", "__rate_interval"];
/// A day is for who was there and is gone.
const WINDOWS: [&str; 4] = ["[$__rate_interval]", "[$__range]", "[$__range:$__interval]", "[1d]"];

/// Collects the values of a field, wherever it is.
fn visit<'j>(json: &'j Value, field: &str, found: &mut Vec<&'j Value>) {
    match json {
        Value::Object(object) => {
            found.extend(object.get(field).filter(|it| !it.is_null()));
            object.values().for_each(|it| visit(it, field, found));
        }
        Value::Array(items) => items.iter().for_each(|it| visit(it, field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Panics where two panels overlap, or one stands beyond the 24 columns.
fn assert_apart(panels: &[Value]) {
    let mut taken = BTreeSet::new();
    for panel in panels {
        let place = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{panel}");
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(taken.insert((x, y)), "{} is on another", panel["title"]);
            }
        }
    }
}

/// The families of `--list-metrics`, with their labels.
struct Table(BTreeMap<String, BTreeSet<String>>);

impl Table {
    fn read() -> Self {
        let output = Command::new(env!("CARGO_BIN_EXE_libvirt_nova"))
            .arg("--list-metrics")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (_, families) = text.split_once("\n\n").unwrap();
        let mut table = BTreeMap::new();
        for line in families.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let (name, kind) = (cells[0].trim_matches('`'), cells[1]);
            let labels: BTreeSet<_> =
                cells[3].split(", ").filter(|it| !it.is_empty()).map(str::to_owned).collect();
            let parts: &[&str] =
                if kind == "histogram" { &["_bucket", "_count", "_sum"] } else { &[""] };
            table.extend(parts.iter().map(|part| (format!("{name}{part}"), labels.clone())));
        }
        // What Prometheus says of a target.
        for name in ["up", "scrape_samples_scraped"] {
            table.insert(name.to_owned(), BTreeSet::new());
        }
        Self(table)
    }

    /// Panics where an expression names a family or label that is not there.
    fn assert_knows(&self, expression: &str) {
        let words = words(expression);
        let is_family = |word: &str| self.0.contains_key(word);
        let of_all: BTreeSet<_> = words
            .iter()
            .filter_map(|word| self.0.get(*word))
            .flatten()
            .map(String::as_str)
            .collect();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let next = words.get(at + 1).copied().unwrap_or_default();
            at += 1;
            if is_family(word) && next == "{" {
                // Name, operator, text, and a comma or the end.
                while words[at] != "}" {
                    let label = words[at + 1];
                    let has = self.0[*word].contains(label) || EVERYWHERE.contains(&label);
                    assert!(has, "{word} has no label {label}: {expression}");
                    at += 4;
                }
            } else if GROUPS.contains(word) && next == "(" {
                at += 1;
                while words[at] != ")" {
                    let label = words[at];
                    if label != "," {
                        let has = of_all.contains(label) || EVERYWHERE.contains(&label);
                        assert!(has, "nothing has the label {label}: {expression}");
                    }
                    at += 1;
                }
            } else if word.starts_with(|c: char| c.is_ascii_alphabetic()) {
                let is_word = next == "(" || OPERATORS.contains(word) || GROUPS.contains(&next);
                assert!(is_family(word) || is_word, "no family {word}: {expression}");
            }
        }
    }
}

const GROUPS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
const OPERATORS: [&str; 4] = ["and", "or", "unless", "bool"];

/// Takes PromQL apart: names, texts, operators, each bracket. What Grafana puts in is a number or
/// within a text.
fn words(expression: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_:$.".contains(c);
        let is_operator = |c: char| "=~!<>".contains(c);
        let end = if first == '"' {
            rest[1..].find('"').unwrap() + 2
        } else if is_name(first) {
            rest.find(|c| !is_name(c)).unwrap_or(rest.len())
        } else if is_operator(first) {
            rest.find(|c| !is_operator(c)).unwrap_or(rest.len())
        } else {
            1
        };
        let (word, after) = rest.split_at(end);
        words.push(word);
        rest = after.trim_start();
    }
    words
}
