//! Each fault in each procedure: nothing wrong is told, and nothing is broken for good.

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

use crate::{
    bench::Bench,
    said::Said,
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

/// Whom a fault may cost samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Nobody.
    Nobody,
    /// The domain that it strikes, and that must lack something.
    Domain,
    /// Everybody in the same reply, or with a call under way on the same connection.
    Connection,
}

use Reach::{Connection, Domain, Nobody};

/// What goes wrong, whom it may cost samples, and whether calls stay unanswered for good: then it
/// takes another libvirtd for all to be well.
const FAULTS: &[(&str, Reach, bool)] = &[
    ("late 50ms", Nobody, false),
    ("after 1", Nobody, false),
    ("twice", Nobody, false),
    ("stray", Nobody, false),
    ("pieces 7", Nobody, false),
    ("late 3s", Domain, false),
    ("error 38", Domain, false),
    ("error 39", Domain, false),
    ("error 42", Domain, false),
    ("error 55", Domain, false),
    ("error 68", Domain, false),
    ("error 88", Domain, false),
    ("program 7", Domain, false),
    ("procedure 61", Domain, false),
    ("status 1", Domain, false),
    ("count 4294967295", Domain, false),
    ("count 16385", Domain, false),
    ("word 32 4294967295", Domain, false),
    ("value-type 8", Domain, false),
    ("never", Domain, true),
    ("status 2", Domain, true),
    ("type 2", Domain, true),
    ("type 9", Domain, true),
    ("serial 12345", Domain, true),
    // These take their time, and other calls wait for them.
    ("pieces 1", Connection, false),
    ("pad 33554436", Connection, false),
    // In the names of all in the reply.
    ("utf8", Connection, false),
    ("silence", Connection, true),
    ("cut 0", Connection, false),
    ("cut 1", Connection, false),
    ("cut 20", Connection, false),
    ("cut 28", Connection, false),
    ("cut 60", Connection, false),
    ("length 0", Connection, false),
    ("length 27", Connection, false),
    ("length 33554437", Connection, false),
    ("length 4294967295", Connection, false),
    ("restart 0", Connection, false),
    ("restart 40", Connection, false),
];

const DOMAINS: u32 = 12;
const FAULTY: &str = "instance-00000001";

#[test]
fn faults_in_statistics() {
    each(4, |bench, whole, fault, reach| {
        let lacking = strike(bench, whole, 344, FAULTY, fault, reach);
        if !fault.starts_with("pad") && fault != "pieces 1" {
            assert_eq!(lacking, reach != Nobody, "what it lacks");
        }
    });
}

#[test]
fn faults_in_cpu_times() {
    each(4, |bench, whole, fault, reach| {
        let lacking = strike(bench, whole, 262, FAULTY, fault, reach);
        // There is no name in it.
        if !["utf8", "pad", "pieces 1"].iter().any(|kind| fault.starts_with(kind)) {
            assert_eq!(lacking, reach != Nobody, "what it lacks");
        }
    });
}

/// Where guests run without cgroups.
#[test]
fn faults_in_cpu_times_of_processes() {
    each_with(8, &["fault 262 * error 55"], |bench, whole, fault, reach| {
        let lacking = strike(bench, whole, 16, FAULTY, fault, reach);
        // It has neither counts nor texts, so of these nobody can know; and it has 60 bytes.
        let harmless = ["utf8", "pad", "pieces 1", "value-type", "count", "word", "cut 60"];
        if !harmless.iter().any(|kind| fault.starts_with(kind)) {
            assert_eq!(lacking, reach != Nobody, "what it lacks");
        }
    });
}

#[test]
fn faults_in_control_info() {
    each(4, |bench, whole, fault, reach| {
        strike(bench, whole, 229, FAULTY, fault, reach);
    });
}

#[test]
fn faults_in_metadata() {
    each(4, |bench, whole, fault, reach| {
        strike(bench, whole, 265, FAULTY, fault, reach);
    });
}

#[test]
fn faults_in_xml() {
    each(4, |bench, whole, fault, reach| {
        strike(bench, whole, 14, FAULTY, fault, reach);
    });
}

