//! Tests of the binary as an operator meets it: flags, exit statuses, what goes over the wire.
//!
//! They need no libvirtd: the socket that they name does not exist.

// Clippy lets tests panic, and asks this attribute what a test is.
#![cfg(test)]

mod check;
#[expect(dead_code, reason = "other tests use the rest of it")]
#[path = "../real/checked.rs"]
mod checked;
#[expect(dead_code, reason = "other tests use the rest of it")]
#[path = "../real/dashboard.rs"]
mod dashboard;
mod dashboards;
mod flags;
mod http;
mod links;
mod program;
mod systemd;
