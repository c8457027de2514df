//! What a domain is made of, from its XML.

use std::time::Duration;

use roxmltree::Node;

use super::xml;

/// What the statistics of a domain need to be told apart by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Devices {
    /// The most vCPUs that the domain may have while it runs.
    pub(crate) vcpus_maximum: Option<u32>,
    /// Disks that have a target, in the order of the XML.
    pub(crate) disks: Vec<Disk>,
    /// Network interfaces that have a target, in the order of the XML.
    pub(crate) interfaces: Vec<Interface>,
    /// How often the balloon asks the guest for its statistics; `None` where it
    /// does not ask.
    pub(crate) balloon_period: Option<Duration>,
}

/// A disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disk {
    /// The name inside the guest, `vda`; the statistics have the same.
    pub(crate) target: String,
    /// The Cinder volume's id, where it is one.
    pub(crate) serial: Option<String>,
    /// What backs the disk: `file`, `block`, `network`, …
    pub(crate) kind: String,
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interface {
    /// The name on the host, `tapa7e2fe95-a7`; the statistics have the same.
    pub(crate) target: String,
    /// The guest's MAC address.
    pub(crate) mac: String,
    /// Whether it is a tap, which goes when its QEMU does.
    pub(crate) is_tap: bool,
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
        let mut devices = Self {
            vcpus_maximum: child(domain, "vcpu").and_then(|vcpu| vcpu.text()?.trim().parse().ok()),
            ..Self::default()
        };
        let elements = child(domain, "devices").into_iter().flat_map(|node| node.children());
        for element in elements {
            match element.tag_name().name() {
                "disk" => devices.disks.extend(disk(element)),
                "interface" => devices.interfaces.extend(interface(element)),
                "memballoon" => devices.balloon_period = balloon_period(element),
                _ => {}
            }
        }
        Ok(devices)
    }
}

fn disk(element: Node<'_, '_>) -> Option<Disk> {
    Some(Disk {
        target: child(element, "target")?.attribute("dev")?.to_owned(),
        serial: child(element, "serial").and_then(|serial| serial.text()).map(str::to_owned),
        kind: element.attribute("type")?.to_owned(),
    })
}

fn interface(element: Node<'_, '_>) -> Option<Interface> {
    Some(Interface {
        target: child(element, "target")?.attribute("dev")?.to_owned(),
        mac: child(element, "mac")?.attribute("address")?.to_owned(),
        is_tap: matches!(element.attribute("type"), Some("bridge" | "ethernet" | "network")),
    })
}

fn balloon_period(element: Node<'_, '_>) -> Option<Duration> {
    let seconds = child(element, "stats")?.attribute("period")?.parse().ok()?;
    Some(Duration::from_secs(seconds)).filter(|period| !period.is_zero())
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.tag_name().name() == name)
}