/// One that migrates, so that there is something in it.
#[test]
fn faults_in_jobs_cost_jobs_alone() {
    let migrates = format!("migrate {FAULTY}");
    each_with(4, &[&migrates], |bench, whole, fault, reach| {
        // The first word is what kind of job it is, and libvirt may have more of them.
        if fault.starts_with("count") {
            return;
        }
        let jobs = |family: &str| ["job_info_", "migration_"].iter().any(|it| family.contains(it));
        let lacking = strike_and(bench, whole, 298, FAULTY, fault, reach, |said| {
            if reach != Connection {
                let (all, left) = (whole.families_of(FAULTY), said.families_of(FAULTY));
                let lost = all.iter().filter(|family| !left.contains(*family) && !jobs(family));
                assert_eq!(lost.count(), 0, "{left:?}");
            }
        });
        if !["utf8", "pad", "pieces 1"].iter().any(|kind| fault.starts_with(kind)) {
            assert_eq!(lacking, reach != Nobody, "what it lacks");
        }
    });
}

/// Of a domain that does not run, nothing but its state is asked each time.
#[test]
fn faults_in_states_cost_states_alone() {
    let off = format!("destroy {FAULTY}");
    let state = |family: &str| family.contains("_state");
    thread::scope(|scope| {
        for first in 0..4 {
            let off = &off;
            scope.spawn(move || {
                let bench = Bench::with(DOMAINS, &[off], &["--min-age=0", "-interval=0"]);
                let all = || {
                    let scrape = bench.scrape();
                    let running = scrape.samples("libvirt_domain_job_info_type", &[]).len();
                    let is_whole = scrape.state(FAULTY) == Some("shutoff") && running == 11;
                    is_whole.then(|| Said::of(&scrape))
                };
                let whole = wait_until(PATIENCE, "all of all domains", all).0;
                for (fault, reach, lasts) in FAULTS.iter().skip(first).step_by(4) {
                    let _named = Named(fault);
                    // Its two words are state and reason, which nobody can know better; and on its
                    // connection nothing else is asked until it has come.
                    if ["count", "word", "after"].iter().any(|it| fault.starts_with(it)) {
                        continue;
                    }
                    strike_and(&bench, &whole, 212, FAULTY, fault, *reach, |said| {
                        if *reach != Connection {
                            let (all, left) = (whole.families_of(FAULTY), said.families_of(FAULTY));
                            let lost = all.difference(&left).filter(|family| !state(family));
                            assert_eq!(lost.count(), 0, "{left:?}");
                        }
                    });
                    if *lasts {
                        bench.order("restart");
                    }
                    wait_until(PATIENCE, "the same as before", || {
                        all().filter(|said| *said == whole)
                    });
                }
            });
        }
    });
}

#[test]
fn faults_in_the_list() {
    each(4, |bench, whole, fault, reach| {
        // The list that was there before has to do.
        let reach = if reach == Domain { Nobody } else { reach };
        strike(bench, whole, 273, "*", fault, reach);
    });
}

#[test]
fn faults_in_coming_in() {
    // They wait most of the time.
    each(12, |bench, whole, fault, _| {
        for procedure in [66, 60, 1, 316, 59] {
            come_in(bench, whole, &format!("{procedure} * {fault}"));
        }
    });
}

#[test]
fn connections_that_are_accepted_and_no_more() {
    let bench = Bench::new(DOMAINS);
    let whole = bench.whole(DOMAINS);
    for fault in ["silence", "never", "late 50ms", "late 3s", "cut 0", "restart 0"] {
        let named = Named(fault);
        come_in(&bench, &whole, &format!("accept * {fault}"));
        drop(named);
    }
}

/// Orders a fault for those who come, has them come anew, and clears it.
fn come_in(bench: &Bench, whole: &Said, fault: &str) {
    let lines = bench.exporter.log().len();
    bench.order(&format!("fault {fault}"));
    bench.order("restart");
    let count = scrapes(bench, |scrape| {
        let said = Said::of(&scrape);
        assert_eq!(scrape.up(), !said.is_empty());
        // Where libvirtd does not tell the host's name there is none to be shown, and of one
        // with other letters nobody can know.
        if !fault.starts_with("59 * error") && !fault.starts_with("59 * word") {
            said.lacks(whole);
        }
    });
    let log = bench.exporter.log();
    // The end, an attempt that fails and one that does not, calls that want another connection.
    assert!(log.len() <= lines + 6, "{fault}, {count} scrapes: {:#?}", &log[lines..]);
    bench.order("clear");
    bench.order("restart");
    assert_eq!(bench.whole(DOMAINS), *whole, "after {fault}");
}

