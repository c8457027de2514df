//! What the program was told, for bug reports.

use std::path::PathBuf;

use super::{Flags, LabelSet};
use crate::collectors::Collector;

impl Flags {
    /// What decides what is collected, by flag. Of filters, which may hold tenants' names, only
    /// whether there are any.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let on = Collector::ALL.into_iter().filter(|collector| self.collectors.has(*collector));
        let labels = match self.labels {
            LabelSet::Narrow => "narrow",
            LabelSet::Wide => "wide",
        };
        let compat: Vec<_> = self.compat.iter().map(|exporter| exporter.name()).collect();
        let path = |path: &Option<PathBuf>| {
            path.as_ref().map_or("none".into(), |path| path.display().to_string())
        };
        let uri =
            if self.is_watching { self.access.address.to_string() } else { "none".to_owned() };
        vec![
            ("--uri", uri),
            ("--targets.file", path(&self.targets)),
            ("--targets.idle", format!("{:?}", self.targets_idle)),
            ("--interval", format!("{:?}", self.interval)),
            ("--deadline", format!("{:?}", self.deadline)),
            ("--min-age", format!("{:?}", self.min_age)),
            ("--max-abandoned", self.max_abandoned.to_string()),
            ("--path", self.metrics_path.to_string()),
            // Where it is, not what it says: there are secrets in it.
            ("--web.config.file", path(&self.web_config)),
            ("--labels", labels.to_owned()),
            ("--compat", if compat.is_empty() { "none".to_owned() } else { compat.join(" ") }),
            ("--created-timestamps", self.created.to_string()),
            ("filters", if self.filter.is_all() { "none" } else { "some" }.to_owned()),
            ("collectors", on.map(Collector::name).collect::<Vec<_>>().join(" ")),
            ("flags that are ignored", self.ignored.join(" ")),
        ]
    }
}
