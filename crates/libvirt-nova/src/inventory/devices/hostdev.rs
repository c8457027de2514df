//! Devices of the host that a guest has for itself.

use roxmltree::Node;

use super::{attribute, child};

/// A device of the host that a guest has for itself: a GPU, a part of one, an SR-IOV
/// function, a USB stick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hostdev {
    /// `pci`, `mdev`, `usb`, `scsi`; `interface` for a network interface's function.
    pub(crate) kind: String,
    /// Where the host has it, as `lspci -D` writes it: `0000:3b:02.3`. `None` for what is
    /// addressed otherwise.
    pub(crate) address: Option<String>,
    /// The mediated device, a vGPU for instance.
    pub(crate) mdev_uuid: Option<String>,
}

impl Hostdev {
    /// Reads a `<hostdev>`.
    pub(super) fn read(element: Node<'_, '_>) -> Option<Self> {
        let address = child(child(element, "source")?, "address");
        Some(Self {
            kind: attribute(element, "type")?,
            address: address.and_then(pci),
            mdev_uuid: address.and_then(|address| attribute(address, "uuid")),
        })
    }

    /// Reads the function that an `<interface type='hostdev'>` is.
    pub(super) fn of_interface(element: Node<'_, '_>) -> Option<Self> {
        let address = child(child(element, "source")?, "address")?;
        Some(Self { kind: "interface".to_owned(), address: Some(pci(address)?), mdev_uuid: None })
    }
}

fn pci(address: Node<'_, '_>) -> Option<String> {
    let number = |name| {
        let text = address.attribute(name)?;
        u32::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
    };
    let (domain, bus) = (number("domain")?, number("bus")?);
    let (slot, function) = (number("slot")?, number("function")?);
    Some(format!("{domain:04x}:{bus:02x}:{slot:02x}.{function:x}"))
}
