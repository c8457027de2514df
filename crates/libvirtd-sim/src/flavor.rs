//! The flavors that instances come in.

/// A Nova flavor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flavor {
    pub(crate) name: &'static str,
    pub(crate) vcpus: u32,
    pub(crate) memory_mib: u64,
    pub(crate) disk_gib: u64,
}

impl Flavor {
    /// The flavor of the instance with this number: they take turns.
    pub(crate) fn of(number: u32) -> Self {
        let [tiny, small, medium, large, xlarge] = FLAVORS;
        match number % 5 {
            1 => tiny,
            2 => small,
            3 => medium,
            4 => large,
            _ => xlarge,
        }
    }

    pub(crate) fn memory_kib(&self) -> u64 {
        self.memory_mib.saturating_mul(1024)
    }

    pub(crate) fn disk_bytes(&self) -> u64 {
        self.disk_gib.saturating_mul(1 << 30)
    }
}

const FLAVORS: [Flavor; 5] = [
    Flavor { name: "m1.tiny", vcpus: 1, memory_mib: 512, disk_gib: 1 },
    Flavor { name: "m1.small", vcpus: 1, memory_mib: 2048, disk_gib: 20 },
    Flavor { name: "m1.medium", vcpus: 2, memory_mib: 4096, disk_gib: 40 },
    Flavor { name: "m1.large", vcpus: 4, memory_mib: 8192, disk_gib: 80 },
    Flavor { name: "m1.xlarge", vcpus: 8, memory_mib: 16_384, disk_gib: 160 },
];
