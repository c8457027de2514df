//! What this exporter serves.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, stream};

use crate::{
    board::Frames,
    daemon::{Daemon, LinkState},
    exporter::Exporter,
    http::{Content, Wanted},
};

/// What this exporter serves.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) daemon: Daemon,
    pub(crate) exporter: Arc<Exporter>,
    pub(crate) frames: Arc<Frames>,
}

impl Content for Served {
    fn scrape(&self, wanted: Wanted) -> impl Future<Output = String> {
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
            LinkState::Up(live) if live.inventory.is_listed() => Ok(()),
            LinkState::Up(_) => Err("libvirtd has not said yet which domains there are".into()),
            LinkState::Connecting => Err("libvirtd is being connected to".into()),
            LinkState::Down(error) => Err(error),
        }
    }

    fn debug(&self) -> String {
        String::new()
    }
}
