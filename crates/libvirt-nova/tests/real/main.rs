//! Tests against a real libvirtd with real QEMU guests, as an operator has them.
//!
//! They need root, and what `scripts/install-needs test` installs; `scripts/test` does both.
//! Each test has guests of its own. Most share one libvirtd; those that disturb it have their own.
//! A test boots at most four kernel guests, of 128 MiB each, so two tests at a time need 1.5 GiB.
//!
//! * `fixture`: where everything lives, and that it ends with this process, however that ends
//! * `libvirtd`, `guest`, `virsh`: what is measured, and who else measures it
//! * `exporter`, `http`, `scrape`: who is tested, how it is asked, and what it said
//! * `process`, `wait`: what they all need
//! * the others: the tests, a subject each

// Clippy lets tests panic, and asks this attribute what a test is.
#![cfg(test)]
#![expect(clippy::arithmetic_side_effects, reason = "a test is meant to panic")]

mod agreement;
mod cgroups;
mod change;
mod daemon;
mod exporter;
mod fixture;
mod goodbye;
mod guest;
mod http;
mod libvirtd;
mod names;
mod outage;
mod process;
mod prometheus;
mod scrape;
mod stuck;
mod virsh;
mod wait;
