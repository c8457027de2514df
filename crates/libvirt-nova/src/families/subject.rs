//! A domain with its labels, rendered once for all the families of a scrape.

use std::time::{Duration, UNIX_EPOCH};

use exposition::{Labels, Samples, Value};

use super::Selection;
use crate::{
    inventory::{Devices, Disk, Instance, Interface, Metadata, Nova},
    snapshot::{Measured, Snapshot},
    stats::{Block, Iothread, Net, Vcpu},
};

/// A domain with its labels, and its parts with theirs.
#[derive(Debug)]
pub(crate) struct Subject<'s> {
    pub(crate) measured: &'s Measured,
    /// The compute host's name; empty where libvirtd did not say.
    pub(crate) host: &'s str,
    /// Whether `--labels=wide` has put Nova's names and sources among the labels.
    pub(crate) is_wide: bool,
    /// When its counters began, since the unix epoch, where that was seen and is to be told.
    pub(crate) created: Option<Duration>,
    pub(crate) tags: Tags,
    pub(crate) vcpus: Vec<Part<'s, Vcpu>>,
    pub(crate) blocks: Vec<Part<'s, Block>>,
    pub(crate) nets: Vec<Part<'s, Net>>,
    pub(crate) iothreads: Vec<Part<'s, Iothread>>,
}

/// A part of a domain with its labels.
#[derive(Debug)]
pub(crate) struct Part<'s, T> {
    pub(crate) stats: &'s T,
    pub(crate) tags: Tags,
}

/// The labels of something in both vocabularies.
#[derive(Debug)]
pub(crate) struct Tags {
    /// Those of `libvirt_domain_*`; `None` where one of them is not known yet.
    pub(crate) domain: Option<Labels>,
    /// Those of `libvirt_nova_instance_*`; `None` where it is not known yet whether Nova made
    /// it: a sample with its labels empty would be another series.
    pub(crate) instance: Option<Labels>,
}

/// Returns the labels of `libvirt_domain_*` for a domain that may have gone; `None` where one
/// of them was not known.
pub(super) fn labels_of(instance: &Instance, is_wide: bool) -> Option<Labels> {
    Identity::of(instance, is_wide).map(|identity| identity.render(None, []))
}

/// Returns the domains of a snapshot, those that run first.
pub(super) fn subjects(snapshot: &Snapshot, selection: Selection) -> Vec<Subject<'_>> {
    let all = snapshot.instances.iter().chain(&snapshot.inactive);
    let host = snapshot.host.as_deref().unwrap_or_default();
    all.map(|measured| Subject::new(measured, host, selection)).collect()
}

/// Labels that `--labels=wide` adds.
pub(super) const WIDE: [&str; 5] =
    ["flavor", "name", "project_name", "source_bridge", "source_file"];

impl<'s> Subject<'s> {
    fn new(measured: &'s Measured, host: &'s str, selection: Selection) -> Self {
        let names = Names::of(measured);
        let started = measured.instance.started;
        let created = started.and_then(|started| started.duration_since(UNIX_EPOCH).ok());
        let identity = Identity::of(&measured.instance, selection.is_wide);
        let mut subject = Self {
            measured,
            host,
            is_wide: selection.is_wide,
            created: created.filter(|_| selection.is_created),
            tags: Tags {
                domain: identity.as_ref().map(|identity| identity.render(None, [])),
                instance: names.as_ref().map(|names| names.render([])),
            },
            vcpus: Vec::new(),
            blocks: Vec::new(),
            nets: Vec::new(),
            iothreads: Vec::new(),
        };
        let (Some(stats), true) = (&measured.stats, measured.runs) else { return subject };
        let devices = measured.instance.devices.as_deref();
        let (identity, names) = (identity.as_ref(), names.as_ref());
        let disk = |block: &Block| devices.and_then(|devices| devices.disk(&block.name));
        let interface = |net: &Net| devices.and_then(|devices| devices.interface(&net.name));
        subject.blocks = parts(
            &stats.blocks,
            |block| {
                // The exporters before left them out: sums over disks would have changed.
                // Which are some is in the XML.
                devices?;
                let disk = disk(block);
                let is_removable = disk.is_some_and(Disk::is_removable);
                identity.filter(|_| !is_removable)?.disk(&block.name, disk, devices)
            },
            |block| Some(names?.disk(disk(block)?)),
        );
        subject.nets = parts(
            &stats.nets,
            |net| identity?.interface(&net.name, interface(net), devices),
            |net| Some(names?.interface(&net.name, interface(net)?)),
        );
        let numbered = |name, number: u32| {
            let number = number.to_string();
            Some(identity?.render(None, [(name, &*number)]))
        };
        subject.vcpus = parts(&stats.vcpus, |vcpu| numbered("vcpu", vcpu.number), |_| None);
        subject.iothreads =
            parts(&stats.iothreads, |thread| numbered("iothread", thread.number), |_| None);
        subject
    }

    /// What the domain's XML says of it, once that is known.
    pub(super) fn devices(&self) -> Option<&'s Devices> {
        self.measured.instance.devices.as_deref()
    }

    /// What Nova says of it, where it is Nova's.
    pub(super) fn nova(&self) -> Option<&'s Nova> {
        self.measured.instance.metadata.nova()
    }
}

