//! The program, as it knows itself, whichever libvirtd it asks.

use std::{
    io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use exposition::{Format, Labels};
use futures_util::Stream;
use libvirt_client::Ledger;
use tokio::{runtime::Handle, time::Instant};

use crate::{
    exporter,
    families::{Selection, Whose},
    log,
    snapshot::Snapshot,
    targets::Targets,
    telemetry::{Report, Telemetry},
};

/// The program, as it knows itself.
#[derive(Debug)]
pub(crate) struct Program {
    began: SystemTime,
    since: Instant,
    log: Arc<log::Record>,
    /// What it is asked for by name.
    targets: Option<Arc<Targets>>,
}

impl Program {
    /// One that begins now.
    pub(crate) fn new(log: Arc<log::Record>, targets: Option<Arc<Targets>>) -> Self {
        Self { began: SystemTime::now(), since: Instant::now(), log, targets }
    }

    /// How long it has been there.
    pub(crate) fn uptime(&self) -> Duration {
        self.since.elapsed()
    }

    /// What is known of its work with a libvirtd, and of itself. `ledger` is that of the session,
    /// where there is one.
    pub(crate) fn report(&self, telemetry: &Telemetry, ledger: Option<&Ledger>) -> Report {
        let tasks = Handle::current().metrics().num_alive_tasks();
        Report {
            began: Some(self.began),
            targets: self.targets.as_ref().map(|targets| targets.report()),
            ..telemetry.report(ledger, self.log.by_level(), tasks)
        }
    }

    /// Returns an exposition of the program alone, in pieces.
    pub(crate) fn scrape(&self, format: Format) -> impl Stream<Item = io::Result<Bytes>> + use<> {
        let selection = Selection { whose: Some(Whose::Program), ..Selection::default() };
        let report = self.report(&Telemetry::default(), None);
        exporter::write(format, selection, Labels::default(), Arc::<Snapshot>::default(), report)
    }
}
