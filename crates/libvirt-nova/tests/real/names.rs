//! Whatever tenants type comes out as they typed it, and of no more than its quotes.

use std::{collections::BTreeSet, fmt::Write as _, fs, io::Write as _, process::Stdio};

use crate::{
    exporter::{EVERYTHING, Exporter},
    libvirtd::Libvirtd,
    process::{checkout, command},
    prometheus::{complaints, is_inherited},
    scrape::{Family, Scrape},
    usage,
    wait::{PATIENCE, wait_until},
};

/// What tenants have been seen to type, or may.
fn hostile() -> Vec<String> {
    let mut names: Vec<_> = [
        "14\" rack",
        "C:\\nova\\",
        "\\n is no line feed",
        "first line\nlibvirt_up 0\n# TYPE x gauge\nlast line",
        "a\ttab and a\rcarriage return",
        "]]>",
        "<![CDATA[x]]>",
        "\u{1f600}\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f466}",
        "</script><script>alert(1)</script>",
        "\u{202e}drawkcab\u{2066}",
        "&amp;lt;{a=\"b\",}' -- %s ${x} $(id)",
        "\u{85}\u{2028}\u{2029}\u{feff}\u{e000}",
        " a blank at both ends ",
        "N/A",
    ]
    .map(str::to_owned)
    .into();
    names.push("n".repeat(255));
    names.push("\u{1f600}".repeat(255));
    names
}

#[test]
fn hostile_names_come_back_as_they_were_typed() {
    let libvirtd = Libvirtd::start(&[]);
    let exporter = Exporter::on(&libvirtd);
    let names = hostile();
    let guests: Vec<_> = names
        .iter()
        .map(|name| {
            let project = format!("project {name}");
            let user = format!("user {name}");
            libvirtd.bios_guest(&[("NAME", name), ("PROJECT", &project), ("OWNER", &user)])
        })
        .collect();
    // The last one has been polled twice as well.
    let (scrape, _) = wait_until(PATIENCE, "usage of all", || {
        let scrape = exporter.scrape();
        (scrape.samples(usage::IN_USE, &[]).len() == names.len()).then_some(scrape)
    });
    for (guest, name) in guests.iter().zip(&names) {
        let of_guest = [("libvirtname", guest.name.as_str())];
        let info = scrape.sample("libvirt_nova_instance_info", &of_guest).unwrap();
        assert_eq!(info.labels["user"], format!("user {name}"));
        let of_domain = [("domain", guest.name.as_str())];
        let info = &scrape.sample("libvirt_domain_openstack_info", &of_domain).unwrap().labels;
        assert_eq!(info["instance_name"], *name);
        assert_eq!(info["project_name"], format!("project {name}"));
        assert_eq!(info["user_name"], format!("user {name}"));
        let families = scrape.families_of(&guest.name);
        assert!(families.contains_key("libvirt_nova_instance_wrreq"), "{families:?}");
        for family in families.into_keys().filter(|name| name.starts_with("libvirt_nova_instance_"))
        {
            let labels = &scrape.sample(family, &of_guest).unwrap().labels;
            assert_eq!(labels["novaname"], *name, "{family}");
            assert_eq!(labels["novaproject"], format!("project {name}"), "{family}");
        }
    }
    for complaint in complaints(&scrape.response.body) {
        assert!(is_inherited(&complaint), "{complaint}");
    }
    assert_eq!(read_by_python(TEXT, &scrape.response.body), read_by_us(&scrape));
    // And so does everything that flags bring, in both formats.
    let more = Exporter::with(&libvirtd, &EVERYTHING);
    let all = more.scrape();
    assert!(all.families.len() > scrape.families.len() + 10, "{}", all.response.body);
    assert_eq!(read_by_python(TEXT, &all.response.body), read_by_us(&all));
    for (guest, name) in guests.iter().zip(&names) {
        let labels = [("domain", guest.name.as_str()), ("name", name), ("vcpu", "0")];
        assert!(all.get("libvirt_domain_vcpu_cpu", &labels).is_some(), "{name:?}");
    }
    assert!(read_by_python(NAMES_OF_OPENMETRICS, &more.openmetrics()).len() > 100);
    // In either format, a sample has the same name and labels.
    let openmetrics = exporter.openmetrics();
    let samples = |program, text: &str| {
        let lines = read_by_python(program, text).into_iter();
        let of_guests =
            lines.filter(|line| line.contains(" uuid=") || line.contains(" libvirtname="));
        of_guests.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect::<BTreeSet<_>>()
    };
    let read = samples(NAMES_OF_OPENMETRICS, &openmetrics);
    assert!(read.len() > 100, "{read:#?}");
    assert_eq!(read, samples(NAMES_OF_TEXT, &scrape.response.body));

    // What the log tells of those that go, it tells in one line each.
    for guest in &guests[..3] {
        guest.destroy();
        exporter.scrape();
    }
    for line in exporter.log() {
        assert!(is_dated(&line), "{line:?}");
    }
}

