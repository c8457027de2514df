//! A call without its type.

use std::marker::PhantomData;

use libvirt_wire::{Call, Procedure, Uuid};
use tokio::time::Instant;

use crate::{
    Ledger,
    error::{CallError, CallKind},
};

/// What a connection has to know of a call.
///
/// Asking and waiting are the same for every procedure, and compiled once.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) procedure: Procedure,
    pub(crate) arguments: Vec<u8>,
    pub(crate) domains: Vec<Uuid>,
    pub(crate) needs_monitor: bool,
}

impl Question {
    pub(crate) fn new<C: Call>(call: &C) -> Self {
        Self {
            procedure: C::PROCEDURE,
            arguments: call.arguments(),
            domains: call.domains(),
            needs_monitor: call.needs_monitor(),
        }
    }
}

/// libvirtd's answer to a question, as it came.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) payload: Vec<u8>,
    pub(crate) at: Instant,
    pub(crate) ledger: Ledger,
}

/// libvirtd's answer to a call, as it came.
#[derive(Debug)]
pub struct Reply<C> {
    answered: Answered,
    call: PhantomData<fn() -> C>,
}

impl<C: Call> Reply<C> {
    pub(crate) fn new(answered: Answered) -> Self {
        Self { answered, call: PhantomData }
    }

    /// When it came, however late it is looked at.
    pub fn at(&self) -> Instant {
        self.answered.at
    }

    /// Counts the reply among those that could not be read, for what it says makes no sense.
    pub fn reject(&self) {
        self.answered.ledger.note_malformed(C::PROCEDURE);
    }

    /// Reads the reply; what it holds borrows from here.
    ///
    /// # Errors
    ///
    /// When the bytes are not such a reply.
    pub fn decode(&self) -> Result<C::Reply<'_>, CallError> {
        C::decode(&self.answered.payload).map_err(|error| {
            self.reject();
            CallError::new(C::PROCEDURE, CallKind::Decode(error))
        })
    }
}
