//! A domain, with what is known of it.

use std::{sync::Arc, time::SystemTime};

use libvirt_wire::Domain;
use tokio::time::Instant;

use super::{Devices, EventCounts, Nova};
use crate::{filter::Filter, stats::State};

/// A domain, with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instance {
    /// libvirt's name, UUID and number of this run; one without a number does not run.
    pub(crate) domain: Domain,
    /// The UUID as text.
    pub(crate) uuid: String,
    /// Whether Nova made it, once that is known.
    pub(crate) metadata: Metadata,
    /// What it is made of, once that is known.
    pub(crate) devices: Option<Arc<Devices>>,
    /// What has happened to it, counted.
    pub(crate) events: Arc<EventCounts>,
    /// When this run began, where that was seen.
    pub(crate) started: Option<SystemTime>,
    /// Since when it has been standing still, where that was seen.
    pub(crate) stopped: Option<SystemTime>,
    /// The state that the last event told of, and when.
    pub(crate) told: Option<(State, Instant)>,
}

impl Instance {
    /// A domain of which nothing more is known.
    pub(crate) fn new(domain: Domain) -> Self {
        let uuid = domain.uuid.to_string();
        Self {
            domain,
            uuid,
            metadata: Metadata::Unknown,
            devices: None,
            events: Arc::default(),
            started: None,
            stopped: None,
            told: None,
        }
    }

    /// Whether a filter admits it. One that asks for Nova's names admits nobody of whom
    /// they are not known yet.
    pub(super) fn is_admitted(&self, filter: &Filter) -> bool {
        if filter.is_all() {
            return true;
        }
        let mut instance = vec![self.domain.name.as_str(), &self.uuid];
        let mut project = Vec::new();
        match &self.metadata {
            Metadata::Unknown if filter.needs_metadata() => return false,
            Metadata::Unknown | Metadata::Foreign => {}
            Metadata::Nova(nova) => {
                instance.extend(nova.name.as_deref());
                project.extend(nova.project.as_deref());
                project.extend(nova.project_id.as_deref());
            }
        }
        filter.admits(&instance, &project)
    }
}

/// Whether Nova made a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Metadata {
    /// libvirtd has not said yet.
    Unknown,
    /// Somebody else made it.
    Foreign,
    /// Nova did.
    Nova(Arc<Nova>),
}

impl Metadata {
    /// What Nova says of the instance.
    pub(crate) fn nova(&self) -> Option<&Nova> {
        match self {
            Self::Nova(nova) => Some(nova),
            Self::Foreign | Self::Unknown => None,
        }
    }
}
