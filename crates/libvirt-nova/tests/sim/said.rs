//! What a scrape says of domains, held against what is so.

use std::collections::{BTreeMap, BTreeSet};

use crate::scrape::{Family, Labels, Sample, Scrape};

/// Every sample of a domain but those that move with the host's time.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    samples: Samples,
    /// What has happened, counted: it grows, and what has not happened yet is not there.
    events: Samples,
}

type Samples = BTreeMap<(String, Labels), f64>;

impl PartialEq for Said {
    /// Whether the same is said of what is so, whatever has happened meanwhile.
    fn eq(&self, other: &Self) -> bool {
        self.samples == other.samples
    }
}

/// These tell of the measuring, or of what was between two polls, not of the domain.
const MOMENTARY: [&str; 5] = [
    "libvirt_domain_stats_age_seconds",
    "libvirt_domain_control_state_seconds",
    "libvirt_nova_instance_vcpus_in_use",
    "libvirt_nova_instance_vcpus_in_use_peak",
    "libvirt_nova_instance_vcpu_utilization",
];
/// These tell that something of the domain is not known.
const HEALTH: [&str; 4] = [
    "libvirt_domain_stats_complete",
    "libvirt_domain_control_state",
    "libvirt_domain_memory_stats_valid",
    "libvirt_domain_timed_out",
];
const EVENTS: &str = "libvirt_domain_events_total";
const MISSION: &str = "libvirt_nova_instance_";
/// How the names of those families begin that need QEMU's monitor.
const MONITORED: [&str; 9] = [
    "libvirt_nova_instance_memory",
    "libvirt_nova_instance_rd",
    "libvirt_nova_instance_wr",
    "libvirt_domain_memory_stats_",
    "libvirt_domain_block_stats_",
    // Without it, but only by a call that would ask for more.
    "libvirt_domain_vcpu_",
    "libvirt_domain_info_virtual_cpus",
    "libvirt_domain_info_memory_usage_bytes",
    "libvirt_domain_job_info_",
];

impl Said {
    pub(crate) fn of(scrape: &Scrape) -> Self {
        Self::of_families(&scrape.families)
    }

    pub(crate) fn of_families(families: &[Family]) -> Self {
        let mut said = Self { samples: BTreeMap::new(), events: BTreeMap::new() };
        for Family { name, samples, .. } in families {
            for Sample { labels, value } in samples {
                if domain(labels).is_some() && !MOMENTARY.contains(&&**name) {
                    // A name that is no UTF-8 is shown with this in the place of what is none.
                    let text = |(label, text): (&String, &String)| {
                        let spoilt = [("\u{fffd}nst", "inst"), ("\u{fffd}ap", "tap")];
                        let spoilt = spoilt.into_iter().chain([("\u{fffd}var", "/var")]);
                        let as_it_is = |text: String, (spoilt, plain)| text.replace(spoilt, plain);
                        (label.clone(), spoilt.fold(text.clone(), as_it_is))
                    };
                    let labels = labels.iter().map(text).collect();
                    let part = if name == EVENTS { &mut said.events } else { &mut said.samples };
                    part.insert((name.clone(), labels), *value);
                }
            }
        }
        said
    }

    /// Panics where a number of the mission's families is not what the simulator's documentation
    /// says that it is after so many seconds.
    pub(crate) fn assert_right(&self, seconds: u64) {
        for ((family, labels), value) in &self.samples {
            let Some(expected) = expected(family, labels, seconds) else { continue };
            #[expect(clippy::cast_precision_loss, reason = "none is beyond 53 bits")]
            let expected = expected as f64;
            assert_eq!(*value, expected, "{family} {labels:?}");
        }
    }

    /// Whether there is all of so many domains.
    pub(crate) fn is_whole(&self, domains: u32) -> bool {
        let count = |name: &str| self.samples.keys().filter(|(family, _)| family == name).count();
        let complete = self
            .samples
            .iter()
            .filter(|((family, _), value)| family == HEALTH[0] && **value == 1.0);
        // By flavor, which take turns.
        let vcpus: usize = (1..=domains).map(|number| [8, 1, 1, 2, 4][number as usize % 5]).sum();
        let domains: usize = domains.try_into().unwrap();
        complete.count() == domains
            && ["cpu_time_total", "memory_used_kb", "vcpu_count", "info"]
                .iter()
                .all(|name| count(&format!("{MISSION}{name}")) == domains)
            && count("libvirt_nova_instance_rxbytes") == domains + domains / 4
            && count("libvirt_nova_instance_rdbytes") == domains + domains / 3
            && count(HEALTH[1]) == 4 * domains
            && ["job_info_type", "vcpu_current"]
                .iter()
                .all(|name| count(&format!("libvirt_domain_{name}")) == domains)
            // These are also of domains that do not run.
            && ["info", "openstack_info", "state_reason"]
                .iter()
                .all(|name| count(&format!("libvirt_domain_{name}")) >= domains)
            && count("libvirt_domain_vcpu_time_seconds_total") == vcpus
    }

