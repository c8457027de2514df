//! A disk: the group `block`.

use std::time::Duration;

/// The counters of a disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// Its name in the guest.
    pub(crate) name: String,
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
}

impl Block {
    pub(super) fn take(&mut self, field: &str, number: Option<u64>, text: Option<&str>) {
        let nanoseconds = number.map(Duration::from_nanos);
        match field {
            "name" => self.name = text.unwrap_or_default().to_owned(),
            "rd.bytes" => self.read_bytes = number,
            "rd.reqs" => self.read_requests = number,
            "rd.times" => self.read_time = nanoseconds,
            "wr.bytes" => self.written_bytes = number,
            "wr.reqs" => self.write_requests = number,
            "wr.times" => self.write_time = nanoseconds,
            "fl.reqs" => self.flush_requests = number,
            "fl.times" => self.flush_time = nanoseconds,
            "capacity" => self.capacity = number,
            _ => {}
        }
    }
}
