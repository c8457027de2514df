//! Where news come from.

use std::fmt;

use tokio::{select, sync::mpsc, task::JoinHandle};

use super::{local::Local, remote::Remote, scene::News};
use crate::{fault::chain, filter::Filter, flags::Origin};

/// Where news come from.
#[derive(Debug)]
pub(super) struct Source {
    news: mpsc::Receiver<News>,
    telling: JoinHandle<()>,
}

impl Source {
    /// Connects, and begins to listen.
    ///
    /// # Errors
    ///
    /// When whom we want to look at does not answer.
    pub(super) async fn start(origin: Origin, filter: Filter) -> Result<Self, SourceError> {
        let (send, news) = mpsc::channel(NEWS_MAX);
        let telling = match origin {
            Origin::Libvirt { access, interval } => {
                let local = Local::start(*access, interval, filter).await;
                // What helps depends on the error less than on who reads it.
                let advised = |error| SourceError(format!("{error}; {ADVICE}"));
                let local = local.map_err(advised)?;
                tokio::spawn(async move {
                    select! {
                        () = local.tell(&send) => {}
                        () = send.closed() => {}
                    }
                    local.close().await;
                })
            }
            Origin::Exporter(url) => {
                let whom = url.to_string();
                let remote = Remote::start(url).await;
                let remote =
                    remote.map_err(|error| SourceError(format!("{whom}: {}", chain(&error))))?;
                tokio::spawn(async move {
                    select! {
                        () = remote.tell(&send) => {}
                        () = send.closed() => {}
                    }
                })
            }
        };
        Ok(Self { news, telling })
    }

    /// Waits for what comes next. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// When nothing ever will, which is a fault of ours.
    pub(super) async fn next(&mut self) -> Result<News, SourceError> {
        self.news.recv().await.ok_or_else(|| SourceError("the source of data ended".to_owned()))
    }

    /// Says goodbye, which takes a second at most.
    pub(super) async fn close(self) {
        let Self { news, telling } = self;
        drop(news);
        let _ = telling.await;
    }
}

/// Nobody to look at; what is to be done is in its text.
#[derive(Debug)]
pub(super) struct SourceError(String);

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SourceError {}

const ADVICE: &str = "--uri asks another one, --connect looks at a running exporter";
/// News that may wait for us; then they wait elsewhere.
const NEWS_MAX: usize = 2;
