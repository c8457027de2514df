//! What libvirtd has not answered yet, over all connections of a session.
//!
//! A call that nobody waits for any more still costs libvirtd a worker, so it
//! stays in the book until libvirtd answers it or its connection ends.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use libvirt_wire::{Procedure, Uuid};
use tokio::time::Instant;

use crate::{error::CallKind, question::Question};

/// Who is told what becomes of every call.
///
/// Its functions are called by the task that owns a socket: they must be quick.
pub trait Observer: fmt::Debug + Send + Sync {
    /// libvirtd answered, `took` after the call was sent, however late.
    fn answered(&self, procedure: Procedure, took: Duration);

    /// A call came back with something else than what it promises, or not in time.
    fn failed(&self, procedure: Procedure, failure: Failure);

    /// A program that leads to libvirtd said something on its standard error: a line of it, which
    /// may hold anything.
    fn said(&self, line: &str);
}

/// Nobody who listens.
impl Observer for () {
    fn answered(&self, _: Procedure, _: Duration) {}

    fn failed(&self, _: Procedure, _: Failure) {}

    fn said(&self, _: &str) {}
}

/// Why a call failed, as far as statistics tell failures apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// libvirtd said no, with this `virErrorNumber`.
    Refused(i32),
    /// The deadline passed, or whoever waited went away.
    Abandoned,
    /// The connection ended before the reply.
    Disconnected,
    /// The reply is not what the protocol says.
    Malformed,
}

/// What libvirtd has not answered yet.
#[derive(Clone, Debug)]
pub struct Ledger {
    book: Arc<Book>,
}

#[derive(Debug)]
struct Book {
    observer: Arc<dyn Observer>,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    under_way: HashMap<u64, UnderWay>,
    next: u64,
    last_answer: Option<Instant>,
}

/// A call that hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hanging {
    /// What was called.
    pub procedure: Procedure,
    /// Whether the call waits for a QEMU's monitor.
    pub needs_monitor: bool,
    /// How many domains it concerns.
    pub domains: usize,
}

/// A call that libvirtd has not answered yet.
#[derive(Debug)]
struct UnderWay {
    procedure: Procedure,
    needs_monitor: bool,
    domains: Vec<Uuid>,
    /// When it was sent.
    since: Instant,
    /// Whether nobody waits for it any more.
    is_abandoned: bool,
}

impl Ledger {
    /// An empty one.
    pub fn new(observer: Arc<dyn Observer>) -> Self {
        Self { book: Arc::new(Book { observer, pages: Mutex::default() }) }
    }

    /// Calls that libvirtd has not answered yet.
    pub fn in_flight(&self) -> usize {
        self.book.pages().under_way.len()
    }

    /// Those of them that nobody waits for any more. Each holds one of libvirtd's
    /// workers (20, unless its configuration says otherwise).
    pub fn abandoned(&self) -> usize {
        self.book.pages().under_way.values().filter(|call| call.is_abandoned).count()
    }

    /// Those of them that call one procedure.
    pub fn abandoned_of(&self, procedure: Procedure) -> usize {
        let pages = self.book.pages();
        let meant = |call: &&UnderWay| call.is_abandoned && call.procedure == procedure;
        pages.under_way.values().filter(meant).count()
    }

    /// Since when an abandoned call has concerned a domain; `None` where none does.
    ///
    /// `is_meant` is told the procedure, and how many domains were asked about.
    pub fn hangs_since(
        &self,
        domain: Uuid,
        is_meant: impl Fn(&Hanging) -> bool,
    ) -> Option<Instant> {
        let pages = self.book.pages();
        let hung = pages.under_way.values().filter(|call| {
            call.is_abandoned && call.domains.contains(&domain) && is_meant(&call.hanging())
        });
        hung.map(|call| call.since).min()
    }

    /// When libvirtd answered last, whatever it was.
    pub fn last_answer(&self) -> Option<Instant> {
        self.book.pages().last_answer
    }

    /// Who is told of what happens.
    pub(crate) fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.book.observer)
    }

    /// Notes that a reply could not be read.
    pub(crate) fn note_malformed(&self, procedure: Procedure) {
        self.book.observer.failed(procedure, Failure::Malformed);
    }

    /// Enters a call that is about to be sent.
    pub(crate) fn enter(&self, question: &Question) -> Entry {
        let mut pages = self.book.pages();
        let number = pages.next;
        pages.next = number.wrapping_add(1);
        let &Question { procedure, needs_monitor, ref domains, .. } = question;
        let (domains, since) = (domains.clone(), Instant::now());
        let under_way = UnderWay { procedure, needs_monitor, domains, since, is_abandoned: false };
        pages.under_way.insert(number, under_way);
        Entry { book: Arc::clone(&self.book), number }
    }
}

impl UnderWay {
    fn hanging(&self) -> Hanging {
        let Self { procedure, needs_monitor, ref domains, .. } = *self;
        Hanging { procedure, needs_monitor, domains: domains.len() }
    }
}

impl Book {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        // Nothing panics while it holds the lock.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call's entry. Dropped when the connection is done with the call.
#[derive(Debug)]
pub(crate) struct Entry {
    book: Arc<Book>,
    number: u64,
}

impl Entry {
    /// A second handle, for who waits.
    pub(crate) fn waiting(&self) -> Waiting {
        Waiting { book: Arc::clone(&self.book), number: self.number }
    }

    /// Whether nobody waits for the call any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.book.pages().under_way.get(&self.number).is_some_and(|call| call.is_abandoned)
    }

    /// Strikes the call out, since libvirtd has answered it.
    pub(crate) fn answered(self, outcome: Result<(), &CallKind>) {
        let mut pages = self.book.pages();
        pages.last_answer = Some(Instant::now());
        let Some(call) = pages.under_way.remove(&self.number) else { return };
        drop(pages);
        self.book.observer.answered(call.procedure, call.since.elapsed());
        // Whoever waited for an abandoned one was told long ago.
        if let (Err(kind), false) = (outcome, call.is_abandoned) {
            let failure = match kind {
                CallKind::Refused(refusal) => Failure::Refused(refusal.code),
                CallKind::Decode(_) | CallKind::Mistaken { .. } => Failure::Malformed,
                CallKind::Disconnected | CallKind::NotSent => Failure::Disconnected,
                CallKind::TimedOut(_) => Failure::Abandoned,
            };
            self.book.observer.failed(call.procedure, failure);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let removed = self.book.pages().under_way.remove(&self.number);
        if let Some(UnderWay { procedure, is_abandoned: false, .. }) = removed {
            self.book.observer.failed(procedure, Failure::Disconnected);
        }
    }
}

/// Somebody who waits for a call.
#[derive(Debug)]
pub(crate) struct Waiting {
    book: Arc<Book>,
    number: u64,
}

impl Waiting {
    /// Notes that nobody waits any more. Returns whether libvirtd has the call still.
    pub(crate) fn give_up(&self) -> bool {
        let mut pages = self.book.pages();
        let Some(call) = pages.under_way.get_mut(&self.number) else { return false };
        call.is_abandoned = true;
        let procedure = call.procedure;
        drop(pages);
        self.book.observer.failed(procedure, Failure::Abandoned);
        true
    }
}
