//! A guest that migrates to another host is told of by both.

use std::{
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    agreement::in_order,
    exporter::Exporter,
    guest::Guest,
    libvirtd::Libvirtd,
    scrape::{EVENTS, Scrape},
    virsh::Table,
    wait::{PATIENCE, wait_until},
};

#[test]
fn a_live_migration_is_told_of_while_it_runs_and_remembered_once_the_guest_has_gone() {
    let [from, to] = ["alpha", "beta"].map(|name| Libvirtd::start(&[("HOST_NAME", name)]));
    let [source, destination] = [&from, &to].map(Exporter::fresh_on);
    let guest = from.kernel_guest(&[("BURN", "50")]).booted();
    assert_no_job(&source.scrape(), &guest);
    let used = cpu_time(&source.scrape(), &guest);

    let began = now();
    let last_of_source = thread::scope(|scope| {
        let migration = scope.spawn(|| migrate(&guest, &to, "1"));
        let (before, _) = wait_until(PATIENCE, "memory that is sent", || {
            let job = job(&guest);
            (number(&job, "memory_processed")? > 0 && number(&job, "memory_bps")? > 0)
                .then_some(job)
        });
        let scrape = source.scrape();
        let after = job(&guest);
        assert_job(&scrape, &guest, &before, &after);
        let last_of_source = cpu_time(&scrape, &guest);
        // As it arrives, the same instance is on the other host, and does not run there.
        let arriving = destination.scrape();
        assert_eq!(arriving.state(&guest.name), Some("paused"));
        let of_guest = [("domain", &*guest.name), ("uuid", &*guest.uuid), ("reason", "migration")];
        assert_eq!(arriving.value("libvirt_domain_state_reason", &of_guest), 1.0);
        guest.run("migrate-setspeed", &["10000"]);
        migration.join().unwrap().unwrap();
        last_of_source
    });
    let scrape = source.scrape();
    let ended = now();
    // The guest was not defined: the source knows it no more.
    assert_eq!(scrape.value("libvirt_domains", &[]), 0.0);
    let told = last(&scrape, &guest);
    assert!((began..=ended).contains(&told.at), "{began} {} {ended}", told.at);
    assert!(0.0 < told.downtime && told.downtime < told.duration, "{told:?}");
    assert!(told.duration < told.at - began + 1.0 && told.memory > 0.0, "{told:?}");

    let arrived = destination.scrape();
    let of_guest = [("domain", &*guest.name), ("uuid", &*guest.uuid)];
    assert_eq!(arrived.state(&guest.name), Some("running"));
    let reason = [&of_guest[..], &[("reason", "migrated")]].concat();
    assert_eq!(arrived.value("libvirt_domain_state_reason", &reason), 1.0);
    let started = [&of_guest[..], &[("event", "started"), ("detail", "migrated")]].concat();
    assert_eq!(arrived.value(EVENTS, &started), 1.0);
    assert!(used <= last_of_source);
    assert!(cpu_time(&arrived, &guest) < used, "its counters are this host's own");
    assert_no_job(&arrived, &guest);
    assert!(arrived.samples(LAST, &[]).is_empty(), "it has not gone away from there");
}

#[test]
fn a_migration_is_remembered_beside_the_definition_that_it_leaves_and_one_that_is_aborted_is_none()
{
    let [from, to] = ["alpha", "beta"].map(|name| Libvirtd::start(&[("HOST_NAME", name)]));
    let exporter = Exporter::fresh_on(&from);
    let guest = from.kernel_guest(&[("BURN", "50")]).booted();
    guest.define();
    thread::scope(|scope| {
        let migration = scope.spawn(|| migrate(&guest, &to, "1"));
        wait_until(PATIENCE, "memory that is sent", || {
            (number(&job(&guest), "memory_processed")? > 0).then_some(())
        });
        guest.run("domjobabort", &[]);
        let complaint = migration.join().unwrap().unwrap_err();
        assert!(complaint.contains("canceled by client"), "{complaint}");
    });
    let scrape = exporter.scrape();
    assert_eq!(scrape.state(&guest.name), Some("running"));
    assert_no_job(&scrape, &guest);
    assert!(scrape.samples(LAST, &[]).is_empty());

    migrate(&guest, &to, "10000").unwrap();
    let scrape = exporter.scrape();
    let of_guest = [("domain", &*guest.name), ("uuid", &*guest.uuid)];
    let reason = [&of_guest[..], &[("reason", "migrated"), ("state", "shutoff")]].concat();
    assert_eq!(scrape.value("libvirt_domain_state_reason", &reason), 1.0);
    let told = last(&scrape, &guest);
    let job = guest.virsh().table([
        "domjobinfo",
        &guest.name,
        "--completed",
        "--keep-completed",
        "--rawstats",
    ]);
    let field = |name| number(&job, name).unwrap().to_string();
    assert_eq!((told.duration * 1e3).round().to_string(), field("time_elapsed"));
    assert_eq!((told.downtime * 1e3).round().to_string(), field("downtime"));
    assert_eq!(told.memory.to_string(), field("memory_processed"));
}

const LAST: &str = "libvirt_domain_migration_last_timestamp_seconds";

/// What is remembered of the last migration.
#[derive(Debug)]
struct Last {
    at: f64,
    duration: f64,
    downtime: f64,
    memory: f64,
}

