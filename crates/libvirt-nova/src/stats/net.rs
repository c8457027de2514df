//! A network interface: the group `net`.

use libvirt_wire::Value;

/// The counters of a network interface, as the guest sees its directions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Net {
    /// Its name on the host.
    pub(crate) name: String,
    pub(crate) received_bytes: Option<u64>,
    pub(crate) received_packets: Option<u64>,
    pub(crate) receive_errors: Option<u64>,
    pub(crate) receive_drops: Option<u64>,
    pub(crate) transmitted_bytes: Option<u64>,
    pub(crate) transmitted_packets: Option<u64>,
    pub(crate) transmit_errors: Option<u64>,
    pub(crate) transmit_drops: Option<u64>,
}

impl Net {
    /// Takes a field; returns whether it is known.
    pub(super) fn take(&mut self, field: &str, value: &Value<'_>) -> bool {
        let number = value.unsigned();
        match field {
            "name" => self.name = value.text().unwrap_or_default().to_owned(),
            "rx.bytes" => self.received_bytes = number,
            "rx.pkts" => self.received_packets = number,
            "rx.errs" => self.receive_errors = number,
            "rx.drop" => self.receive_drops = number,
            "tx.bytes" => self.transmitted_bytes = number,
            "tx.pkts" => self.transmitted_packets = number,
            "tx.errs" => self.transmit_errors = number,
            "tx.drop" => self.transmit_drops = number,
            _ => return false,
        }
        true
    }
}
