//! Whole scrapes, as text: each file below `testdata/scrapes` is one situation.
//!
//! A domain is its XML and what `virsh domstats` says of it, below
//! `testdata/domains`; its CPU time is made from its number.

#![expect(clippy::arithmetic_side_effects, reason = "a test is meant to panic")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use expect_test::expect_file;
use exposition::Exposition;
use libvirt_wire::{
    Domain, TypedParam, Uuid, Value,
    call::{ControlInfo, ControlState},
};
use tokio::time::Instant;

use super::TABLE;
use crate::{
    control::ControlInfos,
    inventory::{Devices, Instance, Metadata, NAMESPACES, Nova, Roster},
    poll::CpuTimes,
    snapshot::Snapshot,
    stats::DomainStats,
    survey::{Reading, Survey},
    telemetry::Report,
};

/// Everything but what is different in each run or build.
fn check(situation: &str, snapshot: &Snapshot) {
    let mut exposition = Exposition::default();
    for row in TABLE.into_iter().flatten() {
        let name = row.family.name;
        if !name.starts_with("process_") && !name.starts_with("libvirt_nova_exporter_") {
            row.write(snapshot, &Report::default(), &mut exposition);
        }
    }
    let text = exposition.into_text();
    let file = testdata().join("scrapes").join(situation).with_extension("prom");
    expect_file![file].assert_eq(&text);
}

#[tokio::test(start_paused = true)]
async fn busy_host() {
    let domains = ["02-epoxy", "03-nova34", "04-nova34", "07-not-nova"];
    check("busy_host", &snapshot(&domains));
}

#[tokio::test(start_paused = true)]
async fn old_namespace() {
    check("old_namespace", &snapshot(&["01-victoria"]));
}

#[tokio::test(start_paused = true)]
async fn both_namespaces_and_a_stuck_guest() {
    check("both_namespaces_and_a_stuck_guest", &snapshot(&["06-mixed"]));
}

#[tokio::test(start_paused = true)]
async fn no_balloon_driver() {
    check("no_balloon_driver", &snapshot(&["05-nova34"]));
}

#[tokio::test(start_paused = true)]
async fn hostile_names() {
    check("hostile_names", &snapshot(&["08-hostile"]));
}

#[tokio::test(start_paused = true)]
async fn libvirtd_down() {
    check("libvirtd_down", &Snapshot::down());
}

#[tokio::test(start_paused = true)]
async fn nothing_known_yet() {
    let mut snapshot = snapshot(&["02-epoxy"]);
    for measured in &mut snapshot.instances {
        let mut instance = (*measured.instance).clone();
        instance.metadata = Metadata::Unknown;
        instance.devices = None;
        measured.instance = Arc::new(instance);
    }
    check("nothing_known_yet", &snapshot);
}

/// What is left of a domain that libvirtd left out, because it has ended.
#[tokio::test(start_paused = true)]
async fn a_domain_that_ended_meanwhile_leaves_nothing() {
    let roster: Roster = vec![Arc::new(instance("02-epoxy"))].into();
    let uuid = roster[0].domain.uuid;
    let times = CpuTimes::from([(uuid, Duration::from_secs(1))]);
    let mut survey = Survey::default();
    survey.ended.insert(uuid);
    let controls = ControlInfos::new();
    let snapshot = Snapshot::new(None, &roster, &times, &survey, &controls, now());
    assert!(snapshot.up == Some(true) && snapshot.instances.is_empty());
}

/// A few seconds after the balloons of the domains told their numbers.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_360_005)
}

fn snapshot(domains: &[&str]) -> Snapshot {
    let mut instances: Vec<_> = domains.iter().map(|domain| Arc::new(instance(domain))).collect();
    instances.sort_by(|a, b| a.domain.name.cmp(&b.domain.name));
    let roster: Roster = instances.into();
    let mut times = CpuTimes::new();
    let mut survey = Survey::default();
    let mut controls = ControlInfos::new();
    for (instance, file) in roster.iter().zip(sorted(domains)) {
        let uuid = instance.domain.uuid;
        times.insert(uuid, Duration::from_nanos(1_000_000_007 * u64::from(uuid.0[0])));
        survey.readings.insert(uuid, Reading { stats: stats(&file), at: Instant::now() });
        let (state, since) = if file.starts_with("06") {
            (ControlState::Occupied, Duration::from_millis(42_500))
        } else {
            (ControlState::Ok, Duration::ZERO)
        };
        controls.insert(uuid, ControlInfo { state: Some(state), since });
    }
    Snapshot::new(Some("compute-01".into()), &roster, &times, &survey, &controls, now())
}

/// The files in the order that their domains have by name.
fn sorted(domains: &[&str]) -> Vec<String> {
    let mut files: Vec<_> =
        domains.iter().map(|domain| (instance(domain).domain.name, (*domain).to_owned())).collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files.into_iter().map(|(_, file)| file).collect()
}

fn instance(prefix: &str) -> Instance {
    let xml = fs::read_to_string(file(prefix, "xml")).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let root = document.root_element();
    let text = |name: &str| {
        root.children().find(|node| node.has_tag_name(name)).unwrap().text().unwrap().to_owned()
    };
    // As libvirtd finds it for procedure 265.
    let element = NAMESPACES.iter().find_map(|namespace| {
        root.descendants().find(|node| node.has_tag_name((*namespace, "instance")))
    });
    let uuid = text("uuid");
    let bytes: Vec<u8> = (0..16)
        .map(|at| u8::from_str_radix(&uuid.replace('-', "")[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    Instance {
        domain: Domain {
            name: text("name"),
            uuid: Uuid(bytes.try_into().unwrap()),
            id: root.attribute("id").unwrap().parse().ok(),
        },
        uuid,
        metadata: element
            .map_or(Metadata::Foreign, |element| Metadata::Nova(Arc::new(Nova::read(element)))),
        devices: Some(Arc::new(Devices::parse(&xml).unwrap())),
    }
}

fn stats(prefix: &str) -> DomainStats {
    let text = fs::read_to_string(file(prefix, "domstats")).unwrap();
    let params: Vec<_> = text
        .lines()
        .filter_map(|line| line.trim().split_once('='))
        .map(|(field, value)| TypedParam {
            field: field.into(),
            value: value.parse().map_or(Value::String(value.into()), Value::ULLong),
        })
        .collect();
    DomainStats::new(&params)
}

fn file(prefix: &str, kind: &str) -> PathBuf {
    let files = fs::read_dir(testdata().join("domains")).unwrap();
    let mut found = files.map(|file| file.unwrap().path()).filter(|path| {
        path.file_name().unwrap().to_str().unwrap().starts_with(prefix)
            && path.extension().is_some_and(|extension| extension == kind)
    });
    let file = found.next().unwrap_or_else(|| panic!("no {prefix}*.{kind}"));
    assert!(found.next().is_none(), "{prefix}*.{kind} is not one file");
    file
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}