impl Tags {
    /// Writes a sample with the labels of `libvirt_domain_*`, where all is known.
    pub(super) fn push(&self, value: Option<Value>, samples: &mut Samples<'_>) {
        if let Some(value) = value {
            self.push_with(&[], value, samples);
        }
    }

    /// Writes a sample with `more` labels.
    pub(super) fn push_with(
        &self,
        more: &[(&str, &str)],
        value: impl Into<Value>,
        samples: &mut Samples<'_>,
    ) {
        if let Some(labels) = &self.domain {
            samples.push_with(labels, more, value);
        }
    }

    /// Writes a sample with the labels of `libvirt_nova_instance_*`.
    pub(super) fn push_instance(&self, value: Option<Value>, samples: &mut Samples<'_>) {
        if let (Some(labels), Some(value)) = (&self.instance, value) {
            samples.push_with(labels, &[], value);
        }
    }
}

fn parts<'s, T>(
    all: &'s [T],
    domain: impl Fn(&T) -> Option<Labels>,
    instance: impl Fn(&T) -> Option<Labels>,
) -> Vec<Part<'s, T>> {
    let part = |stats: &'s T| {
        let tags = Tags { domain: domain(stats), instance: instance(stats) };
        Part { stats, tags }
    };
    all.iter().map(part).collect()
}

/// The labels that every `libvirt_domain_*` has.
struct Identity<'m> {
    domain: &'m str,
    uuid: &'m str,
    /// What `--labels=wide` adds.
    nova: Option<[&'m str; 3]>,
}

impl<'m> Identity<'m> {
    fn of(instance: &'m Instance, is_wide: bool) -> Option<Self> {
        let nova = match &instance.metadata {
            _ if !is_wide => None,
            Metadata::Unknown => return None,
            Metadata::Foreign => Some([""; 3]),
            Metadata::Nova(nova) => Some(
                [&nova.flavor, &nova.name, &nova.project]
                    .map(|text| text.as_deref().unwrap_or_default()),
            ),
        };
        Some(Self { domain: &instance.domain.name, uuid: &instance.uuid, nova })
    }

    /// `source` and `more` come between the domain's name and its UUID.
    fn render<const N: usize>(
        &self,
        source: Option<(&str, &str)>,
        more: [(&str, &str); N],
    ) -> Labels {
        let mut labels = Vec::with_capacity(8);
        labels.push(("domain", self.domain));
        if let Some([flavor, name, project]) = self.nova {
            labels.extend([("flavor", flavor), ("name", name), ("project_name", project)]);
        }
        labels.extend(source);
        labels.extend(more);
        labels.push(("uuid", self.uuid));
        Labels::new(&labels)
    }

    fn disk(&self, target: &str, disk: Option<&Disk>, devices: Option<&Devices>) -> Option<Labels> {
        let source = disk.and_then(Disk::source).unwrap_or_default();
        self.device(target, ("source_file", source), devices)
    }

    fn interface(
        &self,
        target: &str,
        interface: Option<&Interface>,
        devices: Option<&Devices>,
    ) -> Option<Labels> {
        let source = interface.and_then(|nic| nic.bridge.as_deref()).unwrap_or_default();
        self.device(target, ("source_bridge", source), devices)
    }

    fn device(
        &self,
        target: &str,
        source: (&str, &str),
        devices: Option<&Devices>,
    ) -> Option<Labels> {
        let more = [("target_device", target)];
        match self.nova {
            None => Some(self.render(None, more)),
            // A label that is empty until the XML is read would make another series.
            Some(_) => devices.map(|_| self.render(Some(source), more)),
        }
    }
}

/// The labels that every family of the mission has.
struct Names<'m> {
    libvirtname: &'m str,
    novaname: &'m str,
    novaproject: &'m str,
}

impl<'m> Names<'m> {
    fn of(measured: &'m Measured) -> Option<Self> {
        let (novaname, novaproject) = match &measured.instance.metadata {
            Metadata::Unknown => return None,
            Metadata::Foreign => (None, None),
            Metadata::Nova(nova) => (nova.name.as_deref(), nova.project.as_deref()),
        };
        Some(Self {
            libvirtname: &measured.instance.domain.name,
            novaname: novaname.unwrap_or_default(),
            novaproject: novaproject.unwrap_or_default(),
        })
    }

    fn render<const N: usize>(&self, more: [(&str, &str); N]) -> Labels {
        let mut labels = Vec::with_capacity(8);
        labels.extend([
            ("libvirtname", self.libvirtname),
            ("novaname", self.novaname),
            ("novaproject", self.novaproject),
        ]);
        labels.extend(more);
        // In the order of the alphabet, as the first exporter wrote them.
        labels.sort_unstable_by_key(|(name, _)| *name);
        Labels::new(&labels)
    }

    fn disk(&self, Disk { target, serial, kind, .. }: &Disk) -> Labels {
        self.render([
            ("cindervolume", serial.as_deref().unwrap_or_default()),
            ("disktype", kind),
            ("targetdev", target),
        ])
    }

    fn interface(&self, target: &str, Interface { mac, .. }: &Interface) -> Labels {
        self.render([("iface", target), ("macaddr", mac.as_deref().unwrap_or_default())])
    }
}
