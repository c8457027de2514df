//! The steps of a scrape, one a process and once each, for `scripts/instructions` to count.
//!
//! Without an argument it prints what there is to count. A name's number is that of the domains.

use std::{env, hint::black_box, process::ExitCode};

use libvirt_nova::bench::{Host, Measured, Reply, Statistics};

fn main() -> ExitCode {
    let mut names = env::args().skip(1);
    let Some(name) = names.next() else {
        SUBJECTS.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    };
    let Some((_, run)) = SUBJECTS.iter().find(|(known, _)| *known == name) else {
        eprintln!("instructions: there is no subject {name}");
        return ExitCode::from(2);
    };
    run();
    ExitCode::SUCCESS
}

const SUBJECTS: &[(&str, fn())] = &[
    ("decoder_50", || {
        let reply = Reply::new(50);
        counted(|| Statistics::new(&reply.decode()));
    }),
    ("decoder_wire_50", || {
        let reply = Reply::new(50);
        counted(|| reply.decode());
    }),
    ("decoder_fields_50", || {
        let reply = Reply::new(50);
        let decoded = reply.decode();
        counted(|| Statistics::new(&decoded));
    }),
    ("exposition_50", || exposition(50)),
    ("exposition_500", || exposition(500)),
    ("gzip_50", || {
        let host = Host::new(50);
        let mut pieces = Vec::new();
        host.measure(host.find()).expose(|piece| pieces.push(piece));
        counted(|| Measured::compress(pieces));
    }),
    ("packets_50", || {
        let stream = Reply::new(5).stream(10);
        counted(|| Reply::split(&stream));
    }),
    ("snapshot_50", || snapshot(50)),
    ("snapshot_500", || snapshot(500)),
];

fn exposition(domains: u32) {
    let host = Host::new(domains);
    let measured = host.measure(host.find());
    counted(|| measured.expose(drop));
}

fn snapshot(domains: u32) {
    let host = Host::new(domains);
    let found = host.find();
    counted(|| host.measure(found));
}

/// What is done in here is counted: callgrind is told this function's name.
#[inline(never)]
fn counted<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}
