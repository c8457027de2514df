//! What is known of a target beyond a session with it.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

use super::{CONNECT_CLOSE, DOMAINS, Fleet, text};
use crate::{
    said::Said,
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

const GUEST: &str = "instance-00000002";

/// How often a watchdog bit, as a scrape has it.
fn bites(scrape: &Scrape) -> f64 {
    assert!(Said::of(scrape).is_whole(DOMAINS), "{}", scrape.response.body);
    let labels = [("domain", GUEST), ("event", "watchdog")];
    scrape.get("libvirt_domain_events_total", &labels).unwrap_or(0.0)
}

#[test]
fn what_happens_is_counted_on_in_the_next_session_and_under_other_labels() {
    let fleet = Fleet::new(2, &["--targets.idle=1s"]);
    let mut seen = 0.0;
    for round in 0..3 {
        assert_eq!(bites(&fleet.probe(0)), seen, "in round {round}");
        wait_until(PATIENCE, "an event that somebody heard", || {
            fleet.order(0, &format!("watchdog {GUEST}"));
            let now = bites(&fleet.probe(0));
            (std::mem::replace(&mut seen, now) < now).then_some(())
        });
        if round == 1 {
            let labels = "    labels: {az: nova}\n";
            fleet.rewrite(&text(&fleet.sims).replacen("  t1:", &format!("{labels}  t1:"), 1));
            let labelled = fleet.probe(0);
            assert!(!labelled.samples("libvirt_up", &[("az", "nova")]).is_empty());
            assert_eq!(bites(&labelled), seen);
        }
        fleet.until(0, "its connections closed", |status| status.connections == 0);
    }
    // Its guests have the same names, and are other ones.
    let other = fleet.sims[1].read_only_socket();
    fleet.rewrite(&format!("targets:\n  t0:\n    uri: {}\n", other.display()));
    assert_eq!(bites(&fleet.probe(0)), 0.0, "another libvirtd");
}

#[test]
fn a_session_in_which_a_call_hangs_is_kept_and_its_guest_told_of_once() {
    let fleet = Fleet::new(2, &["--targets.idle=1s"]);
    assert!(Said::of(&fleet.probe(0)).is_whole(DOMAINS));
    fleet.order(0, &format!("stuck {GUEST}"));
    let told = || fleet.said("does not answer libvirt").len();
    let abandoned = || fleet.probe(0).value("libvirt_nova_exporter_rpc_abandoned", &[]);
    wait_until(PATIENCE, "a call that hangs, and a line of it", || {
        (abandoned() > 0.0 && told() > 0).then_some(())
    });
    // Whoever is probed later is left later.
    assert!(fleet.probe(1).up());
    fleet.until(1, "its connections closed", |status| status.connections == 0);
    assert_eq!((fleet.connected(0), fleet.connected(1)), (1.0, 0.0));
    assert_eq!(fleet.sims[0].calls_of(CONNECT_CLOSE), 0, "goodbyes");
    assert!(abandoned() > 0.0);

    // Nothing keeps a session under other labels.
    fleet.rewrite(&text(&fleet.sims).replacen("  t1:", "    labels: {az: nova}\n  t1:", 1));
    let labelled = fleet.probe(0);
    assert!(!labelled.samples("libvirt_up", &[("az", "nova")]).is_empty());
    assert!(!Said::of(&labelled).is_whole(DOMAINS));
    assert_eq!(told(), 1, "{:#?}", fleet.said("target=t0"));

    fleet.order(0, &format!("continue {GUEST}"));
    wait_until(PATIENCE, "word of its recovery", || {
        fleet.probe(0);
        (!fleet.said("answers libvirt again").is_empty()).then_some(())
    });
    fleet.until(0, "its connections closed", |status| status.connections == 0);
    assert_eq!(told(), 1, "{:#?}", fleet.said("target=t0"));
}

/// Each attempt is the first one of another session, which begins at once.
#[test]
fn a_program_that_says_another_thing_each_time_is_told_of_a_few_times() {
    let fleet = Fleet::new(0, &[]);
    let script = fleet.file.with_file_name("script");
    let count = fleet.file.with_file_name("count");
    let lines = format!(
        "#!/bin/sh\necho x >> {0}\necho a banner >&2\nwc -l < {0} | sed 's/^/it is /' >&2\nexit 1\n",
        count.display()
    );
    fs::write(&script, lines).unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
    let uri = format!("qemu+ext:///system?command={}", script.display());
    let reasons = || {
        let mut lines = fleet.said("it is ");
        lines.retain(|line| line.contains("cannot connect"));
        lines
    };
    for round in 0..15 {
        fleet.rewrite(&format!("targets:\n  t0:\n    uri: {uri}\n    labels: {{r: r{round}}}\n"));
        assert!(!fleet.probe(0).up());
    }
    wait_until(PATIENCE, "word of it", || {
        (!fleet.said("changes again and again").is_empty()).then_some(())
    });
    assert!(fs::read_to_string(&count).unwrap().lines().count() >= 15);
    assert_eq!(reasons().len(), 6, "{:#?}", reasons());
    assert_eq!(fleet.said("changes again and again").len(), 1);
    let banner = fleet.said("a banner");
    assert_eq!(banner.len(), 1);
    for line in banner.into_iter().chain(reasons()) {
        assert_eq!(line.matches("target=t0").count(), 1, "{line}");
    }
}
