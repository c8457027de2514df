//! Jobs that run in domains, migrations above all.
//!
//! Times are in seconds; the exporter that these names come from has milliseconds in them.

use std::time::UNIX_EPOCH;

use exposition::{Family, Kind, Samples, Value};

use super::{Row, Subject, Write};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_job_info_type",
            kind: Kind::Gauge,
            help: "What kind of job runs in the domain: 0 none, 1 bounded, 2 unbounded.",
        },
        labels: &[],
        origin: "virDomainGetJobStats type",
        since: "1.0.3",
        write: Write::Domain(|measured| measured.job.as_ref()?.kind.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_job_info_time_elapsed_seconds",
            kind: Kind::Gauge,
            help: "How long the job has been running.",
        },
        labels: &[],
        origin: "virDomainGetJobStats time_elapsed",
        since: "1.0.3",
        write: Write::Domain(|measured| measured.job.as_ref()?.elapsed.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_job_info_time_remaining_seconds",
            kind: Kind::Gauge,
            help: "How long the job is expected to go on.",
        },
        labels: &[],
        origin: "virDomainGetJobStats time_remaining",
        since: "1.0.3",
        write: Write::Domain(|measured| measured.job.as_ref()?.remaining.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_job_info_data_total_bytes",
            kind: Kind::Gauge,
            help: "Bytes of data in all that the job has to do with.",
        },
        labels: &[],
        origin: "virDomainGetJobStats data_total",
        since: "1.0.3",
        write: Write::Domain(|measured| measured.job.as_ref()?.data.total.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_job_info_data_processed_bytes",
            kind: Kind::Gauge,
            help: "Bytes of data in all that the job has done.",
        },
        labels: &[],
        origin: "virDomainGetJobStats data_processed",
        since: "1.0.3",
        write: Write::Domain(|measured| measured.job.as_ref()?.data.processed.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_job_info_data_remaining_bytes",
            kind: Kind::Gauge,
            help: "Bytes of data in all that the job has before it.",
        },
        labels: &[],
        origin: "virDomainGetJobStats data_remaining",
        since: "1.0.3",
        write: Write::Domain(|measured| measured.job.as_ref()?.data.remaining.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_job_info_memory_total_bytes",
            kind: Kind::Gauge,
            help: "Bytes of memory that the job has to do with.",
        },
        labels: &[],
        origin: "virDomainGetJobStats memory_total",
        since: "1.0.3",
        write: Write::Domain(|measured| measured.job.as_ref()?.memory.total.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_job_info_memory_processed_bytes",
            kind: Kind::Gauge,
            help: "Bytes of memory that the job has done.",
        },
        labels: &[],
        origin: "virDomainGetJobStats memory_processed",
        since: "1.0.3",
        write: Write::Domain(|measured| measured.job.as_ref()?.memory.processed.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_job_info_memory_remaining_bytes",
            kind: Kind::Gauge,
            help: "Bytes of memory that the job has before it.",
        },
        labels: &[],
        origin: "virDomainGetJobStats memory_remaining",
        since: "1.0.3",
        write: Write::Domain(|measured| measured.job.as_ref()?.memory.remaining.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_job_info_file_total_bytes",
            kind: Kind::Gauge,
            help: "Bytes of disks that the job has to do with.",
        },
        labels: &[],
        origin: "virDomainGetJobStats disk_total",
        since: "1.0.3",
        write: Write::Domain(|measured| measured.job.as_ref()?.disk.total.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_job_info_file_processed_bytes",
            kind: Kind::Gauge,
            help: "Bytes of disks that the job has done.",
        },
        labels: &[],
        origin: "virDomainGetJobStats disk_processed",
        since: "1.0.3",
        write: Write::Domain(|measured| measured.job.as_ref()?.disk.processed.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_job_info_file_remaining_bytes",
            kind: Kind::Gauge,
            help: "Bytes of disks that the job has before it.",
        },
        labels: &[],
        origin: "virDomainGetJobStats disk_remaining",
        since: "1.0.3",
        write: Write::Domain(|measured| measured.job.as_ref()?.disk.remaining.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_job_info_operation",
            kind: Kind::Gauge,
            help: "Which operation the job is.",
        },
        labels: &["operation"],
        origin: "virDomainGetJobStats operation",
        since: "3.3",
        write: Write::Running(push_operation),
    },
    Row {
        family: Family {
            name: "libvirt_domain_migration_bandwidth_bytes_per_second",
            kind: Kind::Gauge,
            help: "Bytes of memory that the migration sends a second.",
        },
        labels: &[],
        origin: "virDomainGetJobStats memory_bps",
        since: "1.0.3",
        write: Write::Domain(|measured| measured.migration()?.memory_rate.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_migration_disk_bandwidth_bytes_per_second",
            kind: Kind::Gauge,
            help: "Bytes of disks that the migration sends a second.",
        },
        labels: &[],
        origin: "virDomainGetJobStats disk_bps",
        since: "1.0.3",
        write: Write::Domain(|measured| measured.migration()?.disk_rate.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_migration_dirty_rate_bytes_per_second",
            kind: Kind::Gauge,
            help: "Bytes of memory that the guest writes a second, as the migration sees it.",
        },
        labels: &[],
        origin: "virDomainGetJobStats memory_dirty_rate * memory_page_size",
        since: "3.9",
        write: Write::Domain(|measured| measured.migration()?.dirty_rate.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_migration_iteration",
            kind: Kind::Gauge,
            help: "How many times the migration has gone through the memory.",
        },
        labels: &[],
        origin: "virDomainGetJobStats memory_iteration",
        since: "1.3.1",
        write: Write::Domain(|measured| measured.migration()?.iteration.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_migration_expected_downtime_seconds",
            kind: Kind::Gauge,
            help: "How long the guest is expected to stand still in the end.",
        },
        labels: &[],
        origin: "virDomainGetJobStats downtime",
        since: "1.0.3",
        write: Write::Domain(|measured| measured.migration()?.downtime.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_migration_setup_seconds",
            kind: Kind::Gauge,
            help: "How long the preparation of the migration took.",
        },
        labels: &[],
        origin: "virDomainGetJobStats setup_time",
        since: "1.0.3",
        write: Write::Domain(|measured| measured.migration()?.setup.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_migration_postcopy_requests",
            kind: Kind::Gauge,
            help: "Pages of memory that the destination has asked for.",
        },
        labels: &[],
        origin: "virDomainGetJobStats memory_postcopy_requests",
        since: "5.0",
        write: Write::Domain(|measured| measured.migration()?.postcopy_requests.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_migration_throttle_percent",
            kind: Kind::Gauge,
            help: "By how much the vCPUs are slowed down so that the migration can end.",
        },
        labels: &[],
        origin: "virDomainGetJobStats auto_converge_throttle",
        since: "2.0",
        write: Write::Domain(|measured| measured.migration()?.throttle.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_migration_last_timestamp_seconds",
            kind: Kind::Gauge,
            help: "When the last migration of the domain away from here was over, in seconds since the unix epoch. It is told of for ten minutes after the domain has gone.",
        },
        labels: &[],
        origin: "the event that a job is completed",
        since: "3.3",
        write: Write::Last(|last| {
            let since = last.at.duration_since(UNIX_EPOCH).ok()?;
            Some(Value::from(since.as_secs()))
        }),
    },
    Row {
        family: Family {
            name: "libvirt_domain_migration_last_duration_seconds",
            kind: Kind::Gauge,
            help: "How long the last migration of the domain away from here took.",
        },
        labels: &[],
        origin: "the event that a job is completed: time_elapsed",
        since: "3.3",
        write: Write::Last(|last| last.job.elapsed.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_migration_last_downtime_seconds",
            kind: Kind::Gauge,
            help: "How long the guest stood still in the last migration away from here.",
        },
        labels: &[],
        origin: "the event that a job is completed: downtime",
        since: "3.3",
        write: Write::Last(|last| last.job.downtime.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_migration_last_memory_bytes",
            kind: Kind::Gauge,
            help: "Bytes of memory that the last migration away from here sent.",
        },
        labels: &[],
        origin: "the event that a job is completed: memory_processed",
        since: "3.3",
        write: Write::Last(|last| last.job.memory.processed.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_migration_last_data_bytes",
            kind: Kind::Gauge,
            help: "Bytes that the last migration away from here sent in all.",
        },
        labels: &[],
        origin: "the event that a job is completed: data_processed",
        since: "3.3",
        write: Write::Last(|last| last.job.data.processed.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_migration_last_iterations",
            kind: Kind::Gauge,
            help: "How many times the last migration away from here went through the memory.",
        },
        labels: &[],
        origin: "the event that a job is completed: memory_iteration",
        since: "3.3",
        write: Write::Last(|last| last.job.iteration.map(Value::from)),
    },
];

fn push_operation(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    let job = subject.measured.job.as_ref();
    if let Some(operation) = job.and_then(|job| job.operation) {
        subject.tags.push_with(&[("operation", operation.word())], true, samples);
    }
}
