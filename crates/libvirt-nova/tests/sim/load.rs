//! Much at once: memory has a bound whatever libvirtd sends.

use std::time::Duration;

use crate::{
    bench::Bench,
    http,
    said::Said,
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

#[test]
fn a_flood_of_events_is_survived() {
    let bench = Bench::new(12);
    let whole = bench.whole(12);
    let lines = bench.exporter.log().len();
    for _ in 0..3 {
        bench.order("flood 100000");
        bench.order("message 9999");
        // Whether there is time for the list behind it or not.
        Said::of(&bench.scrape()).lacks(&whole);
    }
    assert_eq!(bench.whole(12), whole);
    assert_eq!(bench.exporter.log().len(), lines, "{:#?}", bench.exporter.log());
    let peak = bench.exporter.memory_peak();
    assert!(peak < 64 * MIB, "{} MiB", peak / MIB);
}

#[test]
fn the_longest_replies_in_tiny_pieces_take_no_more_memory_than_they_have() {
    let mut bench = Bench::new(12);
    let whole = bench.whole(12);
    for procedure in [344, 262, 229, 265, 14, 273, 59] {
        // Half as many bytes for each of the two, so that it is over within the deadline.
        bench.order(&format!("fault {procedure} * pad 33554436"));
        bench.order(&format!("fault {procedure} * pieces 4096"));
        bench.order("flood 2");
        for _ in 0..2 {
            let said = Said::of(&bench.scrape());
            said.lacks(&whole);
        }
        bench.exporter.assert_alive();
        bench.order("clear");
        wait_until(PATIENCE, "a whole scrape after long replies", || {
            Said::of(&bench.scrape()).lacks(&whole).is_empty().then_some(())
        });
    }
    let peak = bench.exporter.memory_peak();
    // Four calls in flight on each of three connections, of 32 MiB each.
    assert!(peak < 12 * 32 * MIB, "{} MiB", peak / MIB);
}

#[test]
fn ten_thousand_domains_fit_into_one_scrape() {
    let bench = Bench::with(10_000, &[], &["--min-age=0", "-interval=0"]);
    let ((said, body), _) = wait_until(Duration::from_secs(240), "all of 10,000 domains", || {
        let header = "X-Prometheus-Scrape-Timeout-Seconds: 60\r\n";
        let scrape = Scrape::new(http::get(bench.exporter.address, "/metrics", header));
        let said = Said::of(&scrape);
        said.is_whole(10_000).then_some((said, scrape.response.body.len()))
    });
    said.assert_right(crate::bench::MOMENT);
    let peak = bench.exporter.memory_peak();
    // It never holds its whole text, besides what it knows of each domain.
    let text = u64::try_from(body).unwrap();
    assert!(text > 120 * MIB, "{} MiB", text / MIB);
    assert!(peak < 250 * MIB, "{} MiB", peak / MIB);
}

const MIB: u64 = 1 << 20;
