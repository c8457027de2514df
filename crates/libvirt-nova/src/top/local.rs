//! Straight from libvirt: a session, polls and surveys of our own.

use std::{sync::Arc, time::Duration};

use libvirt_client::Access;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{self, Instant},
};

use super::scene::News;
use crate::{
    board::Frames,
    collectors::{Collector, Collectors},
    daemon::{Daemon, LinkState, patience},
    families::Selection,
    fault::chain,
    filter::Filter,
    later::later,
    live::Terms,
    program::Program,
    watched::{Plan, Watched},
};

/// What asks libvirt.
#[derive(Debug)]
pub(super) struct Local {
    daemon: Daemon,
    frames: Arc<Frames>,
    /// The session, and the surveys: they end when this is dropped.
    tasks: JoinSet<()>,
}

impl Local {
    /// Connects, and begins to ask.
    ///
    /// # Errors
    ///
    /// When libvirtd cannot be asked, in its own words or the kernel's.
    pub(super) async fn start(
        access: Access,
        interval: Duration,
        filter: Filter,
    ) -> Result<Self, String> {
        let patience = patience(&access.address);
        let selection = Selection {
            collectors: Collectors::of(|collector| NEEDED.contains(&collector)),
            ..Selection::default()
        };
        let (abandoned_max, filter) = (ABANDONED_MAX, Arc::new(filter));
        let terms = Terms { interval, abandoned_max, selection, filter };
        let plan = Plan { terms, min_age: Duration::ZERO, metrics_path: String::new() };
        let program = Arc::new(Program::new(Arc::default(), None));
        let (watched, watching) = plan.watch(access, plan.standing(), program);
        let Watched { daemon, exporter, frames } = watched;
        let mut tasks = JoinSet::new();
        tasks.spawn(watching);
        if daemon.live(later(patience)).await.is_none() {
            return Err(match daemon.link().state {
                LinkState::Down(error) => chain(&*error).to_string(),
                LinkState::Connecting | LinkState::Up(_) => {
                    format!("libvirtd did not answer within {patience:?}")
                }
            });
        }
        tasks.spawn(async move {
            // Two surveys make a rate: the second one comes soon.
            for pause in [FIRST_PAUSE].into_iter().chain(std::iter::repeat(PAUSE)) {
                exporter.collect(SURVEY_DEADLINE).await;
                time::sleep(pause).await;
            }
        });
        Ok(Self { daemon, frames, tasks })
    }

    /// Tells what is known whenever a poll ends, and each second, until nobody listens.
    ///
    /// A stuck guest holds none of it up: what it lacks is absent.
    pub(super) async fn tell(&self, news: &mpsc::Sender<News>) {
        let mut polled = self.frames.polled();
        let mut known = None;
        loop {
            polled.mark_unchanged();
            let frame = self.frames.frame();
            let edition = Some(frame.pulse.edition);
            let told = if known == edition {
                News::Pulse(frame.pulse.clone())
            } else {
                News::Board(Box::new(self.frames.board(&frame)))
            };
            known = edition;
            if news.send(told).await.is_err() {
                return;
            }
            let began = Instant::now();
            let _ = time::timeout(SECOND, polled.changed()).await;
            // Many polls a second are no more to see.
            time::sleep_until(began.checked_add(LEAST).unwrap_or(began)).await;
        }
    }

    /// Says goodbye to libvirtd.
    pub(super) async fn close(mut self) {
        self.tasks.abort_all();
        let _ = time::timeout(SECOND, self.daemon.close()).await;
    }
}

/// What the table shows beside what is always asked for.
const NEEDED: [Collector; 5] =
    [Collector::Vcpu, Collector::Block, Collector::Memory, Collector::Interface, Collector::Node];
/// The exporter's default of `--max-abandoned`.
const ABANDONED_MAX: usize = 12;
/// How long a survey may take.
const SURVEY_DEADLINE: Duration = Duration::from_secs(5);
/// The pause before the second survey.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The pause between two others.
const PAUSE: Duration = Duration::from_secs(5);
const SECOND: Duration = Duration::from_secs(1);
/// The least time between two frames.
const LEAST: Duration = Duration::from_millis(100);
