//! What the exporter said, read by a parser that forgives nothing.
//!
//! It holds the text format 0.0.4 to what the exporter promises beyond it: every family has help
//! and type and at least one sample, families and samples come once, labels are sorted, there
//! are no timestamps, and no value is NaN or infinite.

use std::collections::{BTreeMap, BTreeSet};

use crate::http::Response;

/// Labels by name.
pub(crate) type Labels = BTreeMap<String, String>;

/// One exposition.
#[derive(Debug)]
pub(crate) struct Scrape {
    pub(crate) response: Response,
    pub(crate) families: Vec<Family>,
}

/// One family, in the order of its lines.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) kind: String,
    pub(crate) samples: Vec<Sample>,
}

#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) labels: Labels,
    pub(crate) value: f64,
}

impl Scrape {
    /// Reads an answer.
    pub(crate) fn new(response: Response) -> Self {
        assert_eq!(response.status, "HTTP/1.1 200 OK", "{}", response.body);
        assert_eq!(response.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        let families = parse(&response.body);
        Self { response, families }
    }

    /// Returns the value of the only sample of a family with these labels among its own.
    pub(crate) fn get(&self, family: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.sample(family, labels).map(|sample| sample.value)
    }

    /// Returns the same where there must be one.
    pub(crate) fn value(&self, family: &str, labels: &[(&str, &str)]) -> f64 {
        let found = self.get(family, labels);
        found.unwrap_or_else(|| panic!("no {family} {labels:?} in {}", self.response.body))
    }

    pub(crate) fn sample(&self, family: &str, labels: &[(&str, &str)]) -> Option<&Sample> {
        let found = self.samples(family, labels);
        assert!(found.len() <= 1, "{family} {labels:?} twice in {}", self.response.body);
        found.first().copied()
    }

    /// Returns the samples of a family that have these labels among their own.
    pub(crate) fn samples(&self, family: &str, labels: &[(&str, &str)]) -> Vec<&Sample> {
        let family = self.families.iter().find(|known| known.name == family);
        let samples = family.into_iter().flat_map(|family| &family.samples);
        samples.filter(|sample| sample.has(labels)).collect()
    }

    /// Whether libvirtd answered.
    pub(crate) fn up(&self) -> bool {
        self.value("libvirt_up", &[]) == 1.0
    }

    /// The state that a guest is said to be in.
    pub(crate) fn state(&self, guest: &str) -> Option<&str> {
        let states = self.samples("libvirt_domain_state", &[("domain", guest)]);
        let mut now = states.into_iter().filter(|sample| sample.value == 1.0);
        let state = &now.next()?.labels["state"];
        assert!(now.next().is_none(), "{guest} is in two states");
        Some(state)
    }

    /// The names of the instances that anything is said of, and how many samples each family has of
    /// them; but for those that come and go with what libvirt is doing at the moment, and of events
    /// but for those that are counted from 0 on.
    pub(crate) fn instances(&self) -> BTreeMap<&str, BTreeMap<&str, usize>> {
        let mut instances = BTreeMap::<_, BTreeMap<_, usize>>::new();
        let steady = self.families.iter().filter(|family| !MOMENTARY.contains(&&*family.name));
        for Family { name, samples, .. } in steady {
            for Sample { labels, .. } in samples {
                if name == EVENTS && !ALARMS.contains(&(&labels["event"], &labels["detail"])) {
                    continue;
                }
                if let Some(instance) = labels.get("libvirtname").or_else(|| labels.get("domain")) {
                    *instances.entry(&**instance).or_default().entry(&**name).or_default() += 1;
                }
            }
        }
        instances
    }

    /// The same of one instance; empty where nothing is said of it.
    pub(crate) fn families_of(&self, instance: &str) -> BTreeMap<&str, usize> {
        self.instances().remove(instance).unwrap_or_default()
    }
}

const MOMENTARY: [&str; 7] = [
    // Of what the polls between scrapes have seen so far.
    "libvirt_nova_instance_vcpus_in_use",
    "libvirt_nova_instance_vcpus_in_use_peak",
    "libvirt_nova_instance_vcpu_utilization",
    "libvirt_domain_control_state_seconds",
    // Given without QEMU, but only by a call that would ask it for more.
    "libvirt_domain_info_memory_usage_bytes",
    "libvirt_domain_memory_stats_current_balloon_bytes",
    "libvirt_domain_memory_stats_maximum_bytes",
];

pub(crate) const EVENTS: &str = "libvirt_domain_events_total";

/// The events that nobody wants to miss, with their details: each domain has them all.
pub(crate) const ALARMS: [(&str, &str); 4] =
    [("crashed", "panicked"), ("io-error", "pause"), ("stopped", "crashed"), ("stopped", "failed")];

impl Sample {
    fn has(&self, labels: &[(&str, &str)]) -> bool {
        labels.iter().all(|(name, value)| self.labels.get(*name).is_some_and(|own| own == value))
    }
}

/// Reads an exposition. Panics at the first character that is not as it should be.
pub(crate) fn parse(text: &str) -> Vec<Family> {
    assert!(text.ends_with('\n'), "the last line does not end");
    let mut families = Vec::<Family>::new();
    let mut seen = BTreeSet::new();
    let mut lines = text.split_terminator('\n').peekable();
    while let Some(line) = lines.next() {
        let (name, help) = header(line, "# HELP ");
        let kind_line = lines.next().unwrap_or_default();
        let (same, kind) = header(kind_line, "# TYPE ");
        assert_eq!(name, same, "{kind_line}");
        assert!(["counter", "gauge", "histogram"].contains(&kind), "{kind_line}");
        assert!(seen.insert(name), "{name} begins twice");
        let mut samples = BTreeMap::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            let (labels, value) = match kind {
                "histogram" => histogram_sample(line, name),
                _ => sample(line, name),
            };
            assert!(kind == "gauge" || value >= 0.0, "{line}");
            assert!(samples.insert(labels, value).is_none(), "twice: {line}");
        }
        assert!(!samples.is_empty(), "{name} has no sample");
        let samples = samples.into_iter().map(|(labels, value)| Sample { labels, value }).collect();
        families.push(Family {
            name: name.to_owned(),
            help: unescape(help, false),
            kind: kind.to_owned(),
            samples,
        });
    }
    families
}

