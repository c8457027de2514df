//! Whole scrapes, as text: each file below `testdata/scrapes` is one situation.
//!
//! A domain is its XML and what `virsh domstats` says of it, below
//! `testdata/domains`; its CPU time is made from its number.

#![expect(clippy::arithmetic_side_effects, reason = "a test is meant to panic")]

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use expect_test::expect_file;
use exposition::{Exposition, Format};
use libvirt_wire::{
    Call, Domain, EventKind, TypedParam, Uuid, Value,
    call::{
        ConnectGetAllDomainStats, ControlInfo, ControlState, DomainGetMetadata, DomainGetXmlDesc,
        DomainState, NodeInfo, StoragePoolInfo,
    },
};
use tokio::time::Instant;

use super::{Selection, TABLE, subject::subjects};
use crate::{
    collectors::Collectors,
    host::{HostFacts, Node, Pool},
    inventory::{
        Devices, Domains, EventCounts, Instance, LastJob, Metadata, NAMESPACES, Nova, Roster,
    },
    poll::{CpuReading, CpuTime, CpuTimes},
    snapshot::{Findings, Snapshot},
    stats::{DomainStats, Job},
    survey::Reading,
    telemetry::Report,
    usage::{Occasion, Usage, Usages},
};

/// Everything but what is different in each run or build.
fn check(situation: &str, snapshot: &Snapshot) {
    check_with(situation, Selection::default(), snapshot);
}

fn check_with(situation: &str, selection: Selection, snapshot: &Snapshot) {
    let text = text(selection, snapshot);
    let file = testdata().join("scrapes").join(situation).with_extension("prom");
    expect_file![file].assert_eq(&text);
}

pub(super) fn text(selection: Selection, snapshot: &Snapshot) -> String {
    text_in(Format::Text, selection, snapshot)
}

fn text_in(format: Format, selection: Selection, snapshot: &Snapshot) -> String {
    let mut exposition = Exposition::new(format);
    let subjects = subjects(snapshot, selection);
    for section in TABLE.iter().filter(|section| selection.has(section)) {
        for row in section.rows {
            let name = row.family.name;
            if !name.starts_with("process_") && !name.starts_with("libvirt_nova_exporter_") {
                row.write(selection, snapshot, &subjects, &Report::default(), &mut exposition);
            }
        }
    }
    exposition.into_text()
}

/// All that can be switched on.
pub(super) fn everything() -> Selection {
    let collectors = Collectors::of(|_| true);
    Selection { collectors, is_tinkoff: true, is_kumina: true, ..Selection::default() }
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
    let running: Roster = vec![Arc::new(instance("02-epoxy"))].into();
    let uuid = running[0].domain.uuid;
    let mut findings = Findings::default();
    let cpu = CpuTime { total: Some(Duration::from_secs(1)), ..CpuTime::default() };
    findings.times.insert(uuid, CpuReading { cpu, at: Instant::now() });
    findings.survey.ended.insert(uuid);
    let domains = Domains { running, ..Domains::default() };
    let snapshot = Snapshot::new(None, &domains, findings, now());
    assert!(snapshot.up == Some(true) && snapshot.instances.is_empty());
}

#[tokio::test(start_paused = true)]
async fn paused() {
    let mut snapshot = snapshot(&["01-victoria"]);
    // The user asked for it.
    let state = DomainStats::of_state(DomainState { state: 3, reason: 1 });
    let stats = snapshot.instances[0].stats.as_mut().unwrap();
    (stats.state, stats.reason) = (state.state, state.reason);
    check("paused", &snapshot);
}

/// One that is kept for whoever looks for the cause.
#[tokio::test(start_paused = true)]
async fn crashed() {
    let mut snapshot = snapshot(&["01-victoria"]);
    let state = DomainStats::of_state(DomainState { state: 6, reason: 1 });
    let stats = snapshot.instances[0].stats.as_mut().unwrap();
    (stats.state, stats.reason) = (state.state, state.reason);
    check("crashed", &snapshot);
}

