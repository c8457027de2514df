//! Disks.

use std::time::Duration;

use roxmltree::Node;

use super::{attribute, child, content};

/// A disk, a cdrom or a floppy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Disk {
    /// The name inside the guest, `vda`; the statistics have the same.
    pub(crate) target: String,
    /// What it is to the guest: `virtio`, `scsi`, `sata`, …
    pub(crate) bus: Option<String>,
    /// What backs the disk: `file`, `block`, `network`, …
    pub(crate) kind: String,
    /// `disk`, `cdrom`, `floppy` or `lun`.
    pub(crate) device: Option<String>,
    /// `qemu`
    pub(crate) driver_name: Option<String>,
    /// The image's format: `raw`, `qcow2`, …
    pub(crate) driver_type: Option<String>,
    /// `none`, `writeback`, …
    pub(crate) driver_cache: Option<String>,
    /// `unmap` or `ignore`.
    pub(crate) driver_discard: Option<String>,
    /// The image's path, or the block device's.
    pub(crate) source_file: Option<String>,
    /// `rbd`, `iscsi`, …
    pub(crate) source_protocol: Option<String>,
    /// What the protocol calls the image: rbd's pool and image.
    pub(crate) source_name: Option<String>,
    /// The Cinder volume's id, where it is one.
    pub(crate) serial: Option<String>,
    /// The Cinder volume's id by the serial or, since Nova 29, the alias. `None` for what
    /// Nova made itself: that has neither.
    pub(crate) volume_uuid: Option<String>,
    /// How much of it the guest may use.
    pub(crate) limits: Limits,
}

/// How much of a disk the guest may use, `<iotune>`. What is not limited is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) bytes: Limit,
    pub(crate) requests: Limit,
    /// Bytes that count as one request.
    pub(crate) request_bytes: Option<u64>,
}

/// Limits of bytes or of requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limit {
    /// Of reads and writes together.
    pub(crate) total: Rate,
    pub(crate) read: Rate,
    pub(crate) write: Rate,
}

/// A limit of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rate {
    /// How many a second.
    pub(crate) sustained: Option<u64>,
    /// How many a second in a burst.
    pub(crate) burst: Option<u64>,
    /// How long a burst may last.
    pub(crate) burst_length: Option<Duration>,
}

impl Disk {
    /// `None` for a disk without a target: nothing could be said of it.
    pub(super) fn read(element: Node<'_, '_>) -> Option<Self> {
        let target = child(element, "target")?;
        let (driver, source) = (child(element, "driver"), child(element, "source"));
        let of_driver = |name| driver.and_then(|driver| attribute(driver, name));
        let of_source = |name| source.and_then(|source| attribute(source, name));
        let serial = child(element, "serial").and_then(|serial| serial.text()).map(str::to_owned);
        let alias = child(element, "alias").and_then(|alias| alias.attribute("name"));
        let named = alias.and_then(|alias| alias.strip_prefix("ua-")).filter(|id| is_uuid(id));
        let numbered = || serial.as_deref().filter(|serial| is_uuid(serial));
        Some(Self {
            target: attribute(target, "dev")?,
            bus: attribute(target, "bus"),
            kind: attribute(element, "type")?,
            device: attribute(element, "device"),
            driver_name: of_driver("name"),
            driver_type: of_driver("type"),
            driver_cache: of_driver("cache"),
            driver_discard: of_driver("discard"),
            source_file: of_source("file").or_else(|| of_source("dev")),
            source_protocol: of_source("protocol"),
            source_name: of_source("name"),
            volume_uuid: named.or_else(numbered).map(str::to_owned),
            serial,
            limits: child(element, "iotune").map(Limits::read).unwrap_or_default(),
        })
    }
}

impl Disk {
    /// The path of its image, or the name of one that has none: rbd's for instance.
    pub(crate) fn source(&self) -> Option<&str> {
        self.source_file.as_deref().or(self.source_name.as_deref())
    }

    /// Whether it is a drive whose medium changes: Nova's config drive is in one.
    pub(crate) fn is_removable(&self) -> bool {
        matches!(self.device.as_deref(), Some("cdrom" | "floppy"))
    }
}

impl Limits {
    fn read(iotune: Node<'_, '_>) -> Self {
        Self {
            bytes: Limit::read(iotune, "bytes"),
            requests: Limit::read(iotune, "iops"),
            request_bytes: number(iotune, "size_iops_sec"),
        }
    }
}

impl Limit {
    fn read(iotune: Node<'_, '_>, what: &str) -> Self {
        let of = |direction| {
            let number = |suffix| number(iotune, &format!("{direction}_{what}_sec{suffix}"));
            let burst_length = number("_max_length").map(Duration::from_secs);
            Rate { sustained: number(""), burst: number("_max"), burst_length }
        };
        Self { total: of("total"), read: of("read"), write: of("write") }
    }
}

/// A number that is not 0: that means "no limit".
fn number(iotune: Node<'_, '_>, name: &str) -> Option<u64> {
    child(iotune, name).and_then(content)?.parse().ok().filter(|number| *number > 0)
}

/// Whether a text has the shape of a UUID, as Cinder's ids have.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
