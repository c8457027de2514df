//! Network interfaces.

use roxmltree::Node;

use super::{attribute, child};

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interface {
    /// The name on the host, `tapa7e2fe95-a7`; the statistics have the same. `None` for
    /// one that is the guest's alone (SR-IOV).
    pub(crate) target: Option<String>,
    /// `bridge`, `ethernet`, `vhostuser`, `hostdev`, …
    pub(crate) kind: String,
    /// The guest's MAC address.
    pub(crate) mac: Option<String>,
    /// The bridge of the host that it hangs on.
    pub(crate) bridge: Option<String>,
    /// What it is to the guest: `virtio`, …
    pub(crate) model: Option<String>,
    /// Bytes of the largest packet.
    pub(crate) mtu: Option<String>,
    /// The Neutron port, where the XML names it: with Open vSwitch and OVN.
    pub(crate) port_uuid: Option<String>,
}

impl Interface {
    pub(super) fn read(element: Node<'_, '_>) -> Self {
        let of = |name, value| child(element, name).and_then(|node| attribute(node, value));
        let parameters = child(element, "virtualport").and_then(|port| child(port, "parameters"));
        Self {
            target: of("target", "dev"),
            kind: attribute(element, "type").unwrap_or_default(),
            mac: of("mac", "address"),
            bridge: of("source", "bridge"),
            model: of("model", "type"),
            mtu: of("mtu", "size"),
            port_uuid: parameters.and_then(|parameters| attribute(parameters, "interfaceid")),
        }
    }

    /// Whether it is a tap, which goes when its QEMU does.
    pub(crate) fn is_tap(&self) -> bool {
        matches!(&*self.kind, "bridge" | "ethernet" | "network")
    }

    /// Returns the Neutron port's id: the XML's, else that of Nova's ports whose first
    /// eleven characters are in the name on the host, as Neutron's agents build it.
    pub(crate) fn port<'p>(&'p self, ports: &'p [String]) -> Option<&'p str> {
        let named = || {
            let target = self.target.as_deref()?;
            let begin = target.strip_prefix("tap").or_else(|| target.strip_prefix("vhu"))?;
            let is_it = |port: &&String| begin.len() == 11 && port.starts_with(begin);
            ports.iter().find(is_it).map(String::as_str)
        };
        self.port_uuid.as_deref().or_else(named)
    }
}