/// Orders a fault, sees what is said, and clears it. Returns whether the faulty domain lacked
/// something in the end.
fn strike(
    bench: &Bench,
    whole: &Said,
    procedure: u32,
    domain: &str,
    fault: &str,
    reach: Reach,
) -> bool {
    strike_and(bench, whole, procedure, domain, fault, reach, |_| {})
}

/// The same, and looks at what is said meanwhile.
fn strike_and(
    bench: &Bench,
    whole: &Said,
    procedure: u32,
    domain: &str,
    fault: &str,
    reach: Reach,
    look: impl Fn(&Said),
) -> bool {
    let mut lacked = BTreeSet::new();
    bench.order(&format!("fault {procedure} {domain} {fault}"));
    let lines = bench.exporter.log().len();
    let count = scrapes(bench, |scrape| {
        let said = Said::of(&scrape);
        lacked = said.lacks(whole);
        look(&said);
        let faulty = BTreeSet::from([FAULTY.to_owned()]);
        match reach {
            Connection => assert_eq!(scrape.up(), !said.is_empty()),
            Domain => assert!(scrape.up() && lacked.is_subset(&faulty), "{lacked:?}"),
            Nobody => assert!(scrape.up() && lacked.is_empty(), "{lacked:?}"),
        }
        // Metadata and XML are read again.
        bench.order("flood 2");
    });
    let log = bench.exporter.log();
    // Of the end of a connection, of the next one, and of calls that want another.
    let lines_max = if reach == Connection { 2 * 3 } else { 1 };
    assert!(log.len() <= lines + lines_max, "{count} scrapes: {:#?}", &log[lines..]);
    bench.order("clear");
    bench.order("flood 2");
    lacked.contains(FAULTY)
}

/// Has each fault treated by `treat`, on so many benches at a time; after each, all is well again.
fn each(benches: usize, treat: impl Fn(&Bench, &Said, &'static str, Reach) + Sync) {
    each_with(benches, &[], treat);
}

/// The same where `commands` are obeyed before the exporters start.
pub(crate) fn each_with(
    benches: usize,
    commands: &[&str],
    treat: impl Fn(&Bench, &Said, &'static str, Reach) + Sync,
) {
    thread::scope(|scope| {
        for first in 0..benches {
            let treat = &treat;
            scope.spawn(move || {
                let args = ["--min-age=0", "-interval=0"];
                let mut bench = Bench::with(DOMAINS, commands, &args);
                let whole = bench.whole(DOMAINS);
                let descriptors = bench.exporter.descriptors();
                for (fault, reach, lasts) in FAULTS.iter().skip(first).step_by(benches) {
                    let _named = Named(fault);
                    treat(&bench, &whole, fault, *reach);
                    if *lasts {
                        bench.order("restart");
                    }
                    assert_eq!(bench.whole(DOMAINS), whole);
                    bench.exporter.assert_alive();
                    // A scrape's own connection may be there still.
                    wait_until(PATIENCE, "no more descriptors than before", || {
                        (bench.exporter.descriptors() <= descriptors + 2).then_some(())
                    });
                }
                let peak = bench.exporter.memory_peak() >> 20;
                assert!(peak < MEMORY_MAX, "{peak} MiB");
            });
        }
    });
}

/// Whether calls stay unanswered for good.
pub(crate) fn lasts(fault: &str) -> bool {
    FAULTS.iter().any(|(known, _, lasts)| *known == fault && *lasts)
}

/// Tells which fault it was that something went wrong with.
pub(crate) struct Named(pub(crate) &'static str);

impl Drop for Named {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("by the fault {:?}", self.0);
        }
    }
}

/// Scrapes a few times. Returns how often.
fn scrapes(bench: &Bench, mut look: impl FnMut(Scrape)) -> usize {
    let began = Instant::now();
    let mut count = 0;
    while count < 2 || (count < 30 && began.elapsed() < Duration::from_secs(1)) {
        look(bench.scrape());
        count += 1;
    }
    count
}

/// In MiB: some replies of 32 MiB at once, and no more.
const MEMORY_MAX: u64 = 200;
