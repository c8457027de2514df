//! What this exporter serves.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

use crate::{
    daemon::LinkState,
    debug::{Facts, Libvirtd},
    fault::chain,
    flags,
    http::{Content, Wanted},
    log,
    program::Program,
    targets::Targets,
    telemetry::Telemetry,
    watched::Watched,
};

/// What this exporter serves.
#[derive(Debug)]
pub(crate) struct Served {
    /// The libvirtd that is asked without being named; `None` where only targets are.
    pub(crate) own: Option<Watched>,
    /// Those that are asked by name; `None` without a file of them.
    pub(crate) targets: Option<Arc<Targets>>,
    pub(crate) program: Arc<Program>,
    pub(crate) log: Arc<log::Record>,
    /// What the exporter was told, by flag.
    pub(crate) settings: Vec<(&'static str, String)>,
    /// Who that is: a socket, a host, a command.
    pub(crate) peer: String,
}

impl Content for Served {
    async fn scrape(&self, wanted: Wanted) -> impl Stream<Item = io::Result<Bytes>> + 'static {
        match &self.own {
            Some(own) => Arc::clone(&own.exporter).scrape(wanted).await.left_stream(),
            None => self.program.scrape(wanted.format).right_stream(),
        }
    }

    fn targets(&self) -> Option<usize> {
        self.targets.as_ref().map(|targets| targets.count())
    }

    fn probe(
        &self,
        name: &str,
        wanted: Wanted,
    ) -> Option<impl Future<Output = impl Stream<Item = io::Result<Bytes>> + 'static>> {
        self.targets.as_ref()?.probe(name, wanted)
    }

    fn listing(&self) -> Option<Vec<(String, String)>> {
        let targets = self.targets.as_ref().filter(|_| self.own.is_none())?;
        Some(targets.states())
    }

    fn live(&self) -> Option<impl Stream<Item = Bytes> + 'static> {
        let frames = Arc::clone(&self.own.as_ref()?.frames);
        let polled = frames.polled();
        Some(stream::unfold((frames, polled, None), async |(frames, mut polled, known)| {
            if known.is_some() {
                frames.next(&mut polled).await;
            }
            polled.mark_unchanged();
            let frame = frames.frame();
            let event = frames.event(&frame, known);
            Some((event, (frames, polled, Some(frame.pulse.edition))))
        }))
    }

    fn instance(&self, uuid: &str) -> Option<String> {
        serde_json::to_string(&self.own.as_ref()?.frames.details(uuid)?).ok()
    }

    fn ready(&self) -> Result<(), String> {
        // Each target says for itself whether it is there.
        let Some(own) = &self.own else { return Ok(()) };
        match own.daemon.link().state {
            LinkState::Up(live) => match live.silent_since() {
                Some(since) => Err(format!("libvirtd says nothing for {:.1?}", since.elapsed())),
                None if live.inventory.is_listed() => Ok(()),
                None => Err("libvirtd has not said yet which domains there are".into()),
            },
            LinkState::Connecting => Err("libvirtd is being connected to".into()),
            LinkState::Down(error) => Err(chain(&*error).to_string()),
        }
    }

    fn debug(&self) -> String {
        let report = match &self.own {
            Some(own) => own.exporter.report(),
            None => self.program.report(&Telemetry::default(), None),
        };
        let facts = Facts {
            version: &flags::version(),
            uptime: self.program.uptime(),
            settings: &self.settings,
            libvirtd: self.own.as_ref().map(|own| self.libvirtd(own)),
            targets: self.targets.as_ref().map(|targets| targets.states()),
            report: &report,
            faults: self.log.faults(),
        };
        facts.to_string()
    }
}

impl Served {
    /// What is known of the own libvirtd.
    fn libvirtd(&self, own: &Watched) -> Libvirtd {
        let link = own.daemon.link();
        let mut facts = Libvirtd {
            peer: self.peer.clone(),
            state: "connecting".into(),
            since: link.since.elapsed().unwrap_or_default(),
            hostname: None,
            versions: [None, None],
            domains: None,
            polled: own.frames.polled().borrow().map(|polled| polled.at.elapsed()),
        };
        match link.state {
            LinkState::Connecting => {}
            LinkState::Down(error) => facts.state = format!("down: {}", chain(&*error)),
            LinkState::Up(live) => {
                facts.state = match live.silent_since() {
                    Some(since) => format!("up, silent for {:.1?}", since.elapsed()),
                    None => "up".into(),
                };
                facts.hostname.clone_from(&live.hostname);
                facts.versions = live.host.known_versions();
                let domains = live.inventory.domains();
                let counts = [domains.running.len(), domains.inactive.len()];
                facts.domains = live.inventory.is_listed().then_some(counts);
            }
        }
        facts
    }
}
