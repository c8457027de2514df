//! Whether two ways lead to the same: the scrape by one lies between two by the other.

use std::collections::BTreeMap;

use crate::scrape::{Family, Labels, Scrape};

/// Returns what a scrape says otherwise than the two before and after it; empty where nothing.
///
/// The series have to be the same. A counter lies between its two others; a gauge that is the same in
/// both is the same here. What an exporter has seen since it began is its own, and so is what it says of itself.
pub(crate) fn differences(before: &Scrape, scrape: &Scrape, after: &Scrape) -> Vec<String> {
    let [before, scrape, after] = [before, scrape, after].map(of_libvirt);
    let mut found = Vec::new();
    let mut names: Vec<_> = before.keys().chain(scrape.keys()).chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let [Some(before), Some(here), Some(after)] =
            [&before, &scrape, &after].map(|scrape| scrape.get(name))
        else {
            found.push(format!("{name} is not in all of them"));
            continue;
        };
        if [&before.help, &before.kind] != [&here.help, &here.kind] {
            found.push(format!("{name} is another family"));
        }
        let [low, value, high] = [before, here, after].map(|family| series(family));
        if !(low.keys().eq(value.keys()) && high.keys().eq(value.keys())) {
            found.push(format!("{name} has other series: {low:?}, {value:?}, {high:?}"));
            continue;
        }
        for (labels, value) in value {
            let (low, high) = (low[labels], high[labels]);
            let fits = match &*here.kind {
                _ if SEEN.contains(name) => true,
                "gauge" => low != high || value == low,
                _ => (low..=high).contains(&value),
            };
            if !fits {
                found.push(format!("{name} {labels:?} is {value}, before {low}, after {high}"));
            }
        }
    }
    found
}

/// The families of what the polls of one exporter have seen.
const SEEN: [&str; 3] = [
    "libvirt_nova_instance_vcpus_in_use",
    "libvirt_nova_instance_vcpus_in_use_peak",
    "libvirt_nova_instance_vcpu_utilization",
];

/// The families that come from libvirt, by their names.
fn of_libvirt(scrape: &Scrape) -> BTreeMap<&str, &Family> {
    let families = scrape.families.iter().filter(|family| {
        let own = ["libvirt_nova_exporter_", "process_", "libvirt_exporter_"];
        !own.iter().any(|prefix| family.name.starts_with(prefix))
    });
    families.map(|family| (&*family.name, family)).collect()
}

fn series(family: &Family) -> BTreeMap<&Labels, f64> {
    family.samples.iter().map(|sample| (&sample.labels, sample.value)).collect()
}
