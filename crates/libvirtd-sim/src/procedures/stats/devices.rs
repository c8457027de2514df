//! Network interfaces and disks: the groups that are counted.

use libvirt_wire::Value;

use super::Record;
use crate::{counters::Requests, instance::Instance};

impl Record<'_> {
    pub(super) fn interfaces(&mut self) {
        if !self.instance.is_active() {
            return;
        }
        let counters = self.counters;
        self.push("net.count", Value::UInt(self.instance.interfaces));
        for interface in 0..self.instance.interfaces {
            let traffic = counters.traffic(interface);
            let tap = self.instance.tap(interface);
            self.push(format!("net.{interface}.name"), Value::String(tap.into()));
            for (field, value) in [
                ("rx.bytes", traffic.rx_bytes),
                ("rx.pkts", traffic.rx_packets),
                ("rx.errs", 0),
                ("rx.drop", traffic.rx_drop),
                ("tx.bytes", traffic.tx_bytes),
                ("tx.pkts", traffic.tx_packets),
                ("tx.errs", 0),
                ("tx.drop", 0),
            ] {
                self.count(format!("net.{interface}.{field}"), value);
            }
        }
    }

    pub(super) fn blocks(&mut self) {
        let is_active = self.instance.is_active();
        let counters = self.counters;
        self.push("block.count", Value::UInt(self.instance.disks));
        for disk in 0..self.instance.disks {
            let (name, path) = (Instance::target(disk), self.instance.disk_path(disk));
            self.push(format!("block.{disk}.name"), Value::String(name.into()));
            self.push(format!("block.{disk}.path"), Value::String(path.into()));
            if is_active {
                let index = Value::UInt(disk.saturating_add(1));
                self.push(format!("block.{disk}.backingIndex"), index);
            }
            // Of a domain that is shut off, libvirt opens the images itself.
            if is_active && !self.monitor {
                continue;
            }
            let requests = counters.requests(disk);
            if is_active {
                let Requests { reads, writes, flushes } = requests;
                for (field, value) in [
                    ("rd.reqs", reads),
                    ("rd.bytes", Requests::bytes(reads)),
                    ("rd.times", Requests::nanoseconds(reads)),
                    ("wr.reqs", writes),
                    ("wr.bytes", Requests::bytes(writes)),
                    ("wr.times", Requests::nanoseconds(writes)),
                    ("fl.reqs", flushes),
                    ("fl.times", Requests::nanoseconds(flushes)),
                ] {
                    self.count(format!("block.{disk}.{field}"), value);
                }
            }
            let capacity = self.instance.flavor.disk_bytes();
            let written = Requests::bytes(requests.writes).min(capacity);
            self.count(format!("block.{disk}.allocation"), written);
            self.count(format!("block.{disk}.capacity"), capacity);
            self.count(format!("block.{disk}.physical"), written);
        }
    }
}
