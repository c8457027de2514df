//! Any text as the XML of a domain.

use std::fmt::Write;

use super::xml_escaped;
use crate::inventory::{Devices, Disk, Interface};

/// Reads a domain's XML; where it is one, its parts are read again from XML made of them.
pub fn domain_xml(data: &[u8]) {
    // As a reply's string is read.
    let Ok(devices) = Devices::parse(&String::from_utf8_lossy(data)) else { return };
    assert!(devices.balloon_period.is_none_or(|period| !period.is_zero()));
    for hostdev in &devices.hostdevs {
        assert!(
            hostdev.address.as_ref().is_none_or(|address| address.len() >= "0000:00:00.0".len())
        );
    }
    let mut xml = String::from("<domain><devices>");
    devices.disks.iter().for_each(|one| disk(&mut xml, one));
    devices.interfaces.iter().for_each(|one| interface(&mut xml, one));
    xml.push_str("</devices></domain>");
    let again = Devices::parse(&xml).unwrap_or_default();
    assert_eq!(again.disks, devices.disks, "{xml}");
    assert_eq!(again.interfaces, devices.interfaces, "{xml}");
}

fn disk(xml: &mut String, disk: &Disk) {
    let kind = Some(disk.kind.clone());
    open(xml, "disk", &[("type", &kind), ("device", &disk.device)]);
    let driver = [
        ("name", &disk.driver_name),
        ("type", &disk.driver_type),
        ("cache", &disk.driver_cache),
        ("discard", &disk.driver_discard),
    ];
    empty(xml, "driver", &driver);
    let source = [
        ("file", &disk.source_file),
        ("protocol", &disk.source_protocol),
        ("name", &disk.source_name),
    ];
    empty(xml, "source", &source);
    empty(xml, "target", &[("dev", &Some(disk.target.clone())), ("bus", &disk.bus)]);
    // Writing to a string cannot fail.
    if let Some(serial) = &disk.serial {
        let _ = write!(xml, "<serial>{}</serial>", xml_escaped(serial));
    }
    let alias = disk.volume_uuid.as_ref().map(|uuid| format!("ua-{uuid}"));
    empty(xml, "alias", &[("name", &alias)]);
    xml.push_str("<iotune>");
    for (what, limit) in [("bytes", &disk.limits.bytes), ("iops", &disk.limits.requests)] {
        for (direction, rate) in
            [("total", limit.total), ("read", limit.read), ("write", limit.write)]
        {
            let name = format!("{direction}_{what}_sec");
            number(xml, &name, rate.sustained);
            number(xml, &format!("{name}_max"), rate.burst);
            let length = rate.burst_length.map(|length| length.as_secs());
            number(xml, &format!("{name}_max_length"), length);
        }
    }
    number(xml, "size_iops_sec", disk.limits.request_bytes);
    xml.push_str("</iotune></disk>");
}

fn interface(xml: &mut String, interface: &Interface) {
    let kind = Some(interface.kind.clone()).filter(|kind| !kind.is_empty());
    open(xml, "interface", &[("type", &kind)]);
    empty(xml, "target", &[("dev", &interface.target)]);
    empty(xml, "mac", &[("address", &interface.mac)]);
    empty(xml, "source", &[("bridge", &interface.bridge)]);
    empty(xml, "model", &[("type", &interface.model)]);
    empty(xml, "mtu", &[("size", &interface.mtu)]);
    xml.push_str("<virtualport>");
    empty(xml, "parameters", &[("interfaceid", &interface.port_uuid)]);
    xml.push_str("</virtualport></interface>");
}

fn number(xml: &mut String, name: &str, number: Option<u64>) {
    if let Some(number) = number {
        let _ = write!(xml, "<{name}>{number}</{name}>");
    }
}

fn empty(xml: &mut String, name: &str, attributes: &[(&str, &Option<String>)]) {
    open(xml, name, attributes);
    let _ = write!(xml, "</{name}>");
}

fn open(xml: &mut String, name: &str, attributes: &[(&str, &Option<String>)]) {
    let _ = write!(xml, "<{name}");
    for (name, value) in attributes {
        if let Some(value) = value {
            let _ = write!(xml, " {name}=\"{}\"", xml_escaped(value));
        }
    }
    xml.push('>');
}
