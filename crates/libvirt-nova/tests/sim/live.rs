//! The live page: what it shows without a scrape, and that it costs libvirtd nothing.

use std::{io::Write, net::TcpStream, thread};

use serde_json::Value;

use crate::{
    bench::Bench,
    http,
    page::Page,
    wait::{PATIENCE, wait_until},
};

#[test]
fn twenty_open_pages_cost_libvirtd_not_one_call() {
    let bench = Bench::new(500);
    bench.whole(500);
    let before = bench.sim.status().calls_total;
    let address = bench.exporter.address;
    let pages: Vec<_> = (0..20).map(|_| Page::open(address)).collect();
    thread::scope(|scope| {
        for mut page in pages {
            scope.spawn(move || {
                assert_eq!(page.board["instances"].as_array().unwrap().len(), 500);
                for _ in 0..3 {
                    assert_eq!(page.next(), "pulse");
                }
                let uuid = page.board["instances"][7]["uuid"].as_str().unwrap();
                let details = format!("/-/instance/{uuid}");
                assert_eq!(http::get(address, &details, "").status, "HTTP/1.1 200 OK");
            });
        }
    });
    assert_eq!(bench.sim.status().calls_total, before);
}

#[test]
fn between_scrapes_a_page_shows_what_the_poll_and_events_tell() {
    let bench = Bench::with(3, &["clock run"], &[]);
    let mut page = Page::open(bench.exporter.address);
    page.until("usage", |board| board["pulse"]["in_use"][2].is_number());
    // Nobody has scraped: of the rest nothing is known, and so it is told.
    let row_1 = row(&page.board, "instance-00000001").unwrap();
    for unknown in ["state", "memory_used", "read_bytes", "received_bytes", "steal"] {
        assert!(row_1[unknown].is_null(), "{unknown}: {row_1:#}");
    }
    assert!(page.board["pulse"]["surveyed"].is_null() && page.board["host"]["cpus"].is_null());
    assert_eq!(row_1["name"], "testing-1");

    let state = |board: &Value, domain: &str| row(board, domain).map(|row| row["state"].clone());
    bench.order("suspend instance-00000002");
    page.until("paused guest", |board| state(board, "instance-00000002") == Some("paused".into()));
    // Nor does it use anything from then on.
    page.until("idle guest", |board| board["pulse"]["in_use"][1] == 0.0);
    bench.order("resume instance-00000002");
    page.until("running guest", |board| {
        state(board, "instance-00000002") == Some("running".into())
    });
    bench.order("metadata instance-00000003 name <b>new</b>");
    page.until("new name", |board| {
        row(board, "instance-00000003").is_some_and(|row| row["name"] == "<b>new</b>")
    });
    bench.order("domains 4");
    page.until("new guest", |board| state(board, "instance-00000004").is_some());
    page.until("usage of it", |board| board["pulse"]["in_use"][3].is_number());
    bench.order("destroy instance-00000001");
    page.until("one less", |board| state(board, "instance-00000001").is_none());
    assert_eq!(page.board["host"]["inactive"], 1);
    for procedure in [20, 212] {
        assert_eq!(bench.sim.calls_of(procedure), 0, "nobody has asked for a state");
    }
}

#[test]
fn a_scrape_is_shown_in_the_next_second() {
    let bench = Bench::with(3, &["clock run"], &["--min-age=0"]);
    let mut page = Page::open(bench.exporter.address);
    bench.scrape();
    page.until("memory", |board| board["instances"][0]["memory_used"].is_number());
    assert!(page.board["instances"][0]["read_bytes"].is_null(), "one scrape is no rate");
    assert_eq!(page.board["instances"][0]["state"], "running");
    page.until("age", |board| board["pulse"]["surveyed"].as_f64() > Some(0.5));
    bench.scrape();
    page.until("rates", |board| board["instances"][0]["read_bytes"].is_number());
    for (field, least, most) in [
        ("read_bytes", 1.0, 1e9),
        ("write_requests", 0.1, 1e6),
        ("received_bytes", 1.0, 1e9),
        ("steal", 0.001, 0.1),
    ] {
        let value = page.board["instances"][0][field].as_f64().unwrap();
        assert!((least..most).contains(&value), "{field}: {value}");
    }
    let uuid = page.board["instances"][0]["uuid"].as_str().unwrap();
    let details = http::get(bench.exporter.address, &format!("/-/instance/{uuid}"), "").body;
    let details: Value = serde_json::from_str(&details).unwrap();
    assert_eq!(details["disks"][0]["target"], "vda");
    assert_eq!(details["disks"][0]["read_bytes"], page.board["instances"][0]["read_bytes"]);
    assert_eq!(details["vcpus"][0]["steal"], page.board["instances"][0]["steal"]);
    assert_eq!(details["interfaces"][0]["mac"], "fa:16:3e:00:00:01");
    assert_eq!(details["reason"], "booted");
}

