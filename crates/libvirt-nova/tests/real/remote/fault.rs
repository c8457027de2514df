//! What an exporter makes of something that is wrong: it says so once, goes on trying, and comes in by itself.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use super::{
    hypervisor::Hypervisor,
    passwords::{PASSWORD, WRONG},
};
use crate::{
    exporter::Exporter,
    scrape::Scrape,
    wait::{PATIENCE, wait_until},
};

/// An exporter that cannot come in.
#[derive(Debug)]
pub(crate) struct Shut<'h> {
    hypervisor: &'h Hypervisor,
    exporter: Exporter,
    began: Instant,
    knocked: usize,
}

impl<'h> Shut<'h> {
    /// Starts one, and holds it to what every fault has in common; `told` are words of the one line.
    pub(crate) fn out(
        hypervisor: &'h Hypervisor,
        uri: &str,
        flags: &[&str],
        told: &[&str],
    ) -> Self {
        let knocked = hypervisor.knocks();
        let began = Instant::now();
        let exporter = hypervisor.exporter(uri, flags);
        let shut = Self { hypervisor, exporter, began, knocked };
        shut.answers_in_time();
        wait_until(PATIENCE, "a log that tells of it", || (shut.told().len() == 1).then_some(()));
        shut.goes_on();
        let lines = shut.told();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        for word in told {
            assert!(lines[0].contains(word), "no {word:?} in {:?}", lines[0]);
        }
        shut.answers_in_time();
        shut.keeps_secrets();
        shut
    }

    /// Waits until it has come in, now that nothing is wrong any more.
    pub(crate) fn comes_in(self) -> Scrape {
        // Whoever was refused pauses for half a minute at most.
        let (scrape, _) = wait_until(PATIENCE, "a scrape that finds libvirtd", || {
            let scrape = self.exporter.scrape();
            scrape.up().then_some(scrape)
        });
        let log = self.exporter.log();
        let connected = log.iter().filter(|line| line.contains(" connected ")).count();
        assert_eq!(connected, 1, "{log:#?}");
        // A peer may be met in another state between the fault and its end.
        assert!(self.told().len() <= 3, "{log:#?}");
        self.keeps_secrets();
        scrape
    }

    /// What it logged but for its start, and for what a program on the way said, which is told once, too.
    fn told(&self) -> Vec<String> {
        let of_life = [" starting libvirt_nova ", " listening address=", " connected "];
        let mut log = self.exporter.log();
        let mut spoken = BTreeSet::new();
        log.retain(|line| {
            let words = line.split_once("the program that leads to libvirtd speaks");
            if let Some((_, words)) = words {
                assert!(spoken.insert(words.to_owned()), "twice: {line}");
            }
            words.is_none() && !of_life.iter().any(|word| line.contains(word))
        });
        log
    }

    /// Waits until it has tried several times; it must have paused between.
    fn goes_on(&self) {
        let tried = || self.hypervisor.knocks() - self.knocked;
        wait_until(PATIENCE, "two more attempts", || (tried() >= 3).then_some(()));
        let (tried, took) = (tried(), self.began.elapsed());
        // Pauses begin with a quarter of a second, and none is below a second after the third.
        let bound = 4 + usize::try_from(took.as_secs()).unwrap();
        // One attempt may be for each of a session's connections.
        assert!(tried <= 3 * bound, "{tried} connections in {took:?}");
    }

    fn answers_in_time(&self) {
        let timeout = Duration::from_secs(2);
        let scrape = self.exporter.scrape_within(timeout);
        assert!(!scrape.up());
        assert!(scrape.instances().is_empty(), "{}", scrape.response.body);
        let took = scrape.response.took();
        assert!(took < timeout, "{took:?}");
    }

    /// Neither the log nor a page tells what a peer or a file keeps to itself.
    fn keeps_secrets(&self) {
        let key = std::fs::read_to_string(self.hypervisor.pki.join("clientkey.pem")).unwrap();
        let key = key.lines().nth(1).unwrap();
        let metrics = self.exporter.scrape().response.body;
        for text in [self.exporter.log().concat(), self.exporter.debug(), metrics] {
            for secret in [PASSWORD, WRONG, key] {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
        }
    }

    /// The running exporter.
    pub(crate) fn exporter(&self) -> &Exporter {
        &self.exporter
    }
}
