//! Waiting for a reply, and what is left of that when the deadline has passed.

use libvirt_wire::Call;
use tokio::{
    sync::oneshot::{self, error::TryRecvError},
    task,
};

use crate::{
    client::{Answer, Client, Message},
    error::{CallError, CallKind},
    ledger::{Ledger, Waiting},
    question::{Answered, Reply},
};

/// Somebody who waits for a reply.
pub(crate) struct Waiter<'c> {
    answer: oneshot::Receiver<Answer>,
    interest: Interest<'c>,
}

impl<'c> Waiter<'c> {
    pub(crate) fn new(
        answer: oneshot::Receiver<Answer>,
        waiting: Waiting,
        client: &'c Client,
    ) -> Self {
        Self { answer, interest: Interest { waiting, client } }
    }

    /// Waits for the answer.
    pub(crate) async fn answer(&mut self) -> Answer {
        (&mut self.answer).await.unwrap_or(Err(CallKind::Disconnected))
    }

    /// Lets the task read what its socket holds, and takes the answer if that is it.
    pub(crate) async fn look_again(&mut self) -> Option<Answer> {
        for _ in 0..TURNS {
            task::yield_now().await;
            match self.answer.try_recv() {
                Ok(answer) => return Some(answer),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Closed) => return Some(Err(CallKind::Disconnected)),
            }
        }
        None
    }

    /// Waits no more, but for a reply that may yet come.
    pub(crate) fn give_up(self) -> Late {
        Late { answer: self.answer, ledger: self.interest.client.ledger.clone() }
    }
}

/// That somebody waits; when it is dropped the call is abandoned.
struct Interest<'c> {
    waiting: Waiting,
    client: &'c Client,
}

impl Drop for Interest<'_> {
    fn drop(&mut self) {
        if self.waiting.give_up() {
            // Where the queue is full the task will look anyway.
            let _ = self.client.messages.try_send(Message::GaveUp);
        }
    }
}

/// A call that gave no reply by its deadline, or failed.
#[derive(Debug)]
pub struct Unanswered {
    /// Why there is no reply.
    pub error: CallError,
    /// What may yet come. `None` where libvirtd has answered, has gone, or never got the
    /// call: there was no place for it.
    pub late: Option<Late>,
}

/// A reply that did not come in time, and may yet come.
///
/// The call counts as abandoned, whether or not this is kept.
#[derive(Debug)]
pub struct Late {
    answer: oneshot::Receiver<Answer>,
    ledger: Ledger,
}

impl Late {
    /// Waits for the reply to the call, which was a `C`. `None` where libvirtd refused
    /// it, or its connection ended.
    pub async fn reply<C: Call>(self) -> Option<Reply<C>> {
        let (payload, at) = self.answer.await.ok()?.ok()?;
        Some(Reply::new(Answered { payload, at, ledger: self.ledger }))
    }
}

/// Turns of the runtime in which the task has read its socket: its first one may come
/// after ours.
const TURNS: u32 = 2;
