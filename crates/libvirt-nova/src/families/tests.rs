//! The table as a whole: names, the documents printed from it, the vocabularies it promises.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use expect_test::expect_file;
use exposition::{Format, Kind, Labels};

use super::{
    golden::{everything, fields, migration, params, snapshot, snapshot_with, text},
    reference::{all, collectors, families, labels},
    *,
};
use crate::stats::DomainStats;

fn rows() -> impl Iterator<Item = &'static Row> {
    TABLE.iter().flat_map(|section| section.rows)
}

/// Counters whose names were there before us, kept to the letter.
const INHERITED: [&str; 8] = [
    "libvirt_domain_memory_stats_swap_in_bytes",
    "libvirt_domain_memory_stats_swap_out_bytes",
    "libvirt_nova_instance_rxbytes",
    "libvirt_nova_instance_txbytes",
    "libvirt_nova_instance_rdbytes",
    "libvirt_nova_instance_wrbytes",
    "libvirt_nova_instance_rdreq",
    "libvirt_nova_instance_wrreq",
];

#[test]
fn names_follow_the_rules() {
    let mut seen = BTreeSet::new();
    for Row { family: Family { name, kind, .. }, .. } in rows() {
        assert!(seen.insert(name), "{name} has two rows");
        let inherited = INHERITED.contains(name);
        assert_eq!(name.ends_with("_total"), *kind == Kind::Counter && !inherited, "{name}");
    }
    for name in INHERITED {
        assert!(seen.contains(&name), "{name} has no row");
    }
}

/// Prometheus sets them, or kolla's scrape job lets ours win.
#[test]
fn no_label_is_one_of_prometheus() {
    for row in rows() {
        let all = labels(row);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{}", row.family.name);
        for label in all {
            assert!(!["instance", "job", "type"].contains(&label), "{}: {label}", row.family.name);
        }
    }
}

#[test]
fn every_row_says_where_its_number_comes_from() {
    for Row { family: Family { name, help, .. }, origin, .. } in rows() {
        assert!(!help.is_empty(), "{name} has no help");
        assert!(!origin.is_empty(), "{name} has no origin");
        for text in [help, origin] {
            assert!(!text.contains(['|', '\n']), "{name} breaks the table of the reference");
        }
    }
}

/// Asserts that a page of ours has a text between two marks.
fn assert_current(page: &str, mark: &str, text: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page);
    let current = fs::read_to_string(&page).unwrap();
    let (begin, end) = (format!("<!-- {mark} -->\n"), format!("<!-- end of {mark} -->"));
    let (before, rest) = current.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    expect_file![page].assert_eq(&format!("{before}{begin}{text}{end}{after}"));
}

#[test]
fn the_readme_has_the_missions_families() {
    let mut text = String::from("| name | type | from | |\n|---|---|---|---|\n");
    for Row { family: Family { name, kind, help }, origin, .. } in rows() {
        if name.starts_with("libvirt_nova_instance_") {
            text.push_str(&format!("| `{name}` | {} | {origin} | {help} |\n", kind.word()));
        }
    }
    assert_current("README.md", "families", &text);
}

#[test]
fn the_reference_has_every_family_and_every_collector() {
    let mut text = String::new();
    families(&mut text, all());
    assert_current("docs/metrics.md", "families", &text);
    text.clear();
    collectors(&mut text);
    assert_current("docs/metrics.md", "collectors", &text);
    for part in [text, "`libvirt_up`".to_owned()] {
        assert!(reference().contains(&part), "--list-metrics prints the same");
    }
}

