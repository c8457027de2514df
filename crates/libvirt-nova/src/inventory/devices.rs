//! What a domain is made of, from its XML.
//!
//! What the XML does not say is `None`.
//!
//! * [`disk`]: disks, with the limits of their use
//! * [`interface`]: network interfaces
//! * [`hostdev`]: devices of the host that the guest has for itself

use std::time::Duration;

use roxmltree::Node;

pub(crate) use self::{
    disk::{Disk, Limits},
    hostdev::Hostdev,
    interface::Interface,
};
use super::xml;

mod disk;
mod hostdev;
mod interface;

/// What a domain is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Devices {
    /// `hvm`, for what QEMU runs.
    pub(crate) os_type: Option<String>,
    /// The guest's architecture, `x86_64`.
    pub(crate) arch: Option<String>,
    /// The machine that QEMU plays, `pc-q35-7.2`.
    pub(crate) machine: Option<String>,
    /// The most memory that the domain may have while it runs, in bytes.
    pub(crate) memory_maximum: Option<u64>,
    /// The memory that it begins with, in bytes.
    pub(crate) memory_current: Option<u64>,
    /// The most vCPUs that the domain may have while it runs.
    pub(crate) vcpus_maximum: Option<u32>,
    /// The vCPUs that it had when the XML was read.
    pub(crate) vcpus_current: Option<u32>,
    /// Disks that have a target, in the order of the XML.
    pub(crate) disks: Vec<Disk>,
    /// Network interfaces, in the order of the XML.
    pub(crate) interfaces: Vec<Interface>,
    /// Devices of the host that the guest has for itself, in the order of the XML.
    pub(crate) hostdevs: Vec<Hostdev>,
    /// How often the balloon asks the guest for its statistics; `None` where it
    /// does not ask.
    pub(crate) balloon_period: Option<Duration>,
}

impl Devices {
    /// Reads a domain's XML.
    ///
    /// # Errors
    ///
    /// When it is not XML.
    pub(crate) fn parse(text: &str) -> Result<Self, roxmltree::Error> {
        let document = xml::parse(text)?;
        let domain = document.root_element();
        let vcpu = child(domain, "vcpu");
        let vcpus_maximum = vcpu.and_then(|vcpu| vcpu.text()?.trim().parse().ok());
        let current = vcpu.and_then(|vcpu| vcpu.attribute("current")?.parse().ok());
        let os_type = child(domain, "os").and_then(|os| child(os, "type"));
        let of_os = |name| os_type.and_then(|os_type| attribute(os_type, name));
        let mut devices = Self {
            os_type: os_type.and_then(content),
            arch: of_os("arch"),
            machine: of_os("machine"),
            memory_maximum: child(domain, "memory").and_then(bytes),
            memory_current: child(domain, "currentMemory").and_then(bytes),
            vcpus_maximum,
            vcpus_current: current.or(vcpus_maximum),
            ..Self::default()
        };
        let elements = child(domain, "devices").into_iter().flat_map(|node| node.children());
        for element in elements {
            match element.tag_name().name() {
                "disk" => devices.disks.extend(Disk::read(element)),
                "interface" => {
                    devices.interfaces.push(Interface::read(element));
                    devices.hostdevs.extend(Hostdev::of_interface(element));
                }
                "hostdev" => devices.hostdevs.extend(Hostdev::read(element)),
                "memballoon" => devices.balloon_period = balloon_period(element),
                _ => {}
            }
        }
        Ok(devices)
    }

    /// Returns the disk of a name in the guest; the first where, for a moment, there are two.
    pub(crate) fn disk(&self, target: &str) -> Option<&Disk> {
        self.disks.iter().find(|disk| disk.target == target)
    }

    /// Returns the network interface of a name on the host.
    pub(crate) fn interface(&self, target: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.target.as_deref() == Some(target))
    }
}

fn balloon_period(element: Node<'_, '_>) -> Option<Duration> {
    let seconds = child(element, "stats")?.attribute("period")?.parse().ok()?;
    Some(Duration::from_secs(seconds)).filter(|period| !period.is_zero())
}

/// An amount of memory. libvirt writes KiB and says so, but takes other units.
fn bytes(element: Node<'_, '_>) -> Option<u64> {
    let amount: u64 = element.text()?.trim().parse().ok()?;
    let unit = match element.attribute("unit") {
        None | Some("KiB" | "k") => 1 << 10,
        Some("b" | "bytes") => 1,
        Some("MiB" | "M") => 1 << 20,
        Some("GiB" | "G") => 1 << 30,
        Some(_) => return None,
    };
    amount.checked_mul(unit)
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.tag_name().name() == name)
}

/// An attribute that is there and not empty.
fn attribute(node: Node<'_, '_>, name: &str) -> Option<String> {
    node.attribute(name).filter(|value| !value.is_empty()).map(str::to_owned)
}

/// An element's text where it is not empty.
fn content(node: Node<'_, '_>) -> Option<String> {
    node.text().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}