/// The destination of a migration: somebody has the domain's job, and nobody is late.
#[tokio::test(start_paused = true)]
async fn arriving() {
    let fields = [("state.state", "3"), ("state.reason", "2"), ("balloon.current", "4194304")];
    let fields = fields.map(|(field, value)| (field.to_owned(), value.to_owned()));
    let mut snapshot =
        snapshot_with(&["01-victoria"], |_| DomainStats::new(&params(fields.iter())));
    snapshot.instances[0].job = None;
    check("arriving", &snapshot);
}

/// libvirt itself has the domain, and every call hangs in it.
#[tokio::test(start_paused = true)]
async fn held() {
    let mut snapshot = snapshot(&["01-victoria"]);
    let measured = &mut snapshot.instances[0];
    (measured.stats, measured.balloon, measured.at) = (None, None, None);
    (measured.control, measured.job, measured.cpu) = (None, None, CpuTime::default());
    (measured.usage.in_use, measured.usage.peak) = (None, None);
    measured.is_silent = true;
    check("held", &snapshot);
}

/// What a real libvirtd said of a real guest, byte for byte.
#[tokio::test(start_paused = true)]
async fn recorded() {
    let replies = testdata().join("../../libvirt-wire/testdata/replies");
    let read = |name: &str| fs::read(replies.join(name)).unwrap();
    let stats = read("344-all-groups.bin");
    let stats = <ConnectGetAllDomainStats<'_> as Call>::decode(&stats).unwrap();
    let xml = read("14-nova-guest.bin");
    let xml = <DomainGetXmlDesc<'_> as Call>::decode(&xml).unwrap();
    let element = read("265-nova-1.1.bin");
    let element = <DomainGetMetadata<'_> as Call>::decode(&element).unwrap();
    let mut findings = Findings::default();
    let instances = stats.records.iter().map(|record| {
        let stats = DomainStats::new(&record.params);
        assert_eq!(stats.unknown, [""; 0], "libvirt 9.0 is known");
        let uuid = record.domain.uuid;
        findings
            .survey
            .readings
            .insert(uuid, Reading { stats: Box::new(stats), at: Instant::now() });
        Arc::new(Instance {
            metadata: Metadata::Nova(Arc::new(Nova::parse(&element).unwrap())),
            devices: Some(Arc::new(Devices::parse(&xml).unwrap())),
            ..Instance::new(record.domain.clone())
        })
    });
    let running: Roster = instances.collect();
    let domains = Domains { count: running.len(), running, ..Domains::default() };
    let told = domains.running.first().and_then(|instance| {
        findings.survey.readings[&instance.domain.uuid].stats.balloon.last_update
    });
    let snapshot = Snapshot::new(None, &domains, findings, told.unwrap_or_else(now));
    check_with("recorded", everything(), &snapshot);
}

#[tokio::test(start_paused = true)]
async fn shut_off() {
    let mut instance = instance("02-epoxy");
    instance.domain.id = None;
    let uuid = instance.domain.uuid;
    let inactive: Roster = vec![Arc::new(instance)].into();
    let state = DomainStats::of_state(DomainState { state: 5, reason: 1 });
    let findings = Findings { states: vec![(uuid, state)], ..Findings::default() };
    let domains = Domains { inactive, count: 1, ..Domains::default() };
    let snapshot = Snapshot::new(Some("compute-01".into()), &domains, findings, now());
    check_with("shut_off", everything(), &snapshot);
}

#[tokio::test(start_paused = true)]
async fn migrating() {
    check("migrating", &migration());
}