#[test]
fn a_stuck_guest_is_told_of_for_as_long_as_it_is_stuck() {
    let bench = Bench::with(3, &["clock run"], &["--min-age=0"]);
    bench.scrape();
    let mut page = Page::open(bench.exporter.address);
    bench.order("stuck instance-00000002");
    bench.scrape();
    page.until("stuck guest", |board| board["pulse"]["stuck"][0][0] == 1);
    let seconds = page.board["pulse"]["stuck"][0][1].as_f64().unwrap();
    assert!((5.0..30.0).contains(&seconds), "{seconds}");
    assert!(page.board["pulse"]["in_use"][1].is_number(), "its CPU time needs no QEMU");
    bench.order("continue *");
    page.until("end of it", |board| board["pulse"]["stuck"].as_array().unwrap().is_empty());
}

#[test]
fn a_page_says_that_libvirtd_is_gone_and_since_when() {
    let bench = Bench::with(3, &["clock run"], &[]);
    let mut page = Page::open(bench.exporter.address);
    let is = |board: &Value, state: &str| board["pulse"]["libvirt"]["state"] == state;
    page.until("usage", |board| board["pulse"]["in_use"][0].is_number());
    let ready = || http::get(bench.exporter.address, "/-/ready", "");
    assert_eq!(ready().body, "ready\n");

    bench.order("down");
    page.until("outage", |board| is(board, "down"));
    let libvirt = &page.board["pulse"]["libvirt"];
    let error = libvirt["error"].as_str().unwrap();
    assert!(error.contains("cannot connect to"), "{error}");
    let since = libvirt["since"].as_f64().unwrap();
    let reason = ready().body;
    assert!(reason.starts_with("not ready: cannot connect to"), "{reason}");
    // Who was there is remembered, what they use is not.
    page.until("silence", |board| board["pulse"]["in_use"][0].is_null());
    assert_eq!(page.board["instances"].as_array().unwrap().len(), 3);
    assert_eq!(page.board["pulse"]["libvirt"]["since"], since, "the outage goes on");
    bench.order("up");
    page.until("return", |board| is(board, "up") && board["pulse"]["in_use"][0].is_number());
    assert_eq!(ready().body, "ready\n");

    bench.order("freeze");
    page.until("silent libvirtd", |board| is(board, "silent"));
    bench.order("thaw");
    page.until("return", |board| is(board, "up") && board["pulse"]["in_use"][0].is_number());
}

/// Nobody is polled then, and it is known nevertheless whether libvirtd answers.
#[test]
fn a_host_without_guests_is_no_outage() {
    let bench = Bench::with(0, &[], &[]);
    let mut page = Page::open(bench.exporter.address);
    page.until("word of the guests", |board| board["host"]["is_listed"] == true);
    let polled = |board: &Value| board["pulse"]["polled"].as_f64();
    for _ in 0..6 {
        page.next();
        assert_eq!(page.board["pulse"]["libvirt"]["state"], "up", "{:#}", page.board);
    }
    assert!(polled(&page.board) < Some(3.0), "{:#}", page.board);
    bench.order("freeze");
    page.until("silence", |board| board["pulse"]["libvirt"]["state"] == "silent");
    assert!(polled(&page.board) > Some(1.0), "{:#}", page.board);
    let ready = http::get(bench.exporter.address, "/-/ready", "").body;
    assert!(ready.starts_with("not ready: libvirtd says nothing for "), "{ready}");
    bench.order("thaw");
    page.until("its end", |board| board["pulse"]["libvirt"]["state"] == "up");
}

