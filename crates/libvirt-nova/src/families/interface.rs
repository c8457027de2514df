//! What network interfaces have done, under the names of the libvirt exporters.
//!
//! Directions are the guest's: it receives what its tap transmits.

use exposition::{Family, Kind, Value};

use super::{Row, Write};

pub(super) const ROWS: &[Row] = &[
    Row {
        family: Family {
            name: "libvirt_domain_interface_stats_receive_bytes_total",
            kind: Kind::Counter,
            help: "Bytes that the guest received.",
        },
        origin: "net.N.rx.bytes",
        write: Write::Interface(|net| net.received_bytes.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_interface_stats_receive_packets_total",
            kind: Kind::Counter,
            help: "Packets that the guest received.",
        },
        origin: "net.N.rx.pkts",
        write: Write::Interface(|net| net.received_packets.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_interface_stats_receive_errors_total",
            kind: Kind::Counter,
            help: "Errors on the way to the guest.",
        },
        origin: "net.N.rx.errs",
        write: Write::Interface(|net| net.receive_errors.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_interface_stats_receive_drops_total",
            kind: Kind::Counter,
            help: "Packets to the guest that were dropped.",
        },
        origin: "net.N.rx.drop",
        write: Write::Interface(|net| net.receive_drops.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_interface_stats_transmit_bytes_total",
            kind: Kind::Counter,
            help: "Bytes that the guest transmitted.",
        },
        origin: "net.N.tx.bytes",
        write: Write::Interface(|net| net.transmitted_bytes.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_interface_stats_transmit_packets_total",
            kind: Kind::Counter,
            help: "Packets that the guest transmitted.",
        },
        origin: "net.N.tx.pkts",
        write: Write::Interface(|net| net.transmitted_packets.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_interface_stats_transmit_errors_total",
            kind: Kind::Counter,
            help: "Errors on the way from the guest.",
        },
        origin: "net.N.tx.errs",
        write: Write::Interface(|net| net.transmit_errors.map(Value::from)),
    },
    Row {
        family: Family {
            name: "libvirt_domain_interface_stats_transmit_drops_total",
            kind: Kind::Counter,
            help: "Packets from the guest that were dropped.",
        },
        origin: "net.N.tx.drop",
        write: Write::Interface(|net| net.transmit_drops.map(Value::from)),
    },
];
