//! What this exporter serves.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::time::Instant;

use crate::{
    board::Frames,
    daemon::{Daemon, LinkState},
    debug::Facts,
    exporter::Exporter,
    fault::chain,
    flags,
    http::{Content, Wanted},
    log,
};

/// What this exporter serves.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) daemon: Daemon,
    pub(crate) exporter: Arc<Exporter>,
    pub(crate) frames: Arc<Frames>,
    pub(crate) log: Arc<log::Record>,
    pub(crate) began: Instant,
    /// What the exporter was told, by flag.
    pub(crate) settings: Vec<(&'static str, String)>,
    /// Who is asked: a socket, a host, a command.
    pub(crate) peer: String,
}

impl Content for Served {
    fn scrape(
        &self,
        wanted: Wanted,
    ) -> impl Future<Output = impl Stream<Item = io::Result<Bytes>> + 'static> {
        Arc::clone(&self.exporter).scrape(wanted)
    }

    fn live(&self) -> impl Stream<Item = Bytes> + 'static {
        let frames = Arc::clone(&self.frames);
        let polled = frames.polled();
        stream::unfold((frames, polled, None), async |(frames, mut polled, known)| {
            if known.is_some() {
                frames.next(&mut polled).await;
            }
            polled.mark_unchanged();
            let frame = frames.frame();
            let event = frames.event(&frame, known);
            Some((event, (frames, polled, Some(frame.pulse.edition))))
        })
    }

    fn instance(&self, uuid: &str) -> Option<String> {
        serde_json::to_string(&self.frames.details(uuid)?).ok()
    }

    fn ready(&self) -> Result<(), String> {
        match self.daemon.link().state {
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
        let link = self.daemon.link();
        let report = self.exporter.report();
        let mut facts = Facts {
            version: &flags::version(),
            uptime: self.began.elapsed(),
            settings: &self.settings,
            peer: self.peer.clone(),
            libvirtd: "connecting".into(),
            since: link.since.elapsed().unwrap_or_default(),
            hostname: None,
            versions: [None, None],
            domains: None,
            polled: self.frames.polled().borrow().map(|polled| polled.at.elapsed()),
            report: &report,
            faults: self.log.faults(),
        };
        match link.state {
            LinkState::Connecting => {}
            LinkState::Down(error) => facts.libvirtd = format!("down: {}", chain(&*error)),
            LinkState::Up(live) => {
                facts.libvirtd = match live.silent_since() {
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
        facts.to_string()
    }
}
