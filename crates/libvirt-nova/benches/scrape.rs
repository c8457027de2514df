//! How long the steps of a scrape take, and how often memory is asked for.
//!
//! `cargo bench -p libvirt-nova --features bench`; what does not depend on the machine's mood
//! is counted by `scripts/instructions`.

use divan::{AllocProfiler, Bencher, black_box, counter::BytesCount, counter::ItemsCount};
use libvirt_nova::bench::{Host, Measured, Reply, Statistics};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Ten replies of five domains each, which is how a survey asks for fifty.
#[divan::bench]
fn packets(bencher: Bencher<'_, '_>) {
    let stream = Reply::new(5).stream(10);
    bencher.counter(BytesCount::new(stream.len())).bench(|| Reply::split(black_box(&stream)));
}

/// From libvirtd's bytes to what is kept of so many domains.
#[divan::bench(args = [50, 500])]
fn decoder(bencher: Bencher<'_, '_>, domains: u32) {
    let reply = Reply::new(domains);
    bencher
        .counter(ItemsCount::new(domains))
        .counter(BytesCount::new(reply.size()))
        .bench(|| Statistics::new(&black_box(&reply).decode()));
}

/// The first of its two steps.
#[divan::bench(args = [50, 500])]
fn decoder_wire(bencher: Bencher<'_, '_>, domains: u32) {
    let reply = Reply::new(domains);
    bencher
        .counter(ItemsCount::new(domains))
        .counter(BytesCount::new(reply.size()))
        .bench(|| black_box(&reply).decode());
}

/// The second.
#[divan::bench(args = [50, 500])]
fn decoder_fields(bencher: Bencher<'_, '_>, domains: u32) {
    let reply = Reply::new(domains);
    let decoded = reply.decode();
    let fields: usize = decoded.records.iter().map(|record| record.params.len()).sum();
    bencher.counter(ItemsCount::new(fields)).bench(|| Statistics::new(black_box(&decoded)));
}

/// What was found of so many domains, put together.
#[divan::bench(args = [50, 500])]
fn snapshot(bencher: Bencher<'_, '_>, domains: u32) {
    let host = Host::new(domains);
    bencher
        .counter(ItemsCount::new(domains))
        .with_inputs(|| host.find())
        .bench_values(|found| host.measure(found));
}

/// A scrape of so many domains, of some 120 samples each.
#[divan::bench(args = [50, 500])]
fn exposition(bencher: Bencher<'_, '_>, domains: u32) {
    let host = Host::new(domains);
    let measured = host.measure(host.find());
    let text = pieces(&measured).concat();
    let samples = text.lines().filter(|line| !line.starts_with('#')).count();
    bencher
        .counter(ItemsCount::new(samples))
        .counter(BytesCount::new(text.len()))
        .bench(|| measured.expose(drop));
}

/// Its compression.
#[divan::bench(args = [50, 500])]
fn gzip(bencher: Bencher<'_, '_>, domains: u32) {
    let host = Host::new(domains);
    let pieces = pieces(&host.measure(host.find()));
    bencher
        .counter(BytesCount::new(pieces.iter().map(String::len).sum::<usize>()))
        .with_inputs(|| pieces.clone())
        .bench_values(Measured::compress);
}

fn pieces(measured: &Measured) -> Vec<String> {
    let mut pieces = Vec::new();
    measured.expose(|piece| pieces.push(piece));
    pieces
}
