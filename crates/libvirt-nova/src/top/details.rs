//! All that is known of one guest, in lines.

use super::{
    format::{age, bytes, known, percent, size, vcpus},
    plain::plain,
    scene::Guest,
};

/// Returns what is known of a guest, each with its name.
pub(super) fn lines(guest: &Guest<'_>) -> Vec<String> {
    let row = guest.row;
    let text = |text: &Option<String>| known(text.as_deref(), plain);
    let rates = |[one, other]: [(Option<f64>, &str); 2]| {
        let rate = |(rate, what)| format!("{} {what}", known(guest.surveyed(rate), bytes));
        format!("{}, {}", rate(one), rate(other))
    };
    let kind = match row.is_nova {
        Some(true) => "an instance of Nova's",
        Some(false) => "not Nova's",
        None => "not read yet",
    };
    let facts = [
        ("name", plain(guest.name())),
        ("libvirt name", plain(&row.domain)),
        ("UUID", plain(&row.uuid)),
        ("metadata", kind.to_owned()),
        ("project", text(&row.project)),
        ("project id", text(&row.project_id)),
        ("flavor", text(&row.flavor)),
        ("state", text(&row.state)),
        (
            "QEMU",
            match guest.stuck {
                Some(stuck) => format!("has not answered libvirt for {}", age(stuck)),
                None => "answers libvirt, as far as is known".to_owned(),
            },
        ),
        (
            "vCPUs",
            format!(
                "{} in use, at most {} in the last minute, of {}",
                known(guest.in_use, vcpus),
                known(guest.peak, vcpus),
                known(row.vcpus, |number| number.to_string())
            ),
        ),
        ("steal", known(guest.surveyed(row.steal), percent)),
        (
            "memory",
            format!(
                "{} used, of {}",
                known(guest.surveyed(row.memory_used), size),
                known(row.memory, size)
            ),
        ),
        ("disks", rates([(row.read_bytes, "read/s"), (row.written_bytes, "written/s")])),
        ("requests", rates([(row.read_requests, "reads/s"), (row.write_requests, "writes/s")])),
        (
            "network",
            rates([(row.received_bytes, "received/s"), (row.transmitted_bytes, "transmitted/s")]),
        ),
    ];
    facts.into_iter().map(|(name, fact)| format!("{name:>13}  {fact}")).collect()
}
