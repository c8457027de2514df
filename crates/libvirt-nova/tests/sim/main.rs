//! The exporter against a libvirtd that is in trouble, on command: `libvirtd-sim`.
//!
//! They need neither root nor libvirt. Each test has a simulator and an exporter of its own.
//!
//! * `bench`: both, and what is asked of them
//! * `exporter`, `said`: who is tested, and what it says of domains
//! * `page`: a live page that is open
//! * `checked`, `http`, `scrape`, `stall`, `terminal`, `wait`: as the tests against a real libvirtd have them
//! * the others: the tests, a subject each

// Clippy lets tests panic, and asks this attribute what a test is.
#![cfg(test)]
#![expect(clippy::arithmetic_side_effects, reason = "a test is meant to panic")]

mod bench;
mod check;
#[path = "../real/checked.rs"]
mod checked;
mod choice;
mod exporter;
mod faults;
mod flood;
mod host;
#[path = "../real/http.rs"]
mod http;
mod inactive;
mod jobs;
mod live;
mod load;
mod odd;
mod once;
mod outage;
mod page;
mod said;
#[expect(dead_code, reason = "other tests use the rest of it")]
#[path = "../real/scrape.rs"]
mod scrape;
mod series;
mod sharing;
mod slow;
#[path = "../real/stall.rs"]
mod stall;
mod stuck;
mod targets;
#[path = "../real/terminal.rs"]
mod terminal;
mod top;
mod untrue;
#[path = "../real/wait.rs"]
mod wait;