    /// What needs no monitor: neither the domain's memory nor its disks.
    pub(crate) fn job_free(&self) -> Self {
        let needs_monitor = |family: &str| {
            HEALTH.contains(&family) || MONITORED.iter().any(|start| family.starts_with(start))
        };
        let samples = self.samples.iter().filter(|((family, _), _)| !needs_monitor(family));
        let samples = samples.map(|(sample, value)| (sample.clone(), *value)).collect();
        Self { samples, events: self.events.clone() }
    }

    /// The same but for what is said of one domain.
    pub(crate) fn without(mut self, name: &str) -> Self {
        let is_other = |labels: &Labels| domain(labels).is_none_or(|domain| domain != name);
        self.samples.retain(|(_, labels), _| is_other(labels));
        self.events.retain(|(_, labels), _| is_other(labels));
        self
    }

    /// What is said of one domain: its families.
    pub(crate) fn families_of(&self, name: &str) -> BTreeSet<&str> {
        let samples = self.samples.keys().chain(self.events.keys());
        let of_it = samples.filter(|(_, labels)| domain(labels).is_some_and(|it| it == name));
        of_it.map(|(family, _)| &**family).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.samples.is_empty() && self.events.is_empty()
    }

    /// Returns the domains of which this says less than `whole` did, and panics where it says
    /// something else, or that less has happened.
    pub(crate) fn lacks(&self, whole: &Self) -> BTreeSet<String> {
        let mut lacking = BTreeSet::new();
        for (event, count) in &self.events {
            let before = whole.events.get(event);
            assert!(before.is_none_or(|before| before <= count), "{event:?} {count} {before:?}");
        }
        for ((family, labels), value) in &self.samples {
            let before = whole.samples.get(&(family.clone(), labels.clone()));
            if HEALTH.contains(&&**family) && before != Some(value) {
                lacking.extend(domain(labels));
                continue;
            }
            let before = before.unwrap_or_else(|| panic!("new: {family} {labels:?} {value}"));
            assert_eq!(value, before, "{family} {labels:?}");
        }
        // What has happened once is told of for as long as the domain is.
        let missing = whole.samples.keys().filter(|sample| !self.samples.contains_key(sample));
        let forgotten = whole.events.keys().filter(|event| !self.events.contains_key(event));
        let missing = missing.chain(forgotten);
        lacking.extend(missing.filter_map(|(_, labels)| domain(labels)));
        lacking
    }
}

fn domain(labels: &Labels) -> Option<String> {
    labels.get("libvirtname").or_else(|| labels.get("domain")).cloned()
}

/// What the simulator's documentation says; `None` for what is no number of its.
fn expected(family: &str, labels: &Labels, t: u64) -> Option<u64> {
    let family = family.strip_prefix(MISSION)?;
    let n = u64::from_str_radix(labels["libvirtname"].strip_prefix("instance-")?, 16).ok()?;
    let (vcpus, memory_mib) =
        [(8, 16_384), (1, 512), (1, 2048), (2, 4096), (4, 8192)][usize::try_from(n % 5).ok()?];
    let available = memory_mib * 1024 / 16 * 15;
    let usable = available * (40 + t % 20) / 100;
    let interface = || labels["iface"].split_once('-').unwrap().1.parse::<u64>().unwrap();
    let disk = || u64::from(labels["targetdev"].as_bytes()[2] - b'a');
    let received = || 1000 * (n % 10 + interface() + 1) * t;
    let reads = || 10 * (n % 7 + disk() + 1) * t;
    Some(match family {
        "cpu_time_total" => vcpus * (t * 10_000_000 * (5 + 37 * n % 95)) + t * 10_000_000,
        "memory_alloc_kb" => available,
        "memory_used_kb" => available - usable,
        "memory_cache_used_kb" => available - usable / 2,
        "vcpu_count" => vcpus,
        "rxbytes" => received(),
        "txbytes" => received() / 2,
        "rdreq" => reads(),
        "wrreq" => reads() / 2,
        "rdbytes" => reads() * 4096,
        "wrbytes" => reads() / 2 * 4096,
        "info" => 1,
        other => panic!("{other} has no formula"),
    })
}
