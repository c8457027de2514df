//! Memory: the group `balloon`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::KIB;

/// What libvirt knows of a domain's memory, and what the guest's balloon driver told of it.
///
/// Amounts are bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Balloon {
    /// Memory that the domain has at the moment.
    pub(crate) current: Option<u64>,
    /// Memory that the domain may have.
    pub(crate) maximum: Option<u64>,
    /// Memory of the host that its QEMU has. Known where libvirt looked, even if there
    /// is no driver to tell.
    pub(crate) rss: Option<u64>,
    /// When the driver told what follows.
    pub(crate) last_update: Option<SystemTime>,
    /// Memory that the guest sees in all.
    pub(crate) available: Option<u64>,
    /// Memory that the guest could give to a program without swapping.
    pub(crate) usable: Option<u64>,
    /// Memory that the guest uses for nothing at all, not even as cache.
    pub(crate) unused: Option<u64>,
    /// Memory that holds what can be read from the disk again.
    pub(crate) disk_caches: Option<u64>,
    /// What the guest has read from its swap space since it booted.
    pub(crate) swap_in: Option<u64>,
    /// What the guest has written to its swap space since it booted.
    pub(crate) swap_out: Option<u64>,
    /// Page faults that read the disk.
    pub(crate) major_faults: Option<u64>,
    /// Page faults that did not.
    pub(crate) minor_faults: Option<u64>,
    /// Huge pages that the guest has allocated.
    pub(crate) hugetlb_pgalloc: Option<u64>,
    /// Huge pages that the guest could not allocate.
    pub(crate) hugetlb_pgfail: Option<u64>,
}

impl Balloon {
    /// Takes a field; returns whether it is known.
    pub(super) fn take(&mut self, field: &str, number: Option<u64>) -> bool {
        let bytes = number.and_then(|kib| kib.checked_mul(KIB));
        match field {
            "current" => self.current = bytes,
            "maximum" => self.maximum = bytes,
            "rss" => self.rss = bytes,
            "available" => self.available = bytes,
            "usable" => self.usable = bytes,
            "unused" => self.unused = bytes,
            "disk_caches" => self.disk_caches = bytes,
            "swap_in" => self.swap_in = bytes,
            "swap_out" => self.swap_out = bytes,
            "major_fault" => self.major_faults = number,
            "minor_fault" => self.minor_faults = number,
            "hugetlb_pgalloc" => self.hugetlb_pgalloc = number,
            "hugetlb_pgfail" => self.hugetlb_pgfail = number,
            // 0 means that the driver has never told anything.
            "last-update" => {
                self.last_update = number
                    .filter(|seconds| *seconds > 0)
                    .and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
            }
            _ => return false,
        }
        true
    }

    /// Memory in use, caches not counted, in bytes.
    ///
    /// `None` where the guest did not tell, or told of more that is usable than
    /// there is.
    pub(crate) fn used(&self) -> Option<u64> {
        self.available?.checked_sub(self.usable?)
    }

    /// Memory in use, caches counted, in bytes.
    pub(crate) fn used_with_cache(&self) -> Option<u64> {
        self.available?.checked_sub(self.unused?)
    }
}