/// The source of a live migration, and one that has gone a minute ago.
pub(super) fn migration() -> Snapshot {
    let mut snapshot = snapshot(&["05-nova34"]);
    let job = |kind, fields: &[(&'static str, u64)]| {
        let param = |(field, value): &(&'static str, u64)| TypedParam {
            field: (*field).into(),
            value: Value::ULLong(*value),
        };
        let params: Vec<_> = fields.iter().map(param).collect();
        Job::new(kind, &params)
    };
    let running = [
        ("operation", 5),
        ("time_elapsed", 12_345),
        ("downtime", 300),
        ("setup_time", 9),
        ("data_total", 8_590_458_880),
        ("data_processed", 3_141_592_653),
        ("data_remaining", 5_448_866_227),
        ("memory_total", 8_590_458_880),
        ("memory_processed", 3_141_592_653),
        ("memory_remaining", 5_448_866_227),
        ("memory_bps", 268_435_456),
        ("memory_dirty_rate", 1_000),
        ("memory_page_size", 4096),
        ("memory_iteration", 2),
        ("memory_postcopy_requests", 0),
        ("auto_converge_throttle", 20),
        ("time_remaining", 4_000),
        ("disk_total", 1_073_741_824),
        ("disk_processed", 1_073_741_824),
        ("disk_remaining", 0),
        ("disk_bps", 33_554_432),
    ];
    snapshot.instances[0].job = Some(Box::new(job(Some(2), &running)));
    let done = [
        ("operation", 5),
        ("time_elapsed", 61_000),
        ("downtime", 87),
        ("data_processed", 9_000_000_000),
        ("memory_processed", 8_999_000_000),
        ("memory_iteration", 4),
    ];
    snapshot.last_migrations = vec![Arc::new(LastJob {
        instance: instance("02-epoxy"),
        at: now() - Duration::from_secs(60),
        job: job(None, &done),
    })]
    .into();
    snapshot
}

#[tokio::test(start_paused = true)]
async fn wide_labels() {
    let selection =
        Selection { is_wide: true, is_tinkoff: true, is_kumina: true, ..Selection::default() };
    check_with("wide_labels", selection, &snapshot(&["02-epoxy", "07-not-nova"]));
}

/// With when the counters of the run began, in the format that has a place for it.
#[tokio::test(start_paused = true)]
async fn openmetrics() {
    let mut snapshot = snapshot(&["03-nova34", "07-not-nova"]);
    let mut instance = (*snapshot.instances[0].instance).clone();
    instance.started = Some(now() - Duration::from_millis(3_600_250));
    snapshot.instances[0].instance = Arc::new(instance);
    let selection = Selection { is_created: true, ..everything() };
    let text = text_in(Format::OpenMetrics, selection, &snapshot);
    assert!(text.contains("libvirt_domain_vcpu_time_seconds_created{"), "of the run");
    assert!(!text.contains("libvirt_domain_events_created"), "of the listening");
    let file = testdata().join("scrapes/openmetrics.om");
    expect_file![file].assert_eq(&text);
}

#[tokio::test(start_paused = true)]
async fn everything_of_a_new_libvirt() {
    check_with("everything_of_a_new_libvirt", everything(), &snapshot(&["03-nova34"]));
}

/// What two polls make of domains that use a quarter of a vCPU, and each 1.25 more than the one
/// before it. The second poll is late.
fn usages(running: &Roster, times: &CpuTimes) -> HashMap<Uuid, Usage> {
    let usages = Usages::new(Duration::from_secs(1));
    usages.observe(Occasion::Tick, running, times);
    let passed = Duration::from_millis(1600);
    let mut later = times.clone();
    for (number, instance) in (0_u32..).zip(running.iter()) {
        let Some(reading) = later.get_mut(&instance.domain.uuid) else { continue };
        let moved = Duration::from_millis(400) + number * Duration::from_millis(2000);
        reading.cpu.total = reading.cpu.total.map(|total| total + moved);
        reading.at += passed;
    }
    usages.observe(Occasion::Tick, running, &later);
    let domains = running.iter().map(|instance| &instance.domain);
    let then = Instant::now() + passed;
    domains.map(|domain| (domain.uuid, usages.of(domain, then))).collect()
}

/// A few seconds after the balloons of the domains told their numbers.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_360_005)
}

pub(super) fn snapshot(domains: &[&str]) -> Snapshot {
    snapshot_with(domains, stats)
}

