//! Public dashboards, made for other exporters, find here what they ask for.
//!
//! `testdata/dashboards` has the families and labels of each; of what no exporter serves, nothing.

use std::{fs, path::Path};

use crate::{
    exporter::Exporter,
    libvirtd::Libvirtd,
    mission::with_memory,
    scrape::{Family, parse},
};

#[test]
fn public_dashboards_find_every_family_with_every_label_that_they_ask_for() {
    let libvirtd = Libvirtd::start(&[]);
    let _guest = libvirtd.kernel_guest(&[("STATS_PERIOD", "1")]).booted();
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    // Of a job that runs.
    let migrating = parse(&fs::read_to_string(testdata.join("scrapes/migrating.prom")).unwrap());
    let mut count = 0;
    for file in fs::read_dir(testdata.join("dashboards")).unwrap() {
        let file = file.unwrap().path();
        let text = fs::read_to_string(&file).unwrap();
        let (_, rest) = text.split_once("# flags:").unwrap();
        let flags: Vec<_> = rest.lines().next().unwrap().split_whitespace().collect();
        let scrape = with_memory(&Exporter::with(&libvirtd, &flags));
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            let (name, labels) = (words.next().unwrap(), words.collect::<Vec<_>>());
            let is_of_job = name.starts_with("libvirt_domain_job_info_");
            let families = if is_of_job { &migrating } else { &scrape.families };
            let family = families.iter().find(|family| family.name == name);
            let family = family.unwrap_or_else(|| panic!("{}: no {name}", file.display()));
            assert!(has(family, &labels), "{}: {line}", file.display());
            count += 1;
        }
    }
    assert!(count > 100, "{count} families");
}

fn has(family: &Family, labels: &[&str]) -> bool {
    family.samples.iter().all(|it| labels.iter().all(|label| it.labels.contains_key(*label)))
}
