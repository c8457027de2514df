//! What helps to understand a fault: `/debug`, for bug reports.
//!
//! Nothing in it is secret: no credentials, and of what a tenant typed only what the log says.

use std::{
    fmt::{self, Display, Write},
    time::{Duration, SystemTime},
};

use crate::{survey::Skipped, telemetry::Report};

/// What is known of this exporter and its libvirtd.
#[derive(Debug)]
pub(crate) struct Facts<'f> {
    pub(crate) version: &'f str,
    pub(crate) uptime: Duration,
    /// What it was told, by flag.
    pub(crate) settings: &'f [(&'static str, String)],
    /// `None` where only targets are asked.
    pub(crate) libvirtd: Option<Libvirtd>,
    /// How each target is, by name; `None` without a file of them.
    pub(crate) targets: Option<Vec<(String, String)>>,
    pub(crate) report: &'f Report,
    /// The last lines of the log that tell of a fault.
    pub(crate) faults: Vec<String>,
}

/// What is known of a libvirtd.
#[derive(Debug)]
pub(crate) struct Libvirtd {
    /// Who is asked: a socket, a host, a command.
    pub(crate) peer: String,
    /// Whether libvirtd can be asked, in words.
    pub(crate) state: String,
    /// For how long that has been so.
    pub(crate) since: Duration,
    pub(crate) hostname: Option<String>,
    /// Of the hypervisor and of libvirtd, once a scrape has asked.
    pub(crate) versions: [Option<String>; 2],
    /// Domains that are served: those that run and those that do not. `None` before they were
    /// listed.
    pub(crate) domains: Option<[usize; 2]>,
    /// Since when libvirtd has answered no poll.
    pub(crate) polled: Option<Duration>,
}

impl Display for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Facts { report, .. } = self;
        writeln!(f, "{}", self.version.trim_end())?;
        fact(f, "up for", seconds(self.uptime))?;
        for (flag, value) in self.settings {
            fact(f, flag, value)?;
        }
        if let Some(libvirtd) = &self.libvirtd {
            write!(f, "{libvirtd}")?;
        }
        if let Some(targets) = &self.targets {
            section(f, "targets")?;
            for (name, state) in targets {
                fact(f, name, state)?;
            }
        }
        if self.libvirtd.is_some() {
            calls(f, report)?;
        }
        section(f, "log lines by level")?;
        for (level, count) in &report.log_messages {
            fact(f, level, count)?;
        }
        section(f, "the last faults in the log")?;
        self.faults.iter().try_for_each(|line| f.write_str(line))
    }
}

impl Display for Libvirtd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        section(f, "libvirtd")?;
        fact(f, "connected to", &self.peer)?;
        fact(f, "connection", format_args!("{}, for {}", self.state, seconds(self.since)))?;
        let [hypervisor, libvirt] = &self.versions;
        for (what, value) in
            [("hostname", &self.hostname), ("libvirt", libvirt), ("hypervisor", hypervisor)]
        {
            fact(f, what, value.as_deref().unwrap_or("not known"))?;
        }
        match self.domains {
            Some([running, inactive]) => {
                fact(f, "domains", format_args!("{running} run, {inactive} do not"))?;
            }
            None => fact(f, "domains", "not listed yet")?,
        }
        match self.polled {
            Some(age) => fact(f, "last poll", format_args!("{} ago", seconds(age)))?,
            None => fact(f, "last poll", "none was answered")?,
        }
        Ok(())
    }
}

