//! How much of a disk a guest may use, by the domain's XML.

use exposition::{Family, Kind, Value};

use super::super::{Row, Write};
use crate::inventory::Limits;

pub(in crate::families) const LIMITS: &[Row] = &[
    limit(
        "libvirt_domain_block_stats_size_iops_bytes",
        "Bytes that count as one request where requests are limited.",
        "the domain's XML: size_iops_sec",
        |limits| limits.request_bytes.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_total_bytes",
        "Bytes read and written a second that the disk allows.",
        "the domain's XML: total_bytes_sec",
        |limits| limits.bytes.total.sustained.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_read_bytes",
        "Bytes read a second that the disk allows.",
        "the domain's XML: read_bytes_sec",
        |limits| limits.bytes.read.sustained.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_write_bytes",
        "Bytes written a second that the disk allows.",
        "the domain's XML: write_bytes_sec",
        |limits| limits.bytes.write.sustained.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_total_requests",
        "Requests to read and to write a second that the disk allows.",
        "the domain's XML: total_iops_sec",
        |limits| limits.requests.total.sustained.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_read_requests",
        "Requests to read a second that the disk allows.",
        "the domain's XML: read_iops_sec",
        |limits| limits.requests.read.sustained.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_write_requests",
        "Requests to write a second that the disk allows.",
        "the domain's XML: write_iops_sec",
        |limits| limits.requests.write.sustained.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_burst_total_bytes",
        "Bytes read and written a second that the disk allows for a while.",
        "the domain's XML: total_bytes_sec_max",
        |limits| limits.bytes.total.burst.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_burst_read_bytes",
        "Bytes read a second that the disk allows for a while.",
        "the domain's XML: read_bytes_sec_max",
        |limits| limits.bytes.read.burst.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_burst_write_bytes",
        "Bytes written a second that the disk allows for a while.",
        "the domain's XML: write_bytes_sec_max",
        |limits| limits.bytes.write.burst.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_burst_total_requests",
        "Requests to read and to write a second that the disk allows for a while.",
        "the domain's XML: total_iops_sec_max",
        |limits| limits.requests.total.burst.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_burst_read_requests",
        "Requests to read a second that the disk allows for a while.",
        "the domain's XML: read_iops_sec_max",
        |limits| limits.requests.read.burst.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_burst_write_requests",
        "Requests to write a second that the disk allows for a while.",
        "the domain's XML: write_iops_sec_max",
        |limits| limits.requests.write.burst.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_burst_total_bytes_length_seconds",
        "How long the disk allows as many bytes.",
        "the domain's XML: total_bytes_sec_max_length",
        |limits| limits.bytes.total.burst_length.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_burst_read_bytes_length_seconds",
        "How long the disk allows as many bytes.",
        "the domain's XML: read_bytes_sec_max_length",
        |limits| limits.bytes.read.burst_length.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_burst_write_bytes_length_seconds",
        "How long the disk allows as many bytes.",
        "the domain's XML: write_bytes_sec_max_length",
        |limits| limits.bytes.write.burst_length.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_burst_length_total_requests_seconds",
        "How long the disk allows as many requests.",
        "the domain's XML: total_iops_sec_max_length",
        |limits| limits.requests.total.burst_length.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_burst_length_read_requests_seconds",
        "How long the disk allows as many requests.",
        "the domain's XML: read_iops_sec_max_length",
        |limits| limits.requests.read.burst_length.map(Value::from),
    ),
    limit(
        "libvirt_domain_block_stats_limit_burst_length_write_requests_seconds",
        "How long the disk allows as many requests.",
        "the domain's XML: write_iops_sec_max_length",
        |limits| limits.requests.write.burst_length.map(Value::from),
    ),
];

/// A limit of each disk; absent where there is none.
const fn limit(
    name: &'static str,
    help: &'static str,
    origin: &'static str,
    read: fn(&Limits) -> Option<Value>,
) -> Row {
    let family = Family { name, kind: Kind::Gauge, help };
    Row { family, labels: &[], origin, since: "", write: Write::Limit(read) }
}
