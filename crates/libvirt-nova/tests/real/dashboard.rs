//! A dashboard as Grafana reads it: its variables, its panels, and what they ask Prometheus.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

/// A dashboard of `dashboards`.
#[derive(Debug)]
pub(crate) struct Dashboard {
    pub(crate) json: Value,
}

/// A panel that is no row.
#[derive(Debug)]
pub(crate) struct Panel<'d> {
    pub(crate) title: &'d str,
    pub(crate) json: &'d Value,
    pub(crate) queries: Vec<Query<'d>>,
}

/// What a panel asks.
#[derive(Debug)]
pub(crate) struct Query<'d> {
    /// A letter.
    pub(crate) id: &'d str,
    pub(crate) expression: &'d str,
    pub(crate) legend: &'d str,
}

/// What is chosen above the panels.
#[derive(Debug)]
pub(crate) struct Variable<'d> {
    pub(crate) name: &'d str,
    pub(crate) query: &'d str,
    /// Takes text and value from what the query says; empty where that is the value.
    pub(crate) pattern: &'d str,
    /// What stands for all of them, where several may be chosen.
    pub(crate) all: Option<&'d str>,
}

impl Dashboard {
    /// Reads all of them, in the order of their names.
    pub(crate) fn all() -> Vec<Self> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboards");
        let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            files.filter(|file| file.extension().is_some_and(|it| it == "json")).collect();
        files.sort();
        let read = |file| fs::read_to_string(file).unwrap();
        files.iter().map(|file| Self { json: serde_json::from_str(&read(file)).unwrap() }).collect()
    }

    pub(crate) fn uid(&self) -> &str {
        text(&self.json["uid"])
    }

    /// The panels, those in folded rows included.
    pub(crate) fn panels(&self) -> Vec<Panel<'_>> {
        let top = list(&self.json["panels"]);
        let all = top.iter().flat_map(|it| [it].into_iter().chain(list(&it["panels"])));
        all.filter(|it| it["type"] != "row")
            .map(|json| Panel {
                title: text(&json["title"]),
                json,
                queries: list(&json["targets"]).iter().map(Query::new).collect(),
            })
            .collect()
    }

    /// The variables that Prometheus is asked for, in the order in which Grafana does.
    pub(crate) fn variables(&self) -> Vec<Variable<'_>> {
        let all = list(&self.json["templating"]["list"]).iter();
        all.filter(|it| it["type"] == "query")
            .map(|it| Variable {
                name: text(&it["name"]),
                query: text(&it["query"]["query"]),
                pattern: text(&it["regex"]).trim_matches('/'),
                all: (it["includeAll"] == true).then(|| text(&it["allValue"])),
            })
            .collect()
    }
}

impl<'d> Query<'d> {
    fn new(json: &'d Value) -> Self {
        let [id, expression, legend] =
            ["refId", "expr", "legendFormat"].map(|name| text(&json[name]));
        Self { id, expression, legend }
    }
}

/// Puts in what Grafana would: the variables that were chosen, and its own for a look at so many
/// seconds of a Prometheus that scrapes each second.
pub(crate) fn fill(text: &str, chosen: &BTreeMap<&str, String>, seconds: u32) -> String {
    let own = [
        ("__rate_interval", "5s".to_owned()),
        ("__range", format!("{seconds}s")),
        ("__interval_ms", "1000".to_owned()),
        ("__interval", "1s".to_owned()),
    ];
    let mut filled = text.to_owned();
    for (name, value) in own.iter().map(|(name, value)| (*name, value)) {
        filled = filled.replace(&format!("${name}"), value);
    }
    for (name, value) in chosen {
        filled = filled.replace(&format!("${name}"), value);
    }
    assert!(!filled.contains('$'), "nothing to put in: {filled}");
    filled
}

/// Text; empty where there is none.
fn text(json: &Value) -> &str {
    json.as_str().unwrap_or_default()
}

/// A list; empty where there is none.
pub(crate) fn list(json: &Value) -> &[Value] {
    json.as_array().map_or(&[], Vec::as_slice)
}
