//! Any text as the XML of a domain.

use std::fmt::Write;

use super::xml_escaped;
use crate::inventory::{Devices, Disk, Interface};

/// Reads a domain's XML; where it is one, what was read is read again from XML made of it.
pub fn domain_xml(data: &[u8]) {
    // As a reply's string is read.
    let Ok(devices) = Devices::parse(&String::from_utf8_lossy(data)) else { return };
    assert!(devices.balloon_period.is_none_or(|period| !period.is_zero()));
    let xml = xml(&devices);
    assert_eq!(Devices::parse(&xml).ok().as_ref(), Some(&devices), "{xml}");
}

fn xml(Devices { vcpus_maximum, disks, interfaces, balloon_period }: &Devices) -> String {
    let mut xml = String::from("<domain>");
    // Writing to a string cannot fail.
    if let Some(vcpus) = vcpus_maximum {
        let _ = write!(xml, "<vcpu>{vcpus}</vcpu>");
    }
    xml.push_str("<devices>");
    for Disk { target, serial, kind } in disks {
        let [target, kind] = [target, kind].map(|text| xml_escaped(text));
        let _ = write!(xml, "<disk type=\"{kind}\"><target dev=\"{target}\"/>");
        if let Some(serial) = serial {
            let _ = write!(xml, "<serial>{}</serial>", xml_escaped(serial));
        }
        xml.push_str("</disk>");
    }
    for Interface { target, mac, is_tap } in interfaces {
        let [target, mac] = [target, mac].map(|text| xml_escaped(text));
        let kind = if *is_tap { "bridge" } else { "vhostuser" };
        let _ = write!(
            xml,
            "<interface type=\"{kind}\"><mac address=\"{mac}\"/><target dev=\"{target}\"/></interface>"
        );
    }
    if let Some(period) = balloon_period {
        let seconds = period.as_secs();
        let _ = write!(xml, "<memballoon><stats period=\"{seconds}\"/></memballoon>");
    }
    xml.push_str("</devices></domain>");
    xml
}