/// Every label that a sample of any golden situation has is in the reference, and the other
/// way round.
#[tokio::test(start_paused = true)]
async fn labels_are_those_of_the_reference() {
    let domains = ["02-epoxy", "03-nova34", "04-nova34", "07-not-nova"];
    let found = [snapshot(&domains), snapshot(&["06-mixed"]), migration()];
    let texts = found.map(|found| text(everything(), &found));
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    let lines = texts.iter().flat_map(|text| text.lines());
    for line in lines.filter(|line| !line.starts_with('#')) {
        let (series, _) = line.rsplit_once(' ').unwrap();
        let (name, rest) = series.split_once('{').unwrap_or((series, ""));
        let names = rest.split("=\"").filter_map(|part| part.rsplit(['{', ',', '"']).next());
        let names =
            names.filter(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        let names: BTreeSet<_> = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let name = name.strip_suffix("_bucket").unwrap_or(name);
        found.entry(name.to_owned()).or_default().extend(names);
    }
    let mut missing = Vec::new();
    for row in rows() {
        let name = row.family.name;
        let Some(found) = found.get(name) else {
            missing.push(name);
            continue;
        };
        let mut said: BTreeSet<_> = labels(row).into_iter().map(str::to_owned).collect();
        if row.family.kind == Kind::Histogram {
            said.insert("le".to_owned());
        }
        assert_eq!(found, &said, "{name}");
    }
    missing.retain(|name| {
        !name.starts_with("process_") && !name.starts_with("libvirt_nova_exporter_")
    });
    assert_eq!(missing, [""; 0]);
}

/// Each field that libvirt gives is served, and where it is left out its samples are gone and no
/// other has changed.
#[tokio::test(start_paused = true)]
async fn a_field_that_is_left_out_leaves_no_sample_and_no_other_field_behind() {
    let all = fields("03-nova34");
    let lines = |left_out: &str| -> BTreeSet<String> {
        let kept = || all.iter().filter(|(field, _)| field != left_out);
        let found = snapshot_with(&["03-nova34"], |_| DomainStats::new(&params(kept())));
        let text = text(everything(), &found);
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    let whole = lines("");
    for (field, _) in &all {
        let rest = lines(field);
        let added: Vec<_> = rest.difference(&whole).filter(|line| !is_of_whole(line)).collect();
        assert_eq!(added, [""; 0], "without {field}");
        let is_served = rest.len() < whole.len();
        let is_unserved = UNSERVED.iter().any(|end| field.ends_with(end));
        assert_eq!(is_served, !is_unserved, "{field}");
    }
}

/// What is said of how much is known changes with what is known, and sizes come from the XML where
/// libvirt does not measure them.
fn is_of_whole(line: &str) -> bool {
    ["stats_complete", "timed_out", "memory_stats_valid", "info_maximum_memory_bytes"]
        .iter()
        .any(|name| line.starts_with(&format!("libvirt_domain_{name}{{")))
}

/// Fields that tell nothing that is not known otherwise, or nothing yet.
const UNSERVED: [&str; 7] =
    [".count", ".backingIndex", "cpu.time", "cpu.user", "cpu.system", ".future", ".path"];

/// The vocabularies of the exporters that this one replaces, name by name and label by label.
#[test]
fn every_name_and_label_of_the_field_is_there() {
    let known: BTreeMap<_, _> = rows().map(|row| (row.family.name, labels(row))).collect();
    let lists = [
        include_str!("../../testdata/vocabularies/domain.txt"),
        include_str!("../../testdata/vocabularies/tinkoff.txt"),
        include_str!("../../testdata/vocabularies/kumina.txt"),
    ];
    for line in lists.iter().flat_map(|list| list.lines()).filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let (name, kind) = (words.next().unwrap(), words.next().unwrap());
        let row = rows().find(|row| row.family.name == name);
        let row = row.unwrap_or_else(|| panic!("{name} has no row"));
        let expected = if INHERITED.contains(&name) { "counter" } else { kind };
        assert_eq!(row.family.kind.word(), expected, "{name}");
        for label in words {
            assert!(known[name].contains(&label), "{name} has no label {label}");
        }
        let is_of_a_domain = name.starts_with("libvirt_domain_");
        assert_eq!(known[name].contains(&"uuid"), is_of_a_domain, "{name}: uuid");
    }
}

/// What a scrape has is what its libvirtd has and what the program has.
#[tokio::test(start_paused = true)]
async fn a_family_is_a_libvirtds_or_the_programs() {
    let found = snapshot(&["03-nova34"]);
    let report = Report { tasks: 7, ..Report::default() };
    let names = |whose| -> BTreeSet<String> {
        let selection = Selection { whose, ..everything() };
        let pieces = pieces(Format::Text, selection, Labels::default(), &found, &report);
        let text: String = pieces.collect();
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        types.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    let [all, libvirtd, program] = [None, Some(Whose::Libvirtd), Some(Whose::Program)].map(names);
    assert_eq!(&libvirtd | &program, all);
    assert_eq!(&libvirtd & &program, BTreeSet::new());
    assert!(libvirtd.contains("libvirt_up") && libvirtd.contains("libvirt_domain_state"));
    assert!(program.contains("process_open_fds"));
    assert!(program.contains("libvirt_nova_exporter_tasks"));
    assert!(program.iter().all(|name| !name.contains("_up") && !name.contains("_domain_")));
}

/// Whoever may choose labels of their own must not take one of these.
#[tokio::test(start_paused = true)]
async fn a_label_of_any_sample_is_known_as_one() {
    let text = text(Selection { is_wide: true, ..everything() }, &snapshot(&["03-nova34"]));
    let names = text.lines().filter(|line| !line.starts_with('#')).flat_map(|line| {
        let (_, labels) = line.split_once('{').unwrap_or_default();
        labels.split("=\"").filter_map(|part| part.rsplit(['{', ',', '"']).next())
    });
    let is_name = |name: &&str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let names: BTreeSet<_> = names.filter(is_name).filter(|name| !name.is_empty()).collect();
    assert!(names.contains("source_file") && names.len() > 20, "{names:?}");
    for name in names {
        assert!(has_label(name), "{name}");
    }
    for other in ["az", "rack", "", "Uuid"] {
        assert!(!has_label(other), "{other}");
    }
}