/// A snapshot with other statistics than those of the files.
pub(super) fn snapshot_with(domains: &[&str], stats: impl Fn(&str) -> DomainStats) -> Snapshot {
    let mut instances: Vec<_> = domains.iter().map(|domain| Arc::new(instance(domain))).collect();
    instances.sort_by(|a, b| a.domain.name.cmp(&b.domain.name));
    let running: Roster = instances.into();
    let mut findings = Findings { host: host(), ..Findings::default() };
    for (instance, file) in running.iter().zip(sorted(domains)) {
        let uuid = instance.domain.uuid;
        let nanoseconds = 1_000_000_007 * u64::from(uuid.0[0]);
        let part = |divisor| Some(Duration::from_nanos(nanoseconds / divisor));
        let cpu = CpuTime { total: part(1), user: part(10), system: part(30) };
        findings.times.insert(uuid, CpuReading { cpu, at: Instant::now() });
        let reading = Reading { stats: Box::new(stats(&file)), at: Instant::now() };
        findings.survey.readings.insert(uuid, reading);
        let (state, since) = if file.starts_with("06") {
            (ControlState::Occupied, Duration::from_millis(42_500))
        } else {
            (ControlState::Ok, Duration::ZERO)
        };
        findings.controls.insert(uuid, ControlInfo { state: Some(state), since });
        if file.starts_with("06") {
            findings.silent.insert(uuid);
        } else {
            findings.jobs.insert(uuid, Box::new(Job::new(Some(0), &[])));
        }
        findings.placements.insert(uuid, vec![(0, 7), (1, 3)]);
    }
    findings.usages = usages(&running, &findings.times);
    let count = running.len();
    let domains = Domains { running, count, ..Domains::default() };
    Snapshot::new(Some("compute-01".into()), &domains, findings, now())
}

fn host() -> HostFacts {
    let info = NodeInfo {
        model: "x86_64".into(),
        memory_kib: 527_965_764,
        cpus: 64,
        mhz: 2450,
        nodes: 2,
        sockets: 1,
        cores: 16,
        threads: 2,
    };
    let time = |mode: &str, seconds| ("0".into(), mode.into(), Duration::from_secs(seconds));
    let node = Node {
        info: Some(info),
        memory: Some(540_636_942_336),
        memory_free: Some(68_719_476_736),
        cpu_times: vec![time("kernel", 400), time("user", 1200), time("idle", 9000)],
        memory_stats: vec![("total".into(), 540_636_942_336), ("free".into(), 68_719_476_736)],
        cells_free: vec![("0".into(), 34_359_738_368), ("1".into(), 34_359_738_368)],
    };
    let pool = |name: &str, state| Pool {
        name: name.into(),
        info: Some(StoragePoolInfo {
            state,
            capacity: 1_000_000_000_000,
            allocation: 250_000_000_000,
            available: 750_000_000_000,
        }),
        is_silent: false,
    };
    let silent = Pool { name: "nfs".into(), info: None, is_silent: true };
    HostFacts {
        node,
        pools: vec![pool("default", 2), silent, pool("stopped", 0)],
        versions: [Some("7.2.0".into()), Some("9.0.0".into())],
    }
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
        events: {
            let mut events = EventCounts::default();
            events.note(&EventKind::Lifecycle { event: 2, detail: 0 });
            Arc::new(events)
        },
        started: None,
        told: None,
        stopped: None,
        metadata: element
            .map_or(Metadata::Foreign, |element| Metadata::Nova(Arc::new(Nova::read(element)))),
        devices: Some(Arc::new(Devices::parse(&xml).unwrap())),
    }
}

fn stats(prefix: &str) -> DomainStats {
    let fields = fields(prefix);
    DomainStats::new(&params(fields.iter()))
}

/// What virsh prints of a domain's statistics.
pub(super) fn fields(prefix: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(file(prefix, "domstats")).unwrap();
    let fields = text.lines().filter_map(|line| line.trim().split_once('='));
    fields.map(|(field, value)| (field.to_owned(), value.to_owned())).collect()
}

pub(super) fn params<'f>(
    fields: impl Iterator<Item = &'f (String, String)>,
) -> Vec<TypedParam<'f>> {
    let param = |(field, value): &'f (String, String)| TypedParam {
        field: field.as_str().into(),
        value: typed(value),
    };
    fields.map(param).collect()
}

/// As virsh prints it.
fn typed(text: &str) -> Value<'_> {
    match text {
        "yes" => Value::Boolean(true),
        "no" => Value::Boolean(false),
        _ => text.parse().map(Value::ULLong).unwrap_or_else(|_| {
            text.parse().map_or_else(|_| Value::String(text.into()), Value::Double)
        }),
    }
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

pub(super) fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}