fn last(scrape: &Scrape, guest: &Guest<'_>) -> Last {
    let labels = [("domain", &*guest.name), ("uuid", &*guest.uuid)];
    let value =
        |name: &str| scrape.value(&format!("libvirt_domain_migration_last_{name}"), &labels);
    Last {
        at: value("timestamp_seconds"),
        duration: value("duration_seconds"),
        downtime: value("downtime_seconds"),
        memory: value("memory_bytes"),
    }
}

/// Asserts that what is said of a job lies between two readings of virsh, in either direction.
fn assert_job(scrape: &Scrape, guest: &Guest<'_>, before: &Table, after: &Table) {
    let labels = [("domain", &*guest.name), ("uuid", &*guest.uuid)];
    let value = |name: &str| scrape.value(&format!("libvirt_domain_{name}"), &labels);
    assert_eq!(value("job_info_type").to_string(), before["Job type"]);
    let operation = [&labels[..], &[("operation", "migration_out")]].concat();
    assert_eq!(scrape.value("libvirt_domain_job_info_operation", &operation), 1.0);
    assert_eq!(before["operation"], "5");
    for (family, field, unit) in [
        ("job_info_time_elapsed_seconds", "time_elapsed", 1e3),
        ("job_info_data_total_bytes", "data_total", 1.0),
        ("job_info_data_processed_bytes", "data_processed", 1.0),
        ("job_info_data_remaining_bytes", "data_remaining", 1.0),
        ("job_info_memory_total_bytes", "memory_total", 1.0),
        ("job_info_memory_processed_bytes", "memory_processed", 1.0),
        ("job_info_memory_remaining_bytes", "memory_remaining", 1.0),
        ("job_info_file_total_bytes", "disk_total", 1.0),
        ("job_info_file_processed_bytes", "disk_processed", 1.0),
        ("job_info_file_remaining_bytes", "disk_remaining", 1.0),
        ("migration_iteration", "memory_iteration", 1.0),
        ("migration_setup_seconds", "setup_time", 1e3),
        ("migration_postcopy_requests", "memory_postcopy_requests", 1.0),
    ] {
        let value = (value(family) * unit).round();
        let [before, after] = [before, after].map(|job| number(job, field).unwrap());
        let (low, high) = (before.min(after), before.max(after));
        assert!(in_order(low, value, high), "{family}: {before} {value} {after}");
    }
    assert!(value("migration_bandwidth_bytes_per_second") > 0.0);
    assert!(value("migration_expected_downtime_seconds") > 0.0);
}

/// Asserts that no job is told of but that there is none.
fn assert_no_job(scrape: &Scrape, guest: &Guest<'_>) {
    let labels = [("domain", &*guest.name), ("uuid", &*guest.uuid)];
    assert_eq!(scrape.value("libvirt_domain_job_info_type", &labels), 0.0);
    let families = scrape.families_of(&guest.name).into_keys();
    let of_jobs = families.filter(|family| {
        family.starts_with("libvirt_domain_job_info_")
            || family.starts_with("libvirt_domain_migration_")
    });
    assert_eq!(of_jobs.collect::<Vec<_>>(), ["libvirt_domain_job_info_type"]);
}

/// Migrates a guest so fast, in MiB a second; returns what virsh complains of.
fn migrate(guest: &Guest<'_>, to: &Libvirtd, bandwidth: &str) -> Result<String, String> {
    let [there, way] = way(guest, to);
    let how = ["--bandwidth", bandwidth, "--desturi", &there, "--migrateuri", &way];
    guest.virsh().attempt([&["migrate", &guest.name], &FLAGS[..], &how].concat())
}

/// A live migration of a guest that writes its memory faster than is sent: it does not end by itself.
#[derive(Debug)]
pub(crate) struct Migration<'s, 'l> {
    guest: &'s Guest<'l>,
    command: thread::ScopedJoinHandle<'s, Result<String, String>>,
}

impl<'s, 'l> Migration<'s, 'l> {
    /// Begins one; returns once it has gone through the memory, and goes through it again.
    pub(crate) fn begin(
        scope: &'s thread::Scope<'s, '_>,
        guest: &'s Guest<'l>,
        to: &'s Libvirtd,
    ) -> Self {
        let command = scope.spawn(|| migrate(guest, to, "4"));
        wait_until(PATIENCE, "a second iteration", || {
            (number(&job(guest), "memory_iteration")? > 1).then_some(())
        });
        Self { guest, command }
    }

    /// Lets it end.
    pub(crate) fn end(self) {
        self.guest.run("migrate-setmaxdowntime", &["10000"]);
        self.guest.run("migrate-setspeed", &["10000"]);
        self.command.join().unwrap().unwrap();
    }
}

/// The other libvirtd, and the socket that memory goes through: each host has a network of its own.
/// The disk is shared, which libvirt cannot see.
fn way(guest: &Guest<'_>, to: &Libvirtd) -> [String; 2] {
    let socket = to.socket("libvirt-sock");
    [
        format!("qemu+unix:///system?socket={}", socket.display()),
        format!("unix://{}", guest.file("migration").display()),
    ]
}

const FLAGS: [&str; 3] = ["--live", "--p2p", "--unsafe"];

/// `domjobinfo --rawstats`
fn job(guest: &Guest<'_>) -> Table {
    guest.virsh().table(["domjobinfo", &guest.name, "--rawstats"])
}

fn number(job: &Table, field: &str) -> Option<u64> {
    job.get(field)?.parse().ok()
}

fn cpu_time(scrape: &Scrape, guest: &Guest<'_>) -> f64 {
    scrape.value("libvirt_nova_instance_cpu_time_total", &[("libvirtname", &guest.name)])
}

/// The clock's whole seconds.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64().floor()
}