#[test]
fn a_libvirtd_that_is_restarted_costs_no_guest_what_was_seen_of_it() {
    let bench = Bench::with(3, &["clock run"], &["--min-age=0"]);
    let count = || {
        let domain = [("libvirtname", "instance-00000001"), ("le", "+Inf")];
        bench.scrape().get("libvirt_nova_instance_vcpu_utilization", &domain)
    };
    let (before, _) = wait_until(PATIENCE, "observations", || count().filter(|it| *it >= 3.0));
    let mut page = Page::open(bench.exporter.address);
    bench.order("restart");
    wait_until(PATIENCE, "more of them", || {
        let after = count();
        assert!(after.is_none_or(|after| after >= before), "{after:?} after {before}");
        after.filter(|after| *after > before)
    });
    page.until("return", |board| board["pulse"]["in_use"][0].is_number());
    // Nor has the minute been forgotten.
    let board = Page::open(bench.exporter.address).board;
    let recent = board["recent"][0].as_array().unwrap();
    assert!(recent.iter().filter(|second| second.is_number()).count() >= 3, "{recent:?}");
}

#[test]
fn before_the_first_word_of_libvirtd_nobody_knows_of_any_guest() {
    let mut bench = Bench::with(3, &["down"], &[]);
    let mut page = Page::open(bench.exporter.address);
    page.until("outage", |board| board["pulse"]["libvirt"]["state"] == "down");
    assert_eq!(page.board["host"]["is_listed"], false);
    assert!(page.board["pulse"]["polled"].is_null());
    bench.exporter.assert_alive();
    bench.order("up");
    page.until("guests", |board| board["host"]["is_listed"] == true);
    page.until("three", |board| board["instances"].as_array().unwrap().len() == 3);
}

/// A migration's passes, a failing disk: what a guest's row does not show makes no board.
#[test]
fn events_that_change_nothing_that_is_shown_are_no_boards() {
    let bench = Bench::with(3, &["clock run"], &[]);
    let mut page = Page::open(bench.exporter.address);
    page.until("usage", |board| board["pulse"]["in_use"][0].is_number());
    for _ in 0..4 {
        bench.order("watchdog instance-00000002");
        assert_eq!(page.next(), "pulse");
    }
}

/// The exporter's peers are many, and some of them are closed lids.
#[test]
fn a_page_that_takes_nothing_any_more_is_dropped() {
    let bench = Bench::with(1000, &["clock run"], &["--min-age=0", "-interval=0"]);
    bench.scrape();
    let descriptors = bench.exporter.descriptors();
    let mut sleeper = TcpStream::connect(bench.exporter.address).unwrap();
    sleeper.write_all(b"GET /-/live HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    wait_until(PATIENCE, "an open page", || {
        (bench.exporter.descriptors() > descriptors).then_some(())
    });
    // Its first board is half a megabyte; what the system keeps of it is a tenth.
    wait_until(PATIENCE, "a dropped page", || {
        (bench.exporter.descriptors() <= descriptors).then_some(())
    });
    // Another one is served meanwhile.
    Page::open(bench.exporter.address);
}

#[test]
fn what_a_bug_report_needs_is_told() {
    let bench = Bench::new(3);
    bench.whole(3);
    bench.order("down");
    bench.scrape();
    let debug = wait_until(PATIENCE, "an outage", || {
        let debug = http::get(bench.exporter.address, "/debug", "").body;
        debug.contains("down: cannot connect to").then_some(debug)
    })
    .0;
    for fact in
        ["libvirt_nova ", "--interval", "last scrape", "ConnectGetAllDomainStats", "hung up"]
    {
        assert!(debug.contains(fact), "{fact}: {debug}");
    }
    assert!(!debug.contains("testing-1") && !debug.contains("alice"), "{debug}");
}

/// The row of an instance, by libvirt's name.
fn row<'b>(board: &'b Value, domain: &str) -> Option<&'b Value> {
    board["instances"].as_array().unwrap().iter().find(|row| row["domain"] == domain)
}
