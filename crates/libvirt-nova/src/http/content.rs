//! What there is to be served.

use std::io;

use bytes::Bytes;
use futures_util::Stream;
#[cfg(any(test, fuzzing))]
use futures_util::{FutureExt, stream};

use super::Wanted;

/// What there is to be served.
pub(crate) trait Content {
    /// Returns an exposition in pieces, the first within the time that it is wanted in. An error
    /// is the last one, and says that not all of it came.
    ///
    /// When the future or the stream is dropped, nobody waits for it any more.
    fn scrape(
        &self,
        wanted: Wanted,
    ) -> impl Future<Output = impl Stream<Item = io::Result<Bytes>> + 'static>;

    /// How many targets can be probed; `None` where there is no file of them.
    fn targets(&self) -> Option<usize>;

    /// Returns an exposition of a target, as [`scrape`](Self::scrape) does; `None` where there is
    /// none of this name.
    fn probe(
        &self,
        name: &str,
        wanted: Wanted,
    ) -> Option<impl Future<Output = impl Stream<Item = io::Result<Bytes>> + 'static>>;

    /// Returns the targets' names, and how each is in words, where they are all there is: `None`
    /// where there is a live page.
    fn listing(&self) -> Option<Vec<(String, String)>>;

    /// Returns the live page's events as they are sent, for as long as somebody takes them; `None`
    /// where there is no such page.
    fn live(&self) -> Option<impl Stream<Item = Bytes> + 'static>;

    /// Returns an instance in full, as JSON; `None` where there is none of this UUID.
    fn instance(&self, uuid: &str) -> Option<String>;

    /// Whether a scrape would find libvirtd.
    ///
    /// # Errors
    ///
    /// Where it would not: why.
    fn ready(&self) -> Result<(), String>;

    /// Returns what helps to understand a fault, as text.
    fn debug(&self) -> String;
}

/// Metrics alone, for tests.
#[cfg(any(test, fuzzing))]
impl<S: Fn(Wanted) -> F, F: Future<Output = String>> Content for S {
    fn scrape(
        &self,
        wanted: Wanted,
    ) -> impl Future<Output = impl Stream<Item = io::Result<Bytes>> + 'static> {
        self(wanted).map(|text| stream::iter([Ok(Bytes::from(text))]))
    }

    fn targets(&self) -> Option<usize> {
        None
    }

    fn probe(
        &self,
        _: &str,
        wanted: Wanted,
    ) -> Option<impl Future<Output = impl Stream<Item = io::Result<Bytes>> + 'static>> {
        Some(self.scrape(wanted))
    }

    fn listing(&self) -> Option<Vec<(String, String)>> {
        None
    }

    fn live(&self) -> Option<impl Stream<Item = Bytes> + 'static> {
        Some(stream::empty())
    }

    fn instance(&self, _: &str) -> Option<String> {
        None
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    fn debug(&self) -> String {
        String::new()
    }
}
