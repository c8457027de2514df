//! `--created-timestamps` says when a guest's counters began.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::{exporter::Exporter, libvirtd::Libvirtd, names::read_by_python};

#[test]
fn counters_began_when_the_guest_was_started() {
    let libvirtd = Libvirtd::start(&[]);
    let exporter = Exporter::with(&libvirtd, &["--created-timestamps"]);
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let before = now();
    let guest = libvirtd.bios_guest(&[]);
    let text = exporter.openmetrics();
    let after = now();
    let lines = read_by_python(CREATED, &text);
    let of_guest: Vec<_> = lines.iter().filter(|line| line.contains(&guest.name)).collect();
    for line in &of_guest {
        let created: f64 = line.split(' ').next_back().unwrap().parse().unwrap();
        assert!((before..=after).contains(&created), "{before} {line} {after}");
    }
    for family in [
        "libvirt_nova_instance_cpu_time_created",
        "libvirt_domain_vcpu_time_seconds_created",
        "libvirt_domain_info_cpu_time_seconds_created",
    ] {
        assert!(of_guest.iter().any(|line| line.starts_with(family)), "{family}: {of_guest:#?}");
    }
    // A device may have been plugged in since.
    let is_of_device = |line: &&&String| line.contains("_block_") || line.contains("_interface_");
    assert_eq!(of_guest.iter().find(is_of_device), None);
    // Who does not ask for them gets none.
    let plain = Exporter::fresh_on(&libvirtd);
    guest.run("suspend", &[]);
    assert!(read_by_python(CREATED, &plain.openmetrics()).is_empty());
}

/// Prints the samples that say when counters began, whose domain they are of, and the time.
const CREATED: &str = "
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read
def families(text):
    for family in read(text):
        family.samples = [it for it in family.samples if it.name.endswith('_created')]
        yield family
def line(family, sample, labels):
    domain = sample.labels.get('domain', sample.labels.get('libvirtname'))
    return f'{sample.name} {domain} {sample.value!r}'
";
