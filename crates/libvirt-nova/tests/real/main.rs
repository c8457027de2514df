//! Tests against a real libvirtd with real QEMU guests, as an operator has them.
//!
//! They need root, and what `scripts/install-needs test` installs; `scripts/test` does both.
//! Each test has a libvirtd of its own, and guests in it: a guest that starts or ends holds up
//! libvirtd's answers about all of them, so tests that shared one would disturb each other.
//! A test has at most one kernel guest, of 128 MiB, or 16 of firmware alone, of 32 MiB each.
//!
//! * `fixture`: where everything lives, and that it ends with this process, however that ends
//! * `libvirtd`, `guest`, `virsh`: what is measured, and who else measures it
//! * `machine`: a clean Debian that its own systemd boots
//! * `exporter`, `http`, `page`, `scrape`, `checked`: who is tested, how it is asked, and what it said
//! * `terminal`: what people see of it
//! * `process`, `wait`, `stall`: what they all need
//! * the others: the tests, a subject each

// Clippy lets tests panic, and asks this attribute what a test is.
#![cfg(test)]
#![expect(clippy::arithmetic_side_effects, reason = "a test is meant to panic")]

mod agreement;
mod bare;
mod cgroups;
mod change;
mod check;
mod checked;
mod cpu;
mod created;
mod crowd;
mod daemon;
mod dashboard;
mod dashboards;
mod debian;
mod event;
mod exporter;
mod fixture;
mod goodbye;
mod guest;
mod held;
mod host;
mod http;
mod join;
mod labels;
mod libvirtd;
mod machine;
mod migration;
mod mission;
mod names;
mod option;
mod outage;
#[path = "../sim/page.rs"]
mod page;
mod process;
mod prometheus;
mod public_dashboards;
mod queries;
mod remote;
mod rules;
mod scrape;
mod security;
mod service;
mod stall;
mod state;
mod stuck;
#[expect(dead_code, reason = "the tests against the simulator use the rest of it")]
mod terminal;
mod tinkoff;
mod top;
mod usage;
mod virsh;
mod wait;
mod whole;
