//! What the live page and `top` show: a host and its instances, right now.
//!
//! It is made of what is known already, by the poll, the events and the last survey: looking at
//! it costs libvirtd nothing. What libvirt did not say is `None`, and `null` on the wire.
//!
//! A [`Board`] is all of it; a [`Pulse`] is what moves each second. A stream begins with a board,
//! goes on with pulses of the same edition, and has another board where anything else changed.
//!
//! * [`frames`]: makes them, once for all who look
//! * [`rates`]: what counters did between two surveys
//! * [`row`], [`details`]: an instance, in a line and in full

use serde::{Deserialize, Serialize};

pub(crate) use self::{details::Details, frames::Frames};

mod details;
mod frames;
mod rates;
mod row;

/// A host and its instances at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Board {
    pub(crate) host: Host,
    /// By libvirt name.
    pub(crate) instances: Vec<Row>,
    /// The vCPUs that each instance used in each second of the last minute, in the order of
    /// `instances`, the last second last.
    pub(crate) recent: Vec<Vec<Option<f64>>>,
    pub(crate) pulse: Pulse,
}

/// The host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Host {
    /// As libvirtd says it.
    pub(crate) name: Option<String>,
    /// The exporter's version.
    pub(crate) version: String,
    /// CPUs that are online, by the last survey.
    pub(crate) cpus: Option<u32>,
    /// Bytes of memory, by the last survey.
    pub(crate) memory: Option<u64>,
    /// Whether libvirtd has ever said which domains there are: before, nobody knows of any.
    pub(crate) is_listed: bool,
    /// Whether some domains may be left out because they are not to be served.
    pub(crate) is_filtered: bool,
    /// Domains that are served and do not run.
    pub(crate) inactive: usize,
    /// Where the metrics are.
    pub(crate) metrics_path: String,
}

/// An instance that runs: all but what moves each second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) uuid: String,
    /// libvirt's name.
    pub(crate) domain: String,
    /// Whether Nova made it; `None` before that is known.
    pub(crate) is_nova: Option<bool>,
    /// Nova's name of it.
    pub(crate) name: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) project_id: Option<String>,
    pub(crate) flavor: Option<String>,
    /// libvirt's word, by the last survey or an event after it; `None` before either.
    pub(crate) state: Option<String>,
    /// vCPUs that it has at most.
    pub(crate) vcpus: Option<u64>,
    /// Bytes of memory that it has.
    pub(crate) memory: Option<u64>,
    /// Bytes that the guest uses, caches not counted, as it told the last survey.
    pub(crate) memory_used: Option<u64>,
    /// Bytes a second between the last two surveys, of all disks.
    pub(crate) read_bytes: Option<f64>,
    pub(crate) written_bytes: Option<f64>,
    /// Requests a second, of all disks.
    pub(crate) read_requests: Option<f64>,
    pub(crate) write_requests: Option<f64>,
    /// Bytes a second, of all network interfaces.
    pub(crate) received_bytes: Option<f64>,
    pub(crate) transmitted_bytes: Option<f64>,
    /// Part of the time in which its vCPUs waited for a CPU of the host, 0 to 1.
    pub(crate) steal: Option<f64>,
}

/// What moves each second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pulse {
    /// Which board it belongs to: the same instances in the same order.
    pub(crate) edition: u64,
    /// When it was made, in seconds since the unix epoch.
    pub(crate) at: f64,
    pub(crate) libvirt: Libvirt,
    /// Seconds since libvirtd answered a poll.
    pub(crate) polled: Option<f64>,
    /// Seconds since the last survey, of which `None` means that nothing has scraped yet.
    pub(crate) surveyed: Option<f64>,
    /// vCPUs in use by each instance, in the order of the board's.
    pub(crate) in_use: Vec<Option<f64>>,
    /// The highest of those in the last minute.
    pub(crate) peak: Vec<Option<f64>>,
    /// Instances whose QEMU does not answer libvirt, by their place, and for how many seconds.
    pub(crate) stuck: Vec<(usize, f64)>,
}

/// Whether libvirtd can be asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Libvirt {
    pub(crate) state: LibvirtState,
    /// Since when, in seconds since the unix epoch.
    pub(crate) since: f64,
    /// Why it cannot.
    pub(crate) error: Option<String>,
}

/// Whether libvirtd can be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LibvirtState {
    /// Nobody knows yet.
    #[default]
    Connecting,
    /// There is a session, and it answers.
    Up,
    /// There is a session, and libvirtd says nothing.
    Silent,
    /// There is none.
    Down,
}