/// Writes what is known of our work with a libvirtd.
fn calls(f: &mut impl Write, report: &Report) -> fmt::Result {
    match report.collection {
        Some(it) => {
            let age = SystemTime::now().duration_since(it.ended).unwrap_or_default();
            let [age, took] = [age, it.took].map(seconds);
            fact(f, "last scrape", format_args!("{age} ago, took {took}"))?;
            let Skipped { held, abandoned, deadline } = it.skipped;
            let skipped = format_args!(
                "{held} held by libvirt, {abandoned} as too many calls hang, \
                     {deadline} for want of time"
            );
            fact(f, "domains it left out", skipped)?;
        }
        None => fact(f, "last scrape", "none")?,
    }
    fact(f, "reconnects", report.reconnects)?;
    fact(f, "calls in flight", report.in_flight)?;
    fact(f, "calls abandoned", report.abandoned)?;
    section(f, "calls: how many, mean time")?;
    for (procedure, durations) in &report.durations {
        #[expect(clippy::cast_precision_loss, reason = "it is a mean for people")]
        let mean = durations.sum() / durations.count().max(1) as f64;
        let mean = mean * 1e3;
        fact(f, procedure, format_args!("{}, {mean:.2} ms", durations.count()))?;
    }
    section(f, "calls that failed: by libvirt's error number or our word, how many")?;
    for ((procedure, reason), count) in &report.failures {
        fact(f, procedure, format_args!("{reason}: {count}"))?;
    }
    section(f, "fields of libvirt that nobody here knows")?;
    for (field, count) in &report.unknown_fields {
        fact(f, field, count)?;
    }
    Ok(())
}

fn section(f: &mut impl Write, title: &str) -> fmt::Result {
    writeln!(f, "\n{title}")
}

fn fact(f: &mut impl Write, what: &str, value: impl Display) -> fmt::Result {
    writeln!(f, "  {what:<32} {value}")
}

/// A time in seconds, for people.
fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::{histogram::Histogram, telemetry::CollectionReport};

    #[test]
    fn a_report_of_an_exporter_that_lost_its_libvirtd() {
        let mut durations = Histogram::new(crate::telemetry::BOUNDS);
        [0.0005, 0.001].into_iter().for_each(|took| durations.observe(took));
        let ended = SystemTime::now().checked_add(Duration::from_secs(60)).unwrap();
        let report = Report {
            durations: [("DomainGetCPUStats", durations)].into(),
            failures: [(("DomainGetCPUStats", "55".to_owned()), 2)].into(),
            collection: Some(CollectionReport {
                ended,
                took: Duration::from_millis(125),
                skipped: Skipped { held: 1, ..Skipped::default() },
            }),
            log_messages: vec![("error", 0), ("warn", 1)],
            unknown_fields: [("net.speed".to_owned(), 7)].into(),
            reconnects: 1,
            ..Report::default()
        };
        let facts = Facts {
            version: "libvirt_nova 1.2.3 (revision abc)\n",
            uptime: Duration::from_secs(90),
            settings: &[("--interval", "1s".to_owned())],
            libvirtd: Some(Libvirtd {
                peer: "/run/libvirt/libvirt-sock-ro".to_owned(),
                state: "down: nobody listens".to_owned(),
                since: Duration::from_millis(1500),
                hostname: None,
                versions: [Some("7.2.0".to_owned()), Some("9.0.0".to_owned())],
                domains: None,
                polled: Some(Duration::from_secs(2)),
            }),
            targets: None,
            report: &report,
            faults: vec!["2026/11/24 12:24:20 libvirtd hung up\n".to_owned()],
        };
        expect![[r#"
            libvirt_nova 1.2.3 (revision abc)
              up for                           90.000 s
              --interval                       1s

            libvirtd
              connected to                     /run/libvirt/libvirt-sock-ro
              connection                       down: nobody listens, for 1.500 s
              hostname                         not known
              libvirt                          9.0.0
              hypervisor                       7.2.0
              domains                          not listed yet
              last poll                        2.000 s ago
              last scrape                      0.000 s ago, took 0.125 s
              domains it left out              1 held by libvirt, 0 as too many calls hang, 0 for want of time
              reconnects                       1
              calls in flight                  0
              calls abandoned                  0

            calls: how many, mean time
              DomainGetCPUStats                2, 0.75 ms

            calls that failed: by libvirt's error number or our word, how many
              DomainGetCPUStats                55: 2

            fields of libvirt that nobody here knows
              net.speed                        7

            log lines by level
              error                            0
              warn                             1

            the last faults in the log
            2026/11/24 12:24:20 libvirtd hung up
        "#]].assert_eq(&facts.to_string());
    }
}
