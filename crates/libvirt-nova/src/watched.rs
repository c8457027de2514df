//! A libvirtd that is watched, and what answers scrapes of it.

use std::{sync::Arc, time::Duration};

use exposition::Labels;
use libvirt_client::Access;

use crate::{
    board::Frames,
    daemon::{Daemon, Watch},
    exporter::Exporter,
    families::{Selection, Whose},
    flags::{Compat, Flags, LabelSet},
    live::{Lasting, Terms},
    program::Program,
    telemetry::Telemetry,
    told::Told,
};

/// A libvirtd that is watched, and what answers scrapes of it.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) daemon: Daemon,
    pub(crate) exporter: Arc<Exporter>,
    pub(crate) frames: Arc<Frames>,
}

/// How a libvirtd is watched, whichever it is: what the flags say.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) terms: Terms,
    /// How long after its beginning a collection serves further scrapes.
    pub(crate) min_age: Duration,
    /// Path of the metrics.
    pub(crate) metrics_path: String,
}

/// What is known of a libvirtd beyond a session with it, and told of it.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// What is known of its domains, too.
    pub(crate) lasting: Lasting,
    pub(crate) telemetry: Arc<Telemetry>,
    /// What the log has said of it last.
    pub(crate) told: Arc<Told>,
    /// Labels of all its samples.
    pub(crate) labels: Labels,
}

impl Plan {
    /// What the flags say.
    pub(crate) fn new(flags: &Flags) -> Self {
        let selection = Selection {
            whose: None,
            collectors: flags.collectors,
            is_wide: flags.labels == LabelSet::Wide,
            is_tinkoff: flags.compat.contains(&Compat::Tinkoff),
            is_kumina: flags.compat.contains(&Compat::Kumina),
            is_created: flags.created,
        };
        let terms = Terms {
            interval: flags.interval,
            abandoned_max: flags.max_abandoned,
            selection,
            filter: Arc::new(flags.filter.clone()),
        };
        let metrics_path = flags.metrics_path.to_string();
        Self { terms, min_age: flags.min_age, metrics_path }
    }

    /// The same for a libvirtd that is one of many: its scrapes have nothing that is the program's.
    pub(crate) fn of_targets(mut self) -> Self {
        self.terms.selection.whose = Some(Whose::Libvirtd);
        self
    }

    /// What is known of a libvirtd that nobody has asked.
    pub(crate) fn standing(&self) -> Standing {
        let (telemetry, told, labels) = Default::default();
        Standing { lasting: Lasting::new(self.terms.interval), telemetry, told, labels }
    }

    /// What watches a libvirtd and answers scrapes, and the task of the former, which never ends.
    pub(crate) fn watch(
        &self,
        access: Access,
        standing: Standing,
        program: Arc<Program>,
    ) -> (Watched, impl Future<Output = ()> + Send + use<>) {
        let Self { terms, min_age, metrics_path } = self.clone();
        let Standing { lasting, telemetry, told, labels } = standing;
        let (selection, is_filtered) = (terms.selection, !terms.filter.is_all());
        let (usages, of_exporter) = (Arc::clone(&lasting.usages), Arc::clone(&telemetry));
        let watch = Watch { access, terms, lasting, telemetry, told };
        let (daemon, watching) = watch.start();
        let frames = Frames::new(daemon.clone(), usages, metrics_path, is_filtered);
        let frames = Arc::new(frames);
        let exporter = Exporter {
            daemon: daemon.clone(),
            min_age,
            selection,
            labels,
            telemetry: of_exporter,
            program,
            frames: Arc::clone(&frames),
            last: Default::default(),
        };
        (Watched { daemon, exporter: Arc::new(exporter), frames }, watching)
    }
}
