//! The rules, on a Prometheus that scrapes real hosts.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::Value;

use crate::{dashboard::list, fixture::new_dir, process::checkout, prometheus::Prometheus};

/// Copies of all files of rules in which time runs faster: groups are evaluated each second, and what
/// has to last for minutes, or a day, lasts for seconds.
pub(crate) fn in_a_hurry() -> Vec<PathBuf> {
    let dir = new_dir("rules");
    let files = fs::read_dir(checkout().join("rules")).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|it| it == "yml"));
    let copies: Vec<_> = files
        .map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            let copy = dir.join(file.file_name().unwrap());
            fs::write(&copy, text.lines().map(hurried).collect::<String>()).unwrap();
            copy
        })
        .collect();
    assert!(copies.len() > 2, "{copies:?}");
    copies
}

fn hurried(line: &str) -> String {
    let indent = &line[..line.len() - line.trim_start().len()];
    match line.trim().split_once(' ') {
        Some((key @ ("for:" | "interval:"), _)) => format!("{indent}{key} 1s\n"),
        _ => line.replace("seconds > 120", "seconds > 2").replace("1d", "5s") + "\n",
    }
}

/// Panics where a rule could not be evaluated; returns the names of records, and of alerts.
pub(crate) fn evaluated(prometheus: &Prometheus) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut records, mut alerts) = (BTreeSet::new(), BTreeSet::new());
    let data = prometheus.api("rules", &[]);
    for rule in list(&data["groups"]).iter().flat_map(|group| list(&group["rules"])) {
        assert_eq!(rule["health"], "ok", "{rule}");
        assert_eq!(rule.get("lastError").and_then(Value::as_str), None, "{rule}");
        let name = rule["name"].as_str().unwrap().to_owned();
        let kind = if rule["type"] == "recording" { &mut records } else { &mut alerts };
        kind.insert(name);
    }
    (records, alerts)
}

/// The alerts that fire, with the domain that each is about, empty where it is about none.
pub(crate) fn firing(prometheus: &Prometheus) -> BTreeSet<(String, String)> {
    let alerts = prometheus.series("ALERTS{alertstate=\"firing\"}");
    let of = |name: &str, labels: &crate::scrape::Labels| labels.get(name).cloned();
    alerts
        .iter()
        .map(|(labels, _)| {
            (of("alertname", labels).unwrap(), of("domain", labels).unwrap_or_default())
        })
        .collect()
}
