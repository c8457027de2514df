//! What the exporter that Debian packages says of guests, ours says of them as well.

use std::{
    collections::BTreeSet,
    net::{SocketAddr, TcpListener},
    process::{Child, Stdio},
};

use crate::{
    exporter::Exporter,
    libvirtd::Libvirtd,
    process::{checkout, command, output},
    scrape::{Family, Scrape, parse},
    wait::{PATIENCE, wait_until},
};

#[test]
fn every_sample_of_debians_exporter_lies_between_two_of_ours() {
    let libvirtd = Libvirtd::start(&[]);
    let guest = libvirtd.kernel_guest(&[("BURN", "50"), ("PROJECT", "blue")]).booted();
    let _other = libvirtd.bios_guest(&[("PROJECT", "green")]);
    guest.write_to_disk(8192);
    guest.send_datagram(1000);
    // Its Nova labels are a flag of its own, which ours understands.
    for flags in [&[][..], &["--libvirt.export-nova-metadata"]] {
        let theirs = Debians::on(&libvirtd, flags);
        let ours = Exporter::with(&libvirtd, &["--labels=wide", "--compat=kumina"]);
        let before = ours.scrape();
        let scrape = theirs.scrape();
        let after = ours.scrape();
        let known: BTreeSet<_> = VOCABULARY.lines().filter_map(name).collect();
        let found: BTreeSet<_> = scrape.iter().map(|family| &*family.name).collect();
        assert_eq!(known, found, "the list of its families");
        for family in &scrape {
            assert_between(&before, family, &after);
        }
    }
}

/// Holds each sample against ours of the same labels. Ours may have more of them.
fn assert_between(before: &Scrape, family: &Family, after: &Scrape) {
    let Family { name, kind, samples, .. } = family;
    let ours = after.families.iter().find(|ours| ours.name == *name).unwrap();
    assert_eq!(ours.kind, *kind, "{name}");
    assert_eq!(ours.samples.len(), samples.len(), "{name}");
    // Its CPU time is the process', which the kernel tells in steps, and ours that of the cgroup.
    let slack = if name.ends_with("cpu_time_seconds_total") { 1.0 } else { 0.0 };
    for sample in samples {
        let labels = sample.labels.iter().map(|(name, value)| (&**name, &**value));
        let labels: Vec<_> = labels.collect();
        let (low, high) = (before.value(name, &labels), after.value(name, &labels));
        let is_between = (low - slack..=high + slack).contains(&sample.value);
        assert!(is_between, "{name} {labels:?}: {low}, theirs {}, {high}", sample.value);
    }
}

/// Name by name, what the tests of the family table hold ours against.
const VOCABULARY: &str = include_str!("../../testdata/vocabularies/kumina.txt");

fn name(line: &str) -> Option<&str> {
    line.split_whitespace().next().filter(|word| *word != "#")
}

/// The exporter of Debian's package, unpacked by `scripts/install-needs`.
struct Debians {
    child: Child,
    address: SocketAddr,
}

impl Debians {
    fn on(libvirtd: &Libvirtd, flags: &[&str]) -> Self {
        let program = "target/testbed/debian-exporter/usr/bin/prometheus-libvirt-exporter";
        // It does not say which port it was given.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = command(checkout().join(program))
            .args(["--libvirt.uri", &libvirtd.uri()])
            .arg(format!("--web.listen-address={address}"))
            .args(flags)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_until(PATIENCE, "an exporter of Debian's that listens", || {
            std::net::TcpStream::connect(address).ok()
        });
        Self { child, address }
    }

    /// Its families of libvirt; it tells of its runtime as well.
    fn scrape(&self) -> Vec<Family> {
        // It answers in chunks.
        let text = output(command("curl").args(["-fsS", &format!("{}/metrics", self.address)]));
        let is_libvirts = |line: &&str| {
            line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ").starts_with("libvirt_")
        };
        let lines = text.lines().filter(is_libvirts);
        parse(&lines.flat_map(|line| [line, "\n"]).collect::<String>())
    }
}

impl Drop for Debians {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
