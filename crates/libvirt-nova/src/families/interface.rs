//! Network interfaces: what they are and what they have done, under the names of the
//! libvirt exporters.
//!
//! Directions are the guest's: it receives what its tap transmits.

use exposition::{Family, Kind, Samples, Value};

use super::{Row, Subject, Write};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_interface_stats_info",
            kind: Kind::Info,
            help: "What the network interface is. port_uuid is the Neutron port; target_device is empty where the guest has the device for itself (SR-IOV).",
        },
        labels: &[
            "interface_type",
            "mac_address",
            "model_type",
            "mtu_size",
            "port_uuid",
            "source_bridge",
            "target_device",
        ],
        origin: "the domain's XML: interface; Nova's metadata: port",
        since: "",
        write: Write::Any(push_info),
    },
    Row {
        family: Family {
            name: "libvirt_domain_interface_stats_receive_bytes_total",
            kind: Kind::Counter,
            help: "Bytes that the guest received.",
        },
        labels: &[],
        origin: "net.N.rx.bytes",
        since: "1.2.9",
        write: Write::Interface(|net| net.received_bytes.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_interface_stats_receive_packets_total",
            kind: Kind::Counter,
            help: "Packets that the guest received.",
        },
        labels: &[],
        origin: "net.N.rx.pkts",
        since: "1.2.9",
        write: Write::Interface(|net| net.received_packets.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_interface_stats_receive_errors_total",
            kind: Kind::Counter,
            help: "Errors on the way to the guest.",
        },
        labels: &[],
        origin: "net.N.rx.errs",
        since: "1.2.9",
        write: Write::Interface(|net| net.receive_errors.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_interface_stats_receive_drops_total",
            kind: Kind::Counter,
            help: "Packets to the guest that were dropped.",
        },
        labels: &[],
        origin: "net.N.rx.drop",
        since: "1.2.9",
        write: Write::Interface(|net| net.receive_drops.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_interface_stats_transmit_bytes_total",
            kind: Kind::Counter,
            help: "Bytes that the guest transmitted.",
        },
        labels: &[],
        origin: "net.N.tx.bytes",
        since: "1.2.9",
        write: Write::Interface(|net| net.transmitted_bytes.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_interface_stats_transmit_packets_total",
            kind: Kind::Counter,
            help: "Packets that the guest transmitted.",
        },
        labels: &[],
        origin: "net.N.tx.pkts",
        since: "1.2.9",
        write: Write::Interface(|net| net.transmitted_packets.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_interface_stats_transmit_errors_total",
            kind: Kind::Counter,
            help: "Errors on the way from the guest.",
        },
        labels: &[],
        origin: "net.N.tx.errs",
        since: "1.2.9",
        write: Write::Interface(|net| net.transmit_errors.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_interface_stats_transmit_drops_total",
            kind: Kind::Counter,
            help: "Packets from the guest that were dropped.",
        },
        labels: &[],
        origin: "net.N.tx.drop",
        since: "1.2.9",
        write: Write::Interface(|net| net.transmit_drops.map(Value::from)),
    },
];

fn push_info(subject: &Subject<'_>, samples: &mut Samples<'_>) {
    let interfaces = subject.devices().map(|devices| &*devices.interfaces).unwrap_or_default();
    let ports = subject.nova().map(|nova| &*nova.ports).unwrap_or_default();
    let mut seen = Vec::new();
    for interface in interfaces {
        let more = [
            ("interface_type", interface.kind.as_str()),
            ("mac_address", interface.mac.as_deref().unwrap_or_default()),
            ("model_type", interface.model.as_deref().unwrap_or_default()),
            ("mtu_size", interface.mtu.as_deref().unwrap_or_default()),
            ("port_uuid", interface.port(ports).unwrap_or_default()),
            ("source_bridge", interface.bridge.as_deref().unwrap_or_default()),
            ("target_device", interface.target.as_deref().unwrap_or_default()),
        ];
        if !seen.contains(&more) {
            subject.tags.push_with(&more, true, samples);
            seen.push(more);
        }
    }
}