/// What no guest here can show, a new libvirt's fields for instance, is in the golden scrapes.
#[test]
fn every_golden_scrape_is_read_by_readers_that_are_not_ours() {
    let scrapes = checkout().join("crates/libvirt-nova/testdata/scrapes");
    let mut formats = BTreeSet::new();
    for file in fs::read_dir(scrapes).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let format = path.extension().unwrap().to_str().unwrap().to_owned();
        let program = match &*format {
            "prom" => {
                for complaint in complaints(&text) {
                    assert!(is_inherited(&complaint), "{}: {complaint}", path.display());
                }
                NAMES_OF_TEXT
            }
            "om" => NAMES_OF_OPENMETRICS,
            _ => panic!("{}", path.display()),
        };
        let samples = text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(read_by_python(program, &text).len(), samples, "{}", path.display());
        formats.insert(format);
    }
    assert_eq!(formats.len(), 2);
}

/// Prints what the library reads, in the form of [`read_by_us`].
const TEXT: &str = "
import struct
from prometheus_client.parser import text_string_to_metric_families as families
def line(family, sample, labels):
    value = struct.pack('>d', sample.value).hex()
    return f'{family.type} {family.documentation.encode().hex()} {sample.name}{labels} {value}'
";

/// Prints names and labels alone, as they are written: this reader puts in a `_total` of its own.
const NAMES_OF_TEXT: &str = "
from prometheus_client.parser import text_string_to_metric_families as families
def line(family, sample, labels):
    name = sample.name
    if family.type == 'counter' and family.name in INHERITED:
        name = family.name
    return f'{name}{labels} 0'
INHERITED = [f'libvirt_nova_instance_{name}' for name in ('rxbytes', 'txbytes', 'rdbytes', 'wrbytes', 'rdreq', 'wrreq')]
";

/// The same of OpenMetrics, by a reader that forgives little.
const NAMES_OF_OPENMETRICS: &str = "
from prometheus_client.openmetrics.parser import text_string_to_metric_families as families
def line(family, sample, labels):
    return f'{sample.name}{labels} 0'
";

/// What the Python client library reads, as `program` prints it.
pub(crate) fn read_by_python(program: &str, text: &str) -> BTreeSet<String> {
    let python = checkout().join("target/testbed/python/bin/python");
    assert!(python.exists(), "{} is missing: run scripts/test", python.display());
    let read = "
import sys
for family in families(sys.stdin.buffer.read().decode()):
    for sample in family.samples:
        print(line(family, sample, ''.join(
            f' {name}={value.encode().hex()}' for name, value in sorted(sample.labels.items()))))
";
    let program = &format!("{program}{read}");
    let mut child = command(python)
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Every sample with its family's type and help, its labels and the bits of its value in hexadecimal.
fn read_by_us(scrape: &Scrape) -> BTreeSet<String> {
    let hex = |text: &str| {
        text.bytes().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
    };
    let mut lines = BTreeSet::new();
    for Family { name, help, kind, samples } in &scrape.families {
        for sample in samples {
            let labels = sample.labels.iter().filter(|(label, _)| *label != "part");
            let labels: String =
                labels.map(|(label, value)| format!(" {label}={}", hex(value))).collect();
            let suffix = match sample.labels.get("part") {
                Some(part) => format!("_{part}"),
                // What OpenMetrics demands of a counter's name, the library puts in.
                None if kind == "counter" && !name.ends_with("_total") => "_total".to_owned(),
                None => String::new(),
            };
            let (help, value) = (hex(help), sample.value.to_bits());
            lines.insert(format!("{kind} {help} {name}{suffix}{labels} {value:016x}"));
        }
    }
    lines
}

/// Whether a line of the log begins as each does: `2026/11/24 12:24:20 `.
fn is_dated(line: &str) -> bool {
    let shape: String =
        line.chars().take(20).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000/00/00 00:00:00 "
}
