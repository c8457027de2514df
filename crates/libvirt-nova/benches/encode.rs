//! How long the text of a scrape takes, and how often memory is asked for.
//!
//! `cargo bench -p libvirt-nova --features bench`

use divan::{AllocProfiler, Bencher, counter::BytesCount, counter::ItemsCount};
use libvirt_nova::bench::Host;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// A scrape of so many domains, of some 120 samples each.
#[divan::bench(args = [50, 500])]
fn exposition(bencher: Bencher<'_, '_>, domains: u32) {
    let host = Host::new(domains);
    let mut text = String::new();
    host.expose(|piece| text.push_str(&piece));
    let samples = text.lines().filter(|line| !line.starts_with('#')).count();
    bencher
        .counter(ItemsCount::new(samples))
        .counter(BytesCount::new(text.len()))
        .bench(|| host.expose(drop));
}
