//! A disk: the group `block`.

use std::{collections::BTreeMap, time::Duration};

use libvirt_wire::Value;

use super::{LatencyHistogram, indexed};

/// The counters of a disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Block {
    /// Its name in the guest.
    pub(crate) name: String,
    /// Whether libvirt says what backs it: nothing does in a drive without a medium, which has
    /// no counters either.
    pub(crate) is_backed: bool,
    pub(crate) read_bytes: Option<u64>,
    pub(crate) read_requests: Option<u64>,
    /// Time that its reads have taken, each from its beginning to its end.
    pub(crate) read_time: Option<Duration>,
    pub(crate) written_bytes: Option<u64>,
    pub(crate) write_requests: Option<u64>,
    pub(crate) write_time: Option<Duration>,
    pub(crate) flush_requests: Option<u64>,
    pub(crate) flush_time: Option<Duration>,
    /// Its size as the guest sees it, in bytes.
    pub(crate) capacity: Option<u64>,
    /// Where the last byte was written that the guest wrote, in bytes.
    pub(crate) allocation: Option<u64>,
    /// What its image takes on the host, in bytes.
    pub(crate) physical: Option<u64>,
    /// Where a write raises an event, in bytes; somebody has to set it.
    pub(crate) threshold: Option<u64>,
    /// What the host's device can do, by libvirt's name. Since libvirt 11.10.
    pub(crate) device_limits: Vec<(String, u64)>,
    /// How long requests of the last while took, by libvirt's index. Since libvirt 11.10.
    pub(crate) timed_groups: BTreeMap<u32, TimedGroup>,
    /// How many requests took how long. Since libvirt 12.1.
    pub(crate) latencies: Vec<LatencyHistogram>,
}

/// How long requests of the last interval took.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TimedGroup {
    /// How long the interval is.
    pub(crate) interval: Option<Duration>,
    /// By operation (`rd`, `wr`, …) and `min`, `max` or `avg`.
    pub(crate) latencies: Vec<(&'static str, &'static str, Duration)>,
    /// Requests that waited on average, by operation.
    pub(crate) queue_depths: Vec<(&'static str, f64)>,
}

impl Block {
    /// Takes a field; returns whether it is known.
    pub(super) fn take(&mut self, field: &str, value: &Value<'_>) -> bool {
        let number = value.unsigned();
        let nanoseconds = number.map(Duration::from_nanos);
        match field {
            "name" => self.name = value.text().unwrap_or_default().to_owned(),
            "rd.bytes" => self.read_bytes = number,
            "rd.reqs" => self.read_requests = number,
            "rd.times" => self.read_time = nanoseconds,
            "wr.bytes" => self.written_bytes = number,
            "wr.reqs" => self.write_requests = number,
            "wr.times" => self.write_time = nanoseconds,
            "fl.reqs" => self.flush_requests = number,
            "fl.times" => self.flush_time = nanoseconds,
            "capacity" => self.capacity = number,
            "allocation" => self.allocation = number,
            "physical" => self.physical = number,
            "threshold" => self.threshold = number,
            // The XML has the path, and the name of what has none; `errors` is Xen's alone.
            "path" | "backingIndex" => self.is_backed = true,
            "timed_group.count" | "errors" => {}
            _ => return self.take_more(field, value),
        }
        true
    }

    fn take_more(&mut self, field: &str, value: &Value<'_>) -> bool {
        if let Some(name) = field.strip_prefix("limits.") {
            let is_new = self.device_limits.iter().all(|(other, _)| other != name);
            if is_new && self.device_limits.len() < LIMITS_MAX {
                let number = value.unsigned().map(|number| (name.to_owned(), number));
                self.device_limits.extend(number);
            }
            return true;
        }
        if let Some(rest) = field.strip_prefix("latency_histogram.") {
            return LatencyHistogram::take(&mut self.latencies, rest, value.unsigned());
        }
        let Some((index, rest)) = field.strip_prefix("timed_group.").and_then(indexed) else {
            return false;
        };
        self.timed_groups.entry(index).or_default().take(rest, value)
    }

    /// The timed groups that are told apart by their intervals.
    pub(crate) fn intervals(&self) -> impl Iterator<Item = (Duration, &TimedGroup)> {
        let mut seen = Vec::new();
        self.timed_groups.values().filter_map(move |group| {
            let interval = group.interval.filter(|interval| !seen.contains(interval))?;
            seen.push(interval);
            Some((interval, group))
        })
    }
}

impl TimedGroup {
    fn take(&mut self, field: &str, value: &Value<'_>) -> bool {
        if field == "interval" {
            self.interval = value.unsigned().map(Duration::from_secs);
            return true;
        }
        let operation = OPERATIONS
            .into_iter()
            .find_map(|(short, word)| Some((word, field.strip_prefix(short)?.strip_prefix('_')?)));
        match operation {
            Some((word, "queue_depth_avg")) => {
                if self.queue_depths.iter().all(|(other, _)| *other != word) {
                    self.queue_depths.extend(value.double().map(|depth| (word, depth)));
                }
            }
            Some((word, rest)) => {
                let Some(kind) = KINDS
                    .into_iter()
                    .find(|kind| rest.strip_prefix("latency_").is_some_and(|rest| rest == *kind))
                else {
                    return false;
                };
                let time = value.unsigned().map(Duration::from_nanos);
                let is_new = |other: &(_, _, _)| (other.0, other.1) != (word, kind);
                if self.latencies.iter().all(is_new) {
                    self.latencies.extend(time.map(|time| (word, kind, time)));
                }
            }
            None => return false,
        }
        true
    }
}

/// libvirt's words in these fields, and those in its others.
const OPERATIONS: [(&str, &str); 4] =
    [("rd", "read"), ("wr", "write"), ("zone_append", "zone_append"), ("flush", "flush")];
const KINDS: [&str; 3] = ["min", "max", "avg"];
/// Limits that are kept: libvirt 12 has twelve.
const LIMITS_MAX: usize = 32;