/// Splits `# HELP name text`.
fn header<'l>(line: &'l str, prefix: &str) -> (&'l str, &'l str) {
    let rest = line.strip_prefix(prefix).unwrap_or_else(|| panic!("no {prefix}in {line:?}"));
    let (name, text) = rest.split_once(' ').unwrap_or_else(|| panic!("{line:?}"));
    assert!(is_name(name), "{line:?}");
    (name, text)
}

/// Reads a sample of a histogram; which one it is becomes the label `part`, and a bucket's bound
/// stays the label `le`, which comes after the others.
fn histogram_sample(line: &str, family: &str) -> (Labels, f64) {
    let parts = ["bucket", "sum", "count"];
    let part = parts.into_iter().find(|part| line.starts_with(&format!("{family}_{part}")));
    let part = part.unwrap_or_else(|| panic!("not of {family}: {line:?}"));
    let (line, bound) = match line.split_once(",le=\"") {
        Some((before, after)) => {
            let (bound, after) = after.split_once('"').unwrap_or_else(|| panic!("{line:?}"));
            assert!(bound == "+Inf" || bound.parse::<f64>().is_ok(), "{line:?}");
            (format!("{before}{after}"), Some(bound.to_owned()))
        }
        None => (line.to_owned(), None),
    };
    assert_eq!(bound.is_some(), part == "bucket", "{line:?}");
    let (mut labels, value) = sample(&line, &format!("{family}_{part}"));
    labels.insert("part".to_owned(), part.to_owned());
    labels.extend(bound.map(|bound| ("le".to_owned(), bound)));
    (labels, value)
}

/// Reads `name{label="value",…} 1`.
fn sample(line: &str, family: &str) -> (Labels, f64) {
    let rest = line.strip_prefix(family).unwrap_or_else(|| panic!("not of {family}: {line:?}"));
    let mut labels = Labels::new();
    let mut rest = rest;
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line:?}"));
            assert!(is_name(name) && !name.contains(':'), "{line:?}");
            let end = closing_quote(after).unwrap_or_else(|| panic!("no closing quote: {line:?}"));
            let before = labels.insert(name.to_owned(), unescape(&after[..end], true));
            assert!(before.is_none(), "{name} is there twice: {line:?}");
            rest = &after[end + 1..];
            match rest.strip_prefix(',') {
                Some(next) => rest = next,
                None => break,
            }
        }
        rest = rest.strip_prefix('}').unwrap_or_else(|| panic!("no closing brace: {line:?}"));
    }
    let number = rest.strip_prefix(' ').unwrap_or_else(|| panic!("no blank: {line:?}"));
    assert!(number.chars().all(|c| c.is_ascii_digit() || "+-.e".contains(c)), "{line:?}");
    (labels, number.parse().unwrap_or_else(|_| panic!("no number: {line:?}")))
}

fn is_name(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    name.starts_with(|c: char| !c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(is_inner)
}

/// Where the first quote is that no backslash stands for.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, character)| {
        let closes = character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        closes.then_some(at)
    })
}

/// Takes the escapes back; only a label's value has escaped quotes.
fn unescape(text: &str, quotes: bool) -> String {
    let mut characters = text.chars();
    let mut plain = String::new();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => match characters.next() {
                Some('\\') => '\\',
                Some('n') => '\n',
                Some('"') if quotes => '"',
                other => panic!("{other:?} is no escape: {text:?}"),
            },
            other => other,
        });
    }
    plain
}
